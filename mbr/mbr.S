// SPDX-License-Identifier: MPL-2.0
// The first sector of a disk: loads the stage of the slot that the installer named first, judges it by its CRC-32 and jumps
// to it; else the other slot's; else gives the machine back to the BIOS (INT 18h) for its next boot device. The
// partition table is not looked at.
//
// In: DL = drive. Out to the stage: DL = drive, SS:SP = 0:STAGE_STACK_TOP, all segments 0; the MBR with its fields
// lies at MBR_BASE.

#include "mbr/layout.h"

    .section .text16, "ax"
    .code16
    .globl mbr
mbr:
    cli
    xorw %ax, %ax
    movw %ax, %ss
    movw $STAGE_STACK_TOP, %sp
    movw %ax, %ds
    movw %ax, %es
    sti
    cld
    movw $0x7c00, %si
    movw $MBR_BASE, %di
    movw $256, %cx
    rep movsw
    ljmp $0, $moved

moved:
    // Quirk: BIOSes are known that hand over no drive at all. The first hard disk, then.
    testb $0x80, %dl
    jnz 1f
    movb $0x80, %dl
1:  pushw %dx
    movb $0x41, %ah           // EDD: is function 42h there?
    movw $0x55aa, %bx
    int $0x13
    popw %dx
    movw $no_edd, %si
    jc give_up
    cmpw $0xaa55, %bx
    jne give_up
    testb $1, %cl
    jz give_up

    movw $entries, %bp
try:
    movl (%bp), %eax
    orl 4(%bp), %eax
    jz next
    // The packet of function 42h: size, count, address, LBA.
    pushl 4(%bp)
    pushl (%bp)
    pushl $STAGE_BASE
    pushw $MBR_STAGE_SECTORS
    pushw $16
    movw %sp, %si
    pushw %dx
    pushw %bp
    movb $0x42, %ah
    int $0x13
    popw %bp
    popw %dx
    leaw 16(%esp), %sp        // leaves CF alone
    cld
    movw $unreadable, %si
    jc say_next

    movl $-1, %ebx
    movw $STAGE_BASE, %si
    movw $MBR_STAGE_SECTORS * 512, %cx
1:  lodsb
    xorb %al, %bl
    movb $8, %ah
2:  shrl $1, %ebx
    jnc 3f
    xorl $0xedb88320, %ebx
3:  decb %ah
    jnz 2b
    loop 1b
    notl %ebx
    cmpl %ebx, MBR_ENTRY_SUM(%bp)
    movw $damaged, %si
    jne say_next
    ljmp $0, $STAGE_BASE

say_next:
    call say
next:
    addw $MBR_ENTRY_SIZE, %bp
    cmpw $entries_end, %bp
    jb try
    movw $no_stage, %si
give_up:
    call say
    movw $go_on, %si
    call say
    int $0x18
1:  hlt
    jmp 1b

// In: SI = text, which is printed behind the MBR's name. Clobbers nothing.
say:
    pushal
    movw $signet, %di
    xchgw %si, %di
    call print                // real/print.S
    movw %di, %si
    call print
    popal
    ret

signet:     .asciz "\r\nSignet MBR: "
no_edd:     .asciz "BIOS has no LBA reads (EDD)"
unreadable: .asciz "slot unreadable"
damaged:    .asciz "slot damaged"
no_stage:   .asciz "no slot left"
go_on:      .asciz "next boot device\r\n"

    .section .fields, "a"
    .long MBR_MAGIC
entries:
    .fill MBR_ENTRY_COUNT * MBR_ENTRY_SIZE, 1, 0
entries_end:
    .word MBR_STAGE_SECTORS
    .word MBR_VERSION
