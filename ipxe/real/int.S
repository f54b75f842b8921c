// SPDX-License-Identifier: MPL-2.0
// The 16-bit functions behind real.h: a BIOS interrupt, a text on the screen.

    .section .text16, "ax"
    .code16

// A BIOS interrupt with the registers of real_regs, through the far pointer real_target.
// In and out: real_regs (layout of struct bios_regs). Clobbers all.
    .globl real_interrupt
real_interrupt:
    movl real_regs + 0, %eax
    movl real_regs + 4, %ebx
    movl real_regs + 8, %ecx
    movl real_regs + 12, %edx
    movl real_regs + 16, %esi
    movl real_regs + 20, %edi
    movl real_regs + 24, %ebp
    movw real_regs + 30, %es
    movw real_regs + 28, %ds
    sti
    pushfw
    cli
    lcallw *%cs:real_target
    pushfw
    pushw %ds
    pushw $0
    popw %ds
    movl %eax, real_regs + 0
    popw %ax
    movw %ax, real_regs + 28
    popw %ax
    movw %ax, real_regs + 32
    movl %ebx, real_regs + 4
    movl %ecx, real_regs + 8
    movl %edx, real_regs + 12
    movl %esi, real_regs + 16
    movl %edi, real_regs + 20
    movl %ebp, real_regs + 24
    movw %es, real_regs + 30
    ret

// Teletype output of the text at real_target, which is 0:offset.
    .globl real_print
real_print:
    sti
    movw real_target, %si
    jmp print

    .section .data16, "aw"
    .balign 4
    .globl real_regs, real_target
real_target:   .long 0
real_regs:     .fill 36, 1, 0
