// SPDX-License-Identifier: MPL-2.0
// The linker script of undionly.kpxe (run through the preprocessor): the 16-bit part, linked where the ROM loads it, and the high
// part, linked at HIGH_BASE. config/targets/pack makes the file of both: 16-bit part | what unpacks | high part, packed.
#include "bios/layout.h"

// Bytes of the file in front of LOAD_BASE: none in an NBP, the stage in bootarea.bin (config/targets/disk.mk).
#ifndef FILE_PREFIX
#define FILE_PREFIX 0
#endif

OUTPUT_FORMAT(elf32-i386)
ENTRY(start)

PHDRS {
    low PT_LOAD FLAGS(7);
    high PT_LOAD FLAGS(7);
}

SECTIONS {
    . = LOAD_BASE;
    .low : AT(LOAD_BASE) {
        KEEP(*(.text16.start))
        KEEP(*(.text16 .text16.*))
        KEEP(*(.data16 .data16.*))
        . = ALIGN(16);
    } :low
    low_end = .;

    . = HIGH_BASE;
    high_start = .;
    .text : AT(low_end) {
        *(.text .text.*)
        . = ALIGN(16);
        *(.rodata .rodata.*)
        . = ALIGN(16);
        *(.data .data.*)
        . = ALIGN(16);
    } :high
    high_end = .;
    // The stack lies beside the constants, which the digest reads by turns with it. 64 pages further on both would share one entry of
    // an emulator's TLB, and the digest would take twice its time.
    .bss (NOLOAD) : {
        . = ALIGN(16);
        . += HIGH_STACK_SIZE;
        high_stack_top = .;
        *(.bss .bss.*)
        *(COMMON)
        . = ALIGN(16);
    } :high
    bss_end = ALIGN(4096);
    heap_start = bss_end;
    heap_end = heap_start + HEAP_SIZE;
    own_end = heap_end + DMA_SIZE;

    real_stack_top = REAL_STACK_TOP; // for real/mode.S
    high_size = high_end - high_start;
    bss_words = (bss_end - high_end) / 4;
    file_base = LOAD_BASE - FILE_PREFIX;
    file_prefix = FILE_PREFIX;

    /DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame_hdr .ARM.*) }

    ASSERT(low_end <= LOW_END, "the 16-bit part is too large")
    ASSERT(own_end <= HIGH_LIMIT, "variables, heap and memory of cards are too large")
    ASSERT(high_stack_top <= UNPACKER_BASE, "the program is too large: the unpacker lies in its way")
    ASSERT(heap_end >= UNPACKER_END, "the unpacker lies behind the memory that was looked at")
}
