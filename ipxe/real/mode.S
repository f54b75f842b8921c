// SPDX-License-Identifier: MPL-2.0
// The change between real mode and 32-bit protected mode, and `real_call`, which makes it both ways around a 16-bit
// function. All of it lies below 64 KiB, so that every segment is 0 in real mode. Interrupts are off in protected mode.
//
// Who links this says where a stack for real mode is: real_stack_top, for a caller whose own stack real mode cannot reach.

#include "real/selectors.h"

    .section .text16, "ax"

// A near call in real mode that comes back in protected mode, with flat segments and, when SS was 0, the same stack.
// Interrupts are off then. Clobbers EAX.
    .code16
    .globl to_protected
to_protected:
    cli
    popw %cs:return_to
    lgdtl %cs:gdt_pointer
    movl %cr0, %eax
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
    movzwl %sp, %esp
    jmp *return_to

// A near call in protected mode that comes back in real mode, with all segments 0 and the same stack, which lies below
// 64 KiB. Interrupts are still off. Clobbers EAX.
    .globl to_real
to_real:
    popl return_to
    ljmp $SEL_CODE16, $1f
    .code16
1:  movw $SEL_DATA16, %ax     // limits of 64 KiB, as real mode wants them
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    lidtl real_idt_pointer
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    ljmp $0, $2f
2:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    jmp *return_to

// Runs a 16-bit function in real mode. Called from C: void real_call(uint32_t function).
// The function runs with CS = DS = ES = SS = 0, interrupts off, and a stack below 64 KiB: the caller's own, or the one at
// real_stack_top. It returns with a near `ret` and may clobber every register but SS and SP. The IDT is the caller's again
// afterwards; real_after, when it is not 0, is called in protected mode first.
    .code32
    .globl real_call
real_call:
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl %ebp
    sidtl protected_idt
    movl %esp, protected_esp
    movl 20(%esp), %ebx
    cmpl $0x10000, %esp
    jb 1f
    movl $real_stack_top, %esp
1:  call to_real
    .code16
    cld
    call *%bx
    call to_protected
    .code32
    cld
    movl real_after, %eax
    testl %eax, %eax
    jz 1f
    call *%eax                // on the lower stack: all above 1 MiB may be out of reach
1:  movl protected_esp, %esp
    lidtl protected_idt
    popl %ebp
    popl %edi
    popl %esi
    popl %ebx
    ret

    .section .data16, "aw"
    .balign 4
gdt:
    .quad 0
    .quad 0x00009b000000ffff  // SEL_CODE16
    .quad 0x00cf9b000000ffff  // SEL_CODE32
    .quad 0x00cf93000000ffff  // SEL_DATA32
    .quad 0x000093000000ffff  // SEL_DATA16
gdt_end:
    .globl real_after
return_to:     .long 0    // the upper half stays 0
protected_esp: .long 0
real_after:    .long 0
    .globl gdt_pointer
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
real_idt_pointer:
    .word 0x3ff
    .long 0
protected_idt:
    .word 0
    .long 0
