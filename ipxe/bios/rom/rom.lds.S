// SPDX-License-Identifier: MPL-2.0
// The linker script of the option ROM's front: linked at 0, since it runs at any segment; its last byte is the sum's.
#include "image/romfile.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(rom_start)
SECTIONS {
    . = 0;
    .rom : {
        KEEP(*(.text16.start))
        *(.text16)
        . = ALIGN(. + 1, ROM_UNIT);
        rom_bytes = .;
    }
    rom_sum = rom_bytes - 1;
    rom_units = rom_bytes / ROM_UNIT;
    /DISCARD/ : { *(.text .data .bss .comment .note .note.* .eh_frame) }
    ASSERT(rom_bytes <= 0x1000, "the front is to take at most 4 KiB of upper memory")
}
