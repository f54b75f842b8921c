// SPDX-License-Identifier: MPL-2.0
// Another processor, from real mode to processors.c: it comes from PROCESSOR_PAGE with CS = 0 and nothing else known. It gets the first one's
// control registers, which have caches and vector registers on, its descriptor tables, and a stack by its ticket.

#include "bios/layout.h"
#include "real/selectors.h"

    .section .text16, "ax"
    .code16
    .globl processor_entry
processor_entry:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl gdt_pointer
    movl %cr0, %eax
    andl $0x9fffffff, %eax     // caches on: an INIT leaves them as they were, a reset off
    orb $1, %al
    movl %eax, %cr0
    ljmp $SEL_CODE32, $1f
    .code32
1:  movl $SEL_DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movl processor_cr4, %eax
    movl %eax, %cr4
    movl processor_cr0, %eax
    movl %eax, %cr0
    lidtl processor_idt
    movl $1, %eax
    lock xaddl %eax, processor_tickets
    cmpl $PROCESSORS_MAX, %eax
    jae processor_halt
    incl %eax
    shll $PROCESSOR_STACK_SHIFT, %eax
    addl $processor_stacks, %eax
    movl %eax, %esp
    call processor_work
    .globl processor_halt
processor_halt:
    cli
    hlt
    jmp processor_halt
