// SPDX-License-Identifier: MPL-2.0
// Signet on a network card: what a BIOS copies into upper memory. It runs in real mode at any segment, which is CS. At power-on `init` makes the
// card an entry of the boot menu (BIOS Boot Specification 1.01, section 3.3: BEV) and copies the program above 1 MiB, where there is a memory
// manager (PMM 1.01). When the entry is chosen, `boot` copies the program to where a PXE ROM would load it, and enters it there.

#include "bios/layout.h"
#include "image/romfile.h"

#define STACK_TOP 0x7be0        // of `boot`; above it lie the hand-off and, from 7C00 on, the program
#define HANDOFF 0x7bf0
#define TABLES_FIRST 0xe000     // segment where the BIOS's structures are looked for
#define PMM_SIGNATURE 0x4d4d5024
#define PNP_SIGNATURE 0x506e5024
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
    .globl payload_length
payload_length: .long 0
payload_sum:    .long 0
sources:        .byte ROM_FROM_PMM | ROM_FROM_FLASH
    .org ROM_AT_KIND
    .word card_kind

    .balign 4
// Revision 0, of PCI 2.x: one of 3 would promise that `init` moves itself to the segment in BX, which only such a BIOS sets.
pci_data:
    .ascii "PCIR"
    .word 0, 0                  // vendor, device
    .word 0
    .word pci_data_end - pci_data
    .byte 0
    .byte 0, 0, 2               // an Ethernet card
    .word rom_units             // to the next image, and all that a BIOS may take
    .word 0x100
    .byte 0, 0                  // for BIOS; not the last image
    .word 0
pci_data_end:

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
    .globl place
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
    xorw %bp, %bp
    cmpl $PNP_SIGNATURE, %es:(%di)
    je 3f
    movl $PNP_SIGNATURE, %edx   // there are BIOSes that hand over no address
    call find_table
    movw $message_menu, %si
    jne 2f
3:  call write_place
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

// A structure of the BIOS's with signature EDX, its length at 5, and bytes that add up to 0. Out: ZF = found, in ES:0. Clobbers AX, BL, CX, SI.
find_table:
    movw $TABLES_FIRST, %ax
1:  movw %ax, %es
    cmpl %edx, %es:0
    jne 3f
    movzbw %es:5, %cx
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
    incw %ax                    // ZF = 0
4:  ret

// Copies the program to memory of the BIOS's memory manager (PMM 1.01, section 3). `copy` stays 0 where that cannot be done. Clobbers all.
copy_up:
    movl $PMM_SIGNATURE, %edx
    call find_table
    jne 5f
    pushw $PMM_EXTENDED
    pushl $-1                   // a block without a name
    movl payload_length, %eax
    addl $0xfff, %eax           // whole pages: there are BIOSes that give no parts of one
    shrl $12, %eax
    shll $8, %eax
    pushl %eax                  // in paragraphs
    pushw $PMM_ALLOCATE
    lcallw *%es:7
    addw $12, %sp
    cld
    movzwl %ax, %edi
    shll $16, %edx
    orl %edx, %edi
    cmpl $HIGH_BASE, %edi       // 0: no room
    jb 5f
    movl %edi, %eax
    addl payload_length, %eax   // all ones: no such function
    jc 5f
    pushl %edi
    call from_flash
    popl %edi
    jc 5f
    movl %edi, copy
5:  ret
