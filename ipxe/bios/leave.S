// SPDX-License-Identifier: MPL-2.0
// The ways out for good: back to the ROM, into a kernel, a reset; and what the processor gets back before the first two.
// All of it but the last lies in base memory.

#include "bios/layout.h"

    .section .text16, "ax"

// Switches the vector registers on (CR0.EM and TS off, CR4.OSFXSR on), for code that asked CPUID whether there are any:
// void vectors_on(void). In real-mode calls that changes nothing; whoever gets the machine from us gets CR0 and CR4 back
// as they were.
    .code32
    .globl vectors_on
vectors_on:
    movl %cr0, %eax
    movl %eax, old_cr0
    andl $~0xc, %eax
    orl $2, %eax              // MP
    movl %eax, %cr0
    movl %cr4, %eax
    movl %eax, old_cr4
    orl $0x200, %eax
    movl %eax, %cr4
    movb $1, vectors_are_on
    ret

// The reverse: void vectors_off(void).
    .globl vectors_off
vectors_off:
    cmpb $0, vectors_are_on
    je 1f
    movl old_cr4, %eax
    movl %eax, %cr4
    movl old_cr0, %eax
    movl %eax, %cr0
1:  ret

// Gives the machine back to the ROM, whose next step is the next boot device. In protected mode, does not return.
    .globl leave_to_rom
leave_to_rom:
    call vectors_off
    pushl $real_leave
    call real_call
    .code16
real_leave:
    cli
rom_return:
    .globl rom_return
    lssw rom_stack, %sp
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    popfw
    xorw %ax, %ax              // PXENV_EXIT_SUCCESS
    lretw

// Starts a kernel. In protected mode, does not return: void start_kernel(uint32_t entry, uint32_t move_count).
// The moves (three 32-bit words each: to, from, length; overlapping allowed) lie at BOOT_MOVES. They may
// overwrite all that lies above 1 MiB, Signet included, so the stack goes down first.
    .code32
    .globl start_kernel
start_kernel:
    movl 4(%esp), %edx
    movl 8(%esp), %ebp
    movl $REAL_STACK_TOP, %esp
    call vectors_off
    lidtl null_idt_pointer
    movl $BOOT_MOVES, %ebx
1:  testl %ebp, %ebp
    jz 4f
    movl (%ebx), %edi
    movl 4(%ebx), %esi
    movl 8(%ebx), %ecx
    cmpl %esi, %edi
    ja 2f
    rep movsb
    jmp 3f
2:  addl %ecx, %esi
    addl %ecx, %edi
    decl %esi
    decl %edi
    std
    rep movsb
    cld
3:  addl $12, %ebx
    decl %ebp
    jmp 1b
4:  movl $BOOT_PARAMS, %esi
    xorl %ebx, %ebx
    xorl %edi, %edi
    xorl %ebp, %ebp
    jmp *%edx

    .section .data16, "aw"
    .balign 4
old_cr0:       .long 0
old_cr4:       .long 0
vectors_are_on: .byte 0
    .balign 4
    .word 0
null_idt_pointer:
    .word 0
    .long 0

    .section .text.triple_fault, "ax"
// A reset that works when nothing else does: a fault with no table to handle it. It needs nothing in base memory, which is another's while
// a program runs (bios/program.h).
    .globl triple_fault
triple_fault:
    pushl $0
    pushl $0
    lidtl (%esp)
    int3
1:  hlt
    jmp 1b
