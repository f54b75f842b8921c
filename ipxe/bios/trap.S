// SPDX-License-Identifier: MPL-2.0
// Processor exceptions in protected mode: 32 stubs, one after the other, that end in trap_handle (panic.c).

    .section .text, "ax"
    .code32

    .macro stub number
    .balign 16
    .if (\number == 8) || (\number >= 10 && \number <= 14) || (\number == 17) || (\number == 21) || (\number == 29) || (\number == 30)
    nop                       // the processor pushed an error code
    .else
    pushl $0
    .endif
    pushl $\number
    jmp trap_common
    .endm

    .balign 16
    .globl trap_stubs
trap_stubs:
    .set number, 0
    .rept 32
    stub number
    .set number, number + 1
    .endr

// Stack: EDI ESI EBP ESP EBX EDX ECX EAX, vector, error code, EIP, CS, EFLAGS = struct trap_frame.
trap_common:
    pushal
    cld
    pushl %esp
    call trap_handle
1:  cli
    hlt
    jmp 1b
