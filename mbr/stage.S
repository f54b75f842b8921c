// SPDX-License-Identifier: MPL-2.0
// The stage's 16-bit half: in from the MBR, up into protected mode for stage_main, and on to Signet. Everything lies below
// 64 KiB, so all segments are 0 in real mode (ipxe/real), there is one stack, and A20 does not matter.

#include "mbr/layout.h"

    .section .start, "ax"
    .code16
// In: DL = drive; SS:SP = 0:STAGE_STACK_TOP.
    .globl stage
stage:
    jmp 1f
    .balign 4
    .ascii "SIGNET-STAGE-01" // for people and tools that look at a disk
    .byte 0
1:  movb %dl, stage_drive
    cld
    // Variables start as zeros.
    xorl %eax, %eax
    movw $bss_start, %di
    movw $bss_words, %cx
    rep stosl
    call to_protected
    .code32
    call stage_main
    // Signet returned, or there is none: the BIOS's next boot device.
    call to_real
    .code16
    sti
    int $0x18
1:  hlt
    jmp 1b

// Signet at SIGNET_BASE, with stage_handoff; to be run by real_call. It may come back.
    .globl stage_enter
stage_enter:
    movl $stage_handoff, %esi
    movl $0x46484753, %eax    // BOOTSLOT_HANDOFF_MAGIC
    movl %eax, %ecx
    notl %ecx
    xorw %bx, %bx
    movb stage_drive, %dl
    pushl $0                  // no !PXE structure
    sti
    lcall $0, $SIGNET_BASE
    addw $4, %sp
    ret

    .section .data16, "aw"
    .globl stage_drive
stage_drive: .byte 0
