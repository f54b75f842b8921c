// SPDX-License-Identifier: MPL-2.0
// The linker script of mbr.bin: exactly MBR_CODE_SIZE bytes, linked where the MBR moves itself to.
#include "mbr/layout.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(mbr)
SECTIONS {
    . = MBR_BASE;
    .mbr : {
        *(.text16)
        code_end = .;
        . = MBR_BASE + MBR_FIELDS;
        *(.fields)
    }
    /DISCARD/ : { *(.text .data .bss .comment .note .note.* .eh_frame) }
    ASSERT(code_end <= MBR_BASE + MBR_FIELDS, "the MBR's code is too large")
    ASSERT(SIZEOF(.mbr) == MBR_CODE_SIZE, "the MBR has the wrong size")
}
