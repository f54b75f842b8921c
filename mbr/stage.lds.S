// SPDX-License-Identifier: MPL-2.0
// The linker script of the stage: the first BOOTSLOT_STAGE_SIZE bytes of bootarea.bin, zeros at their end.
#include "mbr/layout.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(stage)
PHDRS {
    stage PT_LOAD FLAGS(7);
    variables PT_LOAD FLAGS(6);
}
SECTIONS {
    . = STAGE_DATA;
    .bss (NOLOAD) : {
        bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4);
    } :variables
    bss_words = (. - bss_start) / 4;
    ASSERT(. <= STAGE_DATA_END, "the stage's variables are too large")
    . = STAGE_BASE;
    .stage : {
        KEEP(*(.start))
        *(.text16 .text16.* .data16 .data16.*)
        *(.text .text.* .rodata .rodata.* .data .data.*)
        stage_end = .;
        . = SIGNET_BASE;
    } :stage
    real_stack_top = STAGE_STACK_TOP; // for real/mode.S, which stays on the stage's own stack
    ASSERT(stage_end <= SIGNET_BASE, "the stage is too large")
    /DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame_hdr) }
}
