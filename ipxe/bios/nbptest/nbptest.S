// SPDX-License-Identifier: MPL-2.0
// Where nbptest begins and ends: it notes how it was entered, and ends in the ways that programs end.

#include "bios/nbptest/layout.h"

    .section .start, "ax"
    .code16
// In: as PXE 2.1 has it. All segments are 0 from here on but the stack's, which is the caller's until ours is there.
    .globl start
start:
    pushfw
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cld
    movw %sp, %bp            // 42 bytes were pushed
    movw %cs, %ax
    call 2f
2:  popw %cx
    subw $(2b - start), %cx
    xorw %dx, %dx
    movw %dx, %ds
    movw %ax, entered_cs
    movw %cx, entered_ip
    movw %bx, entered_pxenv
    movw %es, entered_pxenv + 2
    movw %ss, entered_stack + 2
    movw %sp, entered_stack
    movl 46(%bp), %eax       // behind the return address
    movl %eax, entered_bang
    movl 42(%bp), %eax
    movl %eax, entered_from
    ljmp $0, $3f
3:  movw %dx, %es
    movw %dx, %ss
    movw $NBPTEST_STACK_TOP, %sp
    call a20_open
    setc a20_shut
    call to_protected
    .code32
    xorl %eax, %eax
    movl $bss_start, %edi
    movl $bss_words, %ecx
    rep stosl
    call nbptest_main
    movl %eax, answer
    call to_real
    .code16
    movl answer, %eax
    testl $0x10000, %eax
    jz 4f
    sti
    int $0x18
4:  testl $0x20000, %eax
    jz 5f
    movw $0x5000, %cx        // another stack and segments, the direction flag, and no interrupts
    movw %cx, %ss
    movw $0x123, %sp
    movw %cx, %es
    movw %cx, %fs
    pushl entered_from
    movw %cx, %ds
    std
    lretw                    // AX = 0
5:  lssw entered_stack, %sp
    popw %gs
    popw %fs
    popw %es
    popw %ds
    movw %cs:answer, %ax
    movw %sp, %bp
    movw %ax, 28(%bp)        // EAX of what is popped
    popal
    popfw
    lretw

    .section .data16, "aw"
    .balign 4
answer: .long 0
