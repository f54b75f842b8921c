// SPDX-License-Identifier: MPL-2.0
// A network bootstrap program for the door's test: it makes all of the memory that Signet had its own, calls the API by both entries, and
// returns what the calls answered. The answers themselves are the C side's (program.c), which sees the blocks.

#define LOAD 0x7c00
#define FILLED 0x38000
#define BLOCK 0x600
#define AT(x) ((x) - door_program + LOAD)

    .section .rodata.door_program, "a"
    .globl door_program, door_program_end
    .code16
door_program:
    movw %sp, %bp
    lesw 4(%bp), %si           // !PXE, behind the return address
    movl %es:16(%si), %eax
    movl %eax, %cs:AT(by_bang)
    movw $0x5650, %ax
    int $0x1a
    jc 9f
    movl %es:0x0a(%bx), %eax
    movl %eax, %cs:AT(by_pxenv)

    // The rest of Signet's base memory, from below its stack's end on, and what lies in front of it.
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x1000, %ax
1:  movw %ax, %es
    xorw %di, %di
    movw $0x8000, %cx
    movw $0xffff, %ax
    cld
    rep stosw
    movw %es, %ax
    addw $0x1000, %ax
    cmpw $FILLED / 16, %ax
    jb 1b
    movw $0x1000 - 0x400, %cx  // 7000..7BFF
    movw $0x7000, %di
    xorw %ax, %ax
    movw %ax, %es
    decw %ax
    shrw $1, %cx
    rep stosw

    // Function 1234h, by the stack: the block's first word becomes AX of the second call's block.
    movw $0, BLOCK
    pushw $0
    pushw $BLOCK
    pushw $0x1234
    movl $0x11223344, %ebx
    movl $0x55667788, %ebp
    stc
    lcallw *%cs:AT(by_bang)
    addw $6, %sp
    jc 9f
    testw %ax, %ax
    jnz 9f
    cmpl $0x11223344, %ebx
    jne 9f
    cmpl $0x55667788, %ebp
    jne 9f
    cmpw $0x4321, BLOCK
    jne 9f
    // Function 5678h by registers: its answer is a failure.
    movw $0x5678, %bx
    movw $BLOCK + 16, %di
    lcallw *%cs:AT(by_pxenv)
    jnc 9f
    cmpw $1, %ax
    jne 9f
    movb $0x88, %ah
    int $0x15
    jc 9f
    cmpw $0x3c00, %ax          // the machine has more
    jb 9f
    xorw %ax, %ax
    testb $1, BLOCK + 2        // as the first call's answer wants it
    jz 2f
    int $0x18
2:  lretw
9:  movw $2, %ax
    lretw
    .balign 4
by_bang: .long 0
by_pxenv: .long 0
door_program_end:
