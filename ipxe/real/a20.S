// SPDX-License-Identifier: MPL-2.0
// Address line A20: opened once, in real mode, and looked at after every real-mode call from then on.

    .section .text16, "ax"
    .code16

// Opens A20 by the gentlest way that works: the BIOS, port 92h, the keyboard controller. In real mode, DS = 0.
// Out: CF when it stays shut. Clobbers EAX, BX, CX.
    .globl a20_open
a20_open:
    call test_a20
    jnc 9f
    movw $0x2401, %ax
    int $0x15
    call test_a20
    jnc 9f
    inb $0x92, %al
    testb $2, %al
    jnz 1f
    orb $2, %al
    andb $0xfe, %al      // bit 0 resets the machine
    outb %al, $0x92
1:  call test_a20
    jnc 9f
    call wait_keyboard
    movb $0xd1, %al
    outb %al, $0x64
    call wait_keyboard
    movb $0xdf, %al
    outb %al, $0x60
    call wait_keyboard
    movw $100, %bx
2:  call test_a20
    jnc 9f
    decw %bx
    jnz 2b
    stc
    ret
9:  movl $a20_keep, real_after
    ret

wait_keyboard:
    xorw %cx, %cx
1:  inb $0x64, %al
    testb $2, %al
    loopnz 1b
    ret

// Is address 1 MiB + x another byte than x? Waits a little for slow gates. Out: CF = A20 is shut.
// Clobbers AX, CX.
test_a20:
    pushw %fs
    pushw %gs
    xorw %ax, %ax
    movw %ax, %fs
    notw %ax
    movw %ax, %gs
    movw $1000, %cx
1:  movw %fs:a20_probe, %ax
    notw %ax
    movw %ax, %fs:a20_probe
    outb %al, $0x80      // a moment for the bus
    cmpw %gs:a20_probe + 16, %ax
    jne 2f
    notw %ax
    movw %ax, %fs:a20_probe
    cmpw %gs:a20_probe + 16, %ax
    jne 2f
    loop 1b
    stc
    jmp 3f
2:  clc
3:  popw %gs
    popw %fs
    ret

// A BIOS may shut A20 behind our back; then code above 1 MiB is gone, so this stands in base memory. Clobbers EAX.
    .code32
a20_keep:
    movl a20_probe, %eax
    cmpl a20_probe + 0x100000, %eax
    jne 9f
    inb $0x92, %al
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    notl a20_probe       // so that two words that are the same by chance end this
    jmp a20_keep
9:  ret

    .section .data16, "aw"
    .balign 4
a20_probe:     .long 0x5a5aa5a5
