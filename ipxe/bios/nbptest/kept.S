// SPDX-License-Identifier: MPL-2.0
// What nbptest keeps where real mode reaches it: how it shall end, how it was entered (nbptest.S), and a call of the PXE API.

#include "bios/nbptest/layout.h"

    .section .text16, "ax"
    .code16
// One call of the PXE API by way of real_call: through pxe_target, with pxe_function and the block at BLOCK_AT; by the stack as !PXE wants
// it, or when pxe_by_registers is not 0 in BX and ES:DI as PXENV+ does. Out: pxe_ax, pxe_kept (registers before, and after), pxe_sp_moved.
    .globl real_pxe
real_pxe:
    sti
    movl $0xb0b0b0b0, %ebx
    movl $0xc1c1c1c1, %ecx
    movl $0xd2d2d2d2, %edx
    movl $0x51515151, %esi
    movl $0xd1d1d1d1, %edi
    movl $0xb5b5b5b5, %ebp
    movw $0x1234, %ax
    movw %ax, %fs
    movw $0x4321, %ax
    movw %ax, %gs
    movw $(BLOCK_AT >> 4), %ax
    movw %ax, %es
    movw pxe_function, %bx
    xorw %di, %di
    movw $pxe_kept, %ax
    call keep
    movl %esp, pxe_sp
    cmpb $0, pxe_by_registers
    jne 1f
    pushw %es
    pushw %di
    pushw %bx
    lcallw *pxe_target
    addw $6, %sp
    jmp 2f
1:  lcallw *pxe_target
2:  cld
    movw %ax, %cs:pxe_ax
    pushfw
    popw %cs:pxe_flags
    cli
    movw $(pxe_kept + REGISTERS * 4), %ax
    call keep
    subl %cs:pxe_sp, %esp
    movl %esp, %cs:pxe_sp_moved // GRUB goes on with all of ESP
    movl %cs:pxe_sp, %esp
    ret

// Writes the registers to AX. Clobbers AX.
keep:
    movl %ebx, %cs:ebx_kept
    movw %ax, %bx
    movl %ecx, %cs:4(%bx)
    movl %edx, %cs:8(%bx)
    movl %esi, %cs:12(%bx)
    movl %edi, %cs:16(%bx)
    movl %ebp, %cs:20(%bx)
    movl %cs:ebx_kept, %ecx
    movl %ecx, %cs:(%bx)
    movw %ds, %cs:24(%bx)
    movw %es, %cs:28(%bx)
    movw %fs, %cs:32(%bx)
    movw %gs, %cs:36(%bx)
    movl %cs:4(%bx), %ecx
    movl %cs:(%bx), %ebx
    ret

    .section .data16, "aw"
    .balign 8
    // What ci/qemu/nbp.py writes into the file.
    .ascii "SIGNET-NBPTEST-1"
    .globl order, strict
order:  .long 0              // how to end, see main.c
strict: .long 0              // 1: also what only Signet does
    .globl entered_cs, entered_ip, entered_pxenv, entered_stack, entered_bang, entered_from, a20_shut
    .globl pxe_target, pxe_function, pxe_by_registers, pxe_ax, pxe_flags, pxe_kept, pxe_sp_moved
entered_pxenv: .long 0
entered_stack: .long 0
entered_bang:  .long 0
entered_from:  .long 0
entered_cs:    .word 0
entered_ip:    .word 0
pxe_target:    .long 0
pxe_kept:      .fill 2 * REGISTERS, 4, 0
ebx_kept:      .long 0
pxe_function:  .word 0
pxe_ax:        .word 0
pxe_flags:     .word 0
pxe_sp:        .long 0
pxe_sp_moved:  .long 0
a20_shut:      .byte 0
pxe_by_registers: .byte 0
