// SPDX-License-Identifier: MPL-2.0
// Signet on a network card: what a BIOS copies into upper memory. It runs in real mode at any segment, which is CS. At power-on `init` makes the
// card an entry of the boot menu (BIOS Boot Specification 1.01, section 3.3: BEV) and copies the program above 1 MiB, where there is a memory
// manager (PMM 1.01). When the entry is chosen, `boot` copies the program to where a PXE ROM would load it, and enters it there.

#include "bios/layout.h"
#include "image/romfile.h"

#define STACK_TOP 0x7be0        // of `boot`; above it lie the hand-off and, from 7C00 on, the program
#define HANDOFF 0x7bf0
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
#define PMM_FIRST 0xe000        // segment where the search for it begins
#define PMM_ALLOCATE 0
#define PMM_EXTENDED 2          // flags: above 1 MiB
#define IPL_ATTACHED 0x20       // what `init` says in AX: a device that boots

    .section .text16.start, "ax"
    .code16
    .globl rom_start
rom_start:
    .byte 0x55, 0xaa
    .byte rom_units
    jmp init
    .org ROM_AT_PCI
    .word pci_data
    .word pnp_header
    .org ROM_AT_MAGIC
    .asciz ROM_MAGIC
    // config/targets/rom fills in what is zero here.
    .org ROM_AT_OFFSET
    .long 0, 0
payload_length: .long 0
payload_sum:    .long 0
sources:        .byte ROM_FROM_PMM | ROM_FROM_FLASH
    .org ROM_AT_DEVICES
    .word device_list
    .word card_kind

    .balign 4
pci_data:
    .ascii "PCIR"
    .word 0, 0                  // vendor, device
    .word device_list - pci_data
    .word pci_data_end - pci_data
    .byte 3                     // revision
    .byte 0, 0, 2               // an Ethernet card
    .word 0                     // length to the next image
    .word 0x100
    .byte 0, 0                  // for BIOS; not the last image
    .word rom_units             // what is left of it when `init` is done
    .word 0, 0
pci_data_end:
device_list:
    .fill ROM_DEVICES + 1, 2, 0

    .balign 16
pnp_header:
    .ascii "$PnP"
    .byte 1, 2                  // revision, length in units of 16
    .word 0
    .byte 0
pnp_sum:
    .byte 0
    .long 0
    .word manufacturer
    .word product
    .byte 2, 0, 0               // a network card, Ethernet
    .byte 0x64                  // may be shadowed and cached, boots
    .word 0, 0
    .word boot
    .word 0, 0
pnp_end:

// What the boot menu calls the card.
manufacturer: .asciz "Signet"
product:      .ascii "Signet: "
card_kind:    .fill ROM_KIND_SIZE, 1, ' '
card_place:   .asciz " 00:00.0"

    .balign 4
place:        .word 0           // bus, device and function; `init` fills it in
copy:         .long 0           // the program above 1 MiB; 0: none

message_line:  .asciz "\r\n"
message_menu:  .asciz "Signet: this BIOS asks no card for something to boot (no Plug and Play)\r\n"
message_colon: .asciz ": "
message_base:  .asciz "not enough base memory"
message_flash: .asciz "the program cannot be read from the card's flash"
message_next:  .asciz "; trying the next boot device.\r\n"

    .section .text16, "ax"
    .code16

// In: AX = place of the card, ES:DI = the BIOS's $PnP structure. Out: AX = IPL_ATTACHED, or 0 where the BIOS would not find us.
init:
    pushal
    pushw %ds
    pushw %es
    cld
    pushw %cs
    popw %ds
    movw %ax, place
    movw $message_menu, %si
    xorw %bp, %bp
    cmpl $0x506e5024, %es:(%di) // "$PnP"
    jne 2f
    call write_place
    movw $product, %si
    call print
    testb $ROM_FROM_PMM, sources
    jz 1f
    call copy_up
1:  movw $pnp_header, %si
    movw $(pnp_end - pnp_header), %cx
    movw $pnp_sum, %di
    call sum_bytes
    xorw %si, %si
    movw $rom_bytes, %cx
    movw $rom_sum, %di
    call sum_bytes
    movw $IPL_ATTACHED, %bp
    movw $message_line, %si
2:  call print
    movw %bp, %ax
    popw %es
    popw %ds
    movw %sp, %bp
    movw %ax, 28(%bp)           // AX as pushal keeps it
    popal
    lretw

// Makes CX bytes at SI add up to 0 by the one at DI. Clobbers AX, CX, SI.
sum_bytes:
    movb $0, (%di)
    xorb %ah, %ah
1:  lodsb
    subb %al, %ah
    loop 1b
    movb %ah, (%di)
    ret

// The card's place into its name. Clobbers AX, BX, DI.
write_place:
    movw place, %bx
    movw $card_place + 1, %di
    movb %bh, %al
    call write_byte
    incw %di
    movb %bl, %al
    shrb $3, %al
    call write_byte
    incw %di
    movb %bl, %al
    andb $7, %al
    jmp write_digit
write_byte:
    movb %al, %ah
    shrb $4, %al
    call write_digit
    movb %ah, %al
    andb $15, %al
write_digit:
    addb $'0', %al
    cmpb $'9', %al
    jbe 1f
    addb $('a' - '9' - 1), %al
1:  movb %al, (%di)
    incw %di
    ret

// The boot menu's entry. Called far; what it cannot do ends by INT 18h, the next boot device, as when Signet comes back.
boot:
    cli
    xorw %ax, %ax
    movw %ax, %ss
    movw $STACK_TOP, %sp
    sti
    cld
    pushw %cs
    popw %ds
    int $0x12
    movzwl %ax, %eax
    shll $10, %eax
    subl $LOAD_BASE, %eax
    movw $message_base, %si
    cmpl payload_length, %eax
    jb 3f
    movl $LOAD_BASE, %edi
    movl copy, %esi
    testl %esi, %esi
    jz 1f
    call move
    jc 1f
    call check
    je 2f
1:  movl $LOAD_BASE, %edi
    testb $ROM_FROM_FLASH, sources
    movw $message_flash, %si
    jz 3f
    call from_flash
    movw $message_flash, %si
    jc 3f
    call check
    movw $message_flash, %si
    jne 3f
2:  movl $ROM_HANDOFF_SIZE, %ss:HANDOFF
    movzwl place, %eax
    movl %eax, %ss:HANDOFF + 4
    movl $HANDOFF, %esi
    movl $ROM_HANDOFF_MAGIC, %eax
    movl %eax, %ecx
    notl %ecx
    xorw %bx, %bx
    movw %bx, %es               // no PXENV+
    pushl $0                    // no !PXE
    lcall $0, $LOAD_BASE
    int $0x18
3:  pushw %si
    movw $product, %si
    call print
    movw $message_colon, %si
    call print
    popw %si
    call print
    movw $message_next, %si
    call print
    int $0x18
4:  hlt
    jmp 4b

// Is what lies at LOAD_BASE the program? Out: ZF = yes. Clobbers EAX, ECX, DX, ES.
check:
    movl payload_length, %ecx
    shrl $4, %ecx
    xorl %eax, %eax
    movw $(LOAD_BASE >> 4), %dx
1:  movw %dx, %es
    addl %es:0, %eax
    addl %es:4, %eax
    addl %es:8, %eax
    addl %es:12, %eax
    incw %dx
    decl %ecx
    jnz 1b
    cmpl payload_sum, %eax
    ret

// Copies the program to memory of the BIOS's memory manager (PMM 1.01, section 3). `copy` stays 0 where that cannot be done. Clobbers all.
copy_up:
    movw $PMM_FIRST, %ax
1:  movw %ax, %es
    cmpl $0x4d4d5024, %es:0     // "$PMM"
    jne 3f
    movzbw %es:5, %cx           // its length; the bytes add up to 0
    xorw %si, %si
    xorb %bl, %bl
    jcxz 3f
2:  addb %es:(%si), %bl
    incw %si
    loop 2b
    testb %bl, %bl
    jz 4f
3:  incw %ax
    jnz 1b
    ret
4:  pushw $PMM_EXTENDED
    pushl $-1                   // a block without a name
    movl payload_length, %eax
    shrl $4, %eax
    pushl %eax
    pushw $PMM_ALLOCATE
    lcallw *%es:7
    addw $12, %sp
    cld
    movzwl %ax, %edi
    shll $16, %edx
    orl %edx, %edi
    cmpl $HIGH_BASE, %edi
    jb 5f
    pushl %edi
    call from_flash
    popl %edi
    jc 5f
    movl %edi, copy
5:  ret

// Copies the program from the card's flash to EDI. Out: CF = it cannot be read. DS = CS. Clobbers all.
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
