// SPDX-License-Identifier: MPL-2.0
// The stage's 16-bit half: in from the MBR, up into protected mode for stage_main, down again for disk and screen, and on
// to Signet. Everything lies below 64 KiB, so all segments are 0 in real mode and A20 does not matter.

#include "layout.h"

#define SEL_CODE16 0x08
#define SEL_CODE32 0x10
#define SEL_DATA32 0x18
#define SEL_DATA16 0x20

    .section .start, "ax"
    .code16
// In: DL = drive; SS:SP = 0:STAGE_STACK_TOP.
    .globl stage
stage:
    jmp 1f
    .balign 4
    .ascii "SIGNET-STAGE-01" // for people and tools that look at a disk
    .byte 0
1:  movb %dl, stage_drive
    cld
    // Variables start as zeros.
    xorl %eax, %eax
    movw $bss_start, %di
    movw $bss_words, %cx
    rep stosl
    call to_protected
    .code32
    call stage_main
    // Signet returned, or there is none: the BIOS's next boot device.
    call to_real
    .code16
    sti
    int $0x18
1:  hlt
    jmp 1b

// Near calls that come back in the other mode, with the same stack. Clobber EAX.
to_protected:
    cli
    popw %ax
    movzwl %ax, %eax
    movw %ax, return_to
    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $SEL_CODE32, $1f
    .code32
1:  movw $SEL_DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movzwl %sp, %esp
    movzwl return_to, %eax
    jmp *%eax

to_real:
    popl %eax
    movw %ax, return_to
    ljmp $SEL_CODE16, $1f
    .code16
1:  movw $SEL_DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    lidtl real_idt
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

// bool stage_disk(uint32_t function): INT 13h, AH = function (42h read, 43h write), packet in stage_packet.
    .code32
    .globl stage_disk
stage_disk:
    pushal
    movl 36(%esp), %ebx
    call to_real
    .code16
    movb %bl, %ah
    xorb %al, %al             // writes: do not verify
    movb stage_drive, %dl
    movw $stage_packet, %si
    sti
    int $0x13
    cld
    pushw $0
    popw %ds
    sbbb %al, %al
    incb %al
    movb %al, disk_ok
    call to_protected
    .code32
    popal
    movzbl disk_ok, %eax
    ret

// void stage_print(const char *text)
    .globl stage_print
stage_print:
    pushal
    movl 36(%esp), %esi
    call to_real
    .code16
    sti
1:  lodsb
    testb %al, %al
    jz 2f
    pushw %si
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    popw %si
    jmp 1b
2:  call to_protected
    .code32
    popal
    ret

// void stage_enter(struct bootslot_handoff *): Signet at SIGNET_BASE. It may come back.
    .globl stage_enter
stage_enter:
    pushal
    movl 36(%esp), %ebp
    call to_real
    .code16
    movl %ebp, %esi
    movl $0x46484753, %eax    // BOOTSLOT_HANDOFF_MAGIC
    movl %eax, %ecx
    notl %ecx
    xorw %bx, %bx
    movb stage_drive, %dl
    pushl $0                  // no !PXE structure
    sti
    lcall $0, $SIGNET_BASE
    addw $4, %sp
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    call to_protected
    .code32
    popal
    ret

    .section .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00009b000000ffff  // SEL_CODE16
    .quad 0x00cf9b000000ffff  // SEL_CODE32: flat
    .quad 0x00cf93000000ffff  // SEL_DATA32: flat
    .quad 0x000093000000ffff  // SEL_DATA16
gdt_end:
    .word 0
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .word 0
real_idt:
    .word 0x3ff
    .long 0
return_to: .word 0
    .globl stage_drive
stage_drive: .byte 0
disk_ok:     .byte 0
