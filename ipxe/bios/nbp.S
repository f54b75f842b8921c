// SPDX-License-Identifier: MPL-2.0
// Where a PXE ROM enters, and the stage of a boot area, which does as a ROM would: save their world and go on with start.S.

#include "bios/layout.h"

    .section .text16.start, "ax"
    .code16

// In: CS:IP = 0000:7C00 or 07C0:0000; ES:BX = PXENV+ (PXE 1.x); SS:SP = far return address into the ROM, then
// a far pointer to !PXE (PXE 2.1). Out to the ROM through `leave_to_rom` with AX = 0.
    .globl start
start:
    ljmp $0, $start16

// image/embed.h: the slot that `signet embed` fills in. Its offset in the file is a multiple of 16.
    .balign 16
    .globl embed_slot
embed_slot:
    .asciz "SIGNET-EMBED-01"
    .long 1            // SLOT_KIND = EMBED_NBP
    .long 0            // SLOT_OFFSET
    .long 0            // SLOT_LENGTH
    .long FILE_MAX     // SLOT_CAPACITY
    .long file_prefix  // SLOT_BASE: config/targets/pack adds the size of what it has packed
    .long 0            // SLOT_FLAGS
    .fill 24, 1, 0

start16:
    pushfw
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ss, rom_stack + 2
    movw %sp, rom_stack
    movw %bx, entry_pxenv
    movw %es, entry_pxenv + 2
    // 42 bytes were pushed above, then 4 of the return address.
    movw %sp, %bp
    movl 46(%bp), %eax
    movl %eax, entry_pxe
    sti
    jmp rise
