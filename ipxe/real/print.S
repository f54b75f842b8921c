// SPDX-License-Identifier: MPL-2.0
// Text on the screen, from real mode.

    .section .text16, "ax"
    .code16

// In: SI = NUL-terminated text. Clobbers AX, SI; BIOSes are known that clobber BX and BP in teletype output.
    .globl print
print:
    pushw %bx
    pushw %bp
    pushw %di
1:  lodsb
    testb %al, %al
    jz 2f
    pushw %si
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    popw %si
    jmp 1b
2:  popw %di
    popw %bp
    popw %bx
    ret
