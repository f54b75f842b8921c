// SPDX-License-Identifier: MPL-2.0
// Where the program is read from: the card's flash, by its expansion ROM base address register (PCI Local Bus Specification 3.0, 6.2.5.2), and
// memory above 1 MiB. DS = CS, as everywhere in the front.

#include "image/romfile.h"

#define MOVE_MAX 0x8000         // bytes for one call of INT 15h, function 87h
#define MOVE_TABLE 48           // its descriptors
#define DATA_SEGMENT 0x93
#define PCI_COMMAND 0x04
#define PCI_ROM 0x30
#define ROM_ADDRESS 0xfffff800
#define READ_WORD 0xb109        // PCI BIOS 2.1, INT 1Ah: BX = place, DI = register
#define READ_DWORD 0xb10a
#define WRITE_WORD 0xb10c
#define WRITE_DWORD 0xb10d

    .section .text16, "ax"
    .code16

// Copies the program from the card's flash to EDI. Out: CF = it cannot be read. DS = CS. Clobbers all.
    .globl from_flash
from_flash:
    movl %edi, %ebp
    movw $READ_WORD, %ax
    movw $PCI_COMMAND, %di
    call pci
    pushw %cx
    movw $READ_DWORD, %ax
    movw $PCI_ROM, %di
    call pci
    pushl %ecx
    movl %ecx, %esi
    andl $ROM_ADDRESS, %esi
    stc
    jz 1f                       // it has no address
    cmpl $ROM_ADDRESS, %esi
    stc
    je 1f                       // nothing answers
    movl %esi, %ecx
    orb $1, %cl                 // decode the address
    movw $WRITE_DWORD, %ax
    call pci
    movw %sp, %bx
    movw %ss:4(%bx), %cx
    orb $2, %cl                 // answer in memory
    movw $WRITE_WORD, %ax
    movw $PCI_COMMAND, %di
    call pci
    addl ROM_AT_OFFSET, %esi
    movl %ebp, %edi
    call move
1:  sbbw %bp, %bp               // keeps CF
    popl %ecx
    movw $WRITE_DWORD, %ax
    movw $PCI_ROM, %di
    call pci
    popw %cx
    movw $WRITE_WORD, %ax
    movw $PCI_COMMAND, %di
    call pci
    addw %bp, %bp
    ret

// INT 1Ah, function AX, on register DI of the card. In and out: ECX. Clobbers EAX, BX, EDX.
pci:
    movw place, %bx
    pushl %esi
    pushw %di
    pushl %ebp
    int $0x1a
    popl %ebp
    popw %di
    popl %esi
    cld
    ret

// Copies the program, ESI to EDI, anywhere in 4 GiB. Out: CF = the BIOS failed. Clobbers all but EBP.
    .globl move
move:
    movl payload_length, %edx
    pushw %ss
    popw %es
    subw $MOVE_TABLE, %sp
1:  movl $MOVE_MAX, %ecx
    cmpl %edx, %ecx
    jbe 2f
    movl %edx, %ecx
2:  clc
    jecxz 3f
    pushl %ecx
    pushl %edi
    movl %edi, %ebx
    movw %sp, %di
    addw $8, %di
    pushw %di
    // INT 15h, function 87h: of its six descriptors the third is the source, the fourth the target.
    xorl %eax, %eax
    movw $(MOVE_TABLE / 4), %cx
    rep stosl
    subw $(MOVE_TABLE - 16), %di
    movl %esi, %eax
    call write_descriptor
    movl %ebx, %eax
    call write_descriptor
    popw %di
    popl %eax                   // target
    popl %ecx
    pushal
    movw %di, %si
    shrw $1, %cx
    movb $0x87, %ah
    int $0x15
    popal
    movl %eax, %edi
    jc 3f
    cld
    addl %ecx, %esi
    addl %ecx, %edi
    subl %ecx, %edx
    jmp 1b
3:  leaw MOVE_TABLE(%esp), %sp  // keeps CF
    ret

// A data segment of 64 KiB at EAX, to ES:DI. Clobbers EAX, ECX, DI.
write_descriptor:
    movl %eax, %ecx
    shll $16, %eax
    movw $0xffff, %ax           // limit; bits 0 to 15 of the base
    stosl
    movl %ecx, %eax
    shrl $16, %eax
    movb $DATA_SEGMENT, %ah     // bits 16 to 23
    andl $0xff000000, %ecx
    orl %ecx, %eax
    stosl
    ret
