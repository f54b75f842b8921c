// SPDX-License-Identifier: MPL-2.0
// The linker script of the program that unpacks the protected-mode part.
#include "bios/layout.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(unpacker)
PHDRS {
    program PT_LOAD FLAGS(7);
}
SECTIONS {
    . = UNPACKER_BASE;
    .program : {
        KEEP(*(.text.entry))
        *(.text .text.* .rodata .rodata.*)
        . = ALIGN(4);
    } :program
    // Not on a page with code: emulators and some processors take every write there for code that changes itself.
    . = ALIGN(4096);
    .bss (NOLOAD) : { *(.bss .bss.* COMMON) } :program
    .data : { *(.data .data.*) } :program
    ASSERT(SIZEOF(.data) == 0, "the unpacker has variables that someone would have to bring")
    ASSERT(. <= UNPACKER_END, "the unpacker is too large")
    /DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame_hdr) }
}
