// SPDX-License-Identifier: MPL-2.0
// The linker script of nbptest.bin: one flat program at 0:7C00, all of it below 64 KiB.
#include "bios/nbptest/layout.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(start)
PHDRS {
    program PT_LOAD FLAGS(7);
    variables PT_LOAD FLAGS(6);
}
SECTIONS {
    . = NBPTEST_BASE;
    .program : {
        KEEP(*(.start))
        *(.text16 .text16.* .data16 .data16.*)
        *(.text .text.* .rodata .rodata.* .data .data.*)
        . = ALIGN(16);
    } :program
    .bss (NOLOAD) : {
        bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4);
    } :variables
    bss_words = (. - bss_start) / 4;
    real_stack_top = NBPTEST_STACK_TOP; // for real/mode.S, which stays on the program's own stack
    ASSERT(. <= NBPTEST_STACK_LOW, "nbptest is too large")
    /DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame_hdr) }
}
