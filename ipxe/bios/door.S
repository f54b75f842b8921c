// SPDX-License-Identifier: MPL-2.0
// The two doors out of protected mode: a BIOS interrupt and a PXE API call, both through `real_call`; and the
// ways out for good. All of it lies in base memory. Interrupts are off in protected mode and on in the calls.

#include "bios/layout.h"

    .section .text16, "ax"

// Runs a 16-bit function in real mode. Called from C: void real_call(uint32_t function).
// The function runs with CS = DS = ES = SS = 0, 12 KiB of stack and interrupts off; it returns with a near `ret`
// and may clobber every register.
    .code32
    .globl real_call
real_call:
    movl 4(%esp), %eax
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl %ebp
    movl %esp, high_esp
    movw %ax, real_function
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
    movw $REAL_STACK_TOP, %sp
    cld
    call *real_function
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $SEL_CODE32, $3f
    .code32
3:  movw $SEL_DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl high_esp, %esp
    cld
    // A BIOS may shut A20 behind our back; then our own code is gone, so this stands in base memory.
    movl a20_probe, %eax
    cmpl a20_probe + 0x100000, %eax
    je 5f
4:  lidtl high_idt_pointer
    popl %ebp
    popl %edi
    popl %esi
    popl %ebx
    ret
5:  notl a20_probe
    movl a20_probe, %eax
    cmpl a20_probe + 0x100000, %eax
    jne 4b
    inb $0x92, %al
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    jmp 5b

// A BIOS interrupt with the registers of real_regs, through the far pointer real_target.
// In and out: real_regs (layout of struct bios_regs). Clobbers all.
    .code16
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

// One PXE API call. In: pxe_function, parameters at PXE_PARAM. Out: pxe_result. Clobbers all.
    .globl real_pxe
real_pxe:
    sti
    movw pxe_function, %bx
    movw $PXE_PARAM, %di
    call pxe_api
    movw %ax, pxe_result
    ret

// The API of !PXE takes its arguments on the stack, that of PXENV+ in registers; both get both.
// In: BX = function, DI = parameters (segment 0), DS = 0. Out: AX. Everything else is kept: ROMs are known to
// clobber what they should not.
    .globl pxe_api
pxe_api:
    pushl %ebx
    pushl %ecx
    pushl %edx
    pushl %esi
    pushl %edi
    pushl %ebp
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    pushw $0
    popw %es
    pushw %es
    pushw %di
    pushw %bx
    lcallw *pxe_entry
    addw $6, %sp
    cld
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popl %ebp
    popl %edi
    popl %esi
    popl %edx
    popl %ecx
    popl %ebx
    ret

// A ROM's UNDI loader, through the far pointer real_target. In and out: its parameters at PXE_PARAM, whose address it takes
// on the stack. Out: pxe_result. Clobbers all.
    .globl real_loader
real_loader:
    sti
    pushw $0
    pushw $PXE_PARAM
    lcallw *real_target
    addw $4, %sp
    movw %ax, %cs:pxe_result
    ret

// `hlt` until the next interrupt: timer, keyboard or card. Not when the card's has come already; `sti` lets the
// next instruction finish first, so none slips in between.
    .globl real_halt
real_halt:
    sti
    nop
    nop
    cli
    cmpb $0, irq_seen
    jne 1f
    sti
    hlt
1:  ret

// Teletype output of the text at BOUNCE.
    .globl real_print
real_print:
    sti
    movw $BOUNCE, %si
    jmp print

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

// Clobbers EAX.
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

// A reset that works when nothing else does: a fault with no table to handle it.
    .globl triple_fault
triple_fault:
    lidtl null_idt_pointer
    int3
1:  hlt
    jmp 1b

    .section .data16, "aw"
    .balign 4
    .globl real_regs, real_target, pxe_entry, pxe_function, pxe_result
high_esp:      .long 0
real_target:   .long 0
pxe_entry:     .long 0
real_regs:     .fill 36, 1, 0
old_cr0:       .long 0
old_cr4:       .long 0
real_function: .word 0
pxe_function:  .word 0
pxe_result:    .word 0
vectors_are_on: .byte 0
    .balign 4
    .word 0
real_idt_pointer:
    .word 0x3ff
    .long 0
    .word 0
high_idt_pointer:
    .word 256 * 8 - 1
    .long trap_table
    .word 0
null_idt_pointer:
    .word 0
    .long 0
