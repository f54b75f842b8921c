// SPDX-License-Identifier: MPL-2.0
// Where a PXE ROM enters: save its world, see that there is memory, open A20, move the protected-mode part
// up and call bios_main. Runs on the ROM's stack until the copy is done, since the base memory that our own
// stacks will use still holds the file.

#include "bios/layout.h"

    .section .text16.start, "ax"
    .code16

// In: CS:IP = 0000:7C00 or 07C0:0000; ES:BX = PXENV+ (PXE 1.x); SS:SP = far return address into the ROM, then
// a far pointer to !PXE (PXE 2.1). Out to the ROM through `leave_to_rom` with AX = 0.
    .globl start
start:
    ljmp $0, $start16

// image/embed.h: the slot that `signet embed` fills in. Its offset in the file is a multiple of 16.
    .balign 16
    .globl embed_slot
embed_slot:
    .asciz "SIGNET-EMBED-01"
    .long 1            // SLOT_KIND = EMBED_NBP
    .long 0            // SLOT_OFFSET
    .long 0            // SLOT_LENGTH
    .long FILE_MAX     // SLOT_CAPACITY
    .long file_size    // SLOT_BASE
    .fill 28, 1, 0

start16:
    pushfw
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ss, rom_stack + 2
    movw %sp, rom_stack
    movw %bx, entry_pxenv
    movw %es, entry_pxenv + 2
    // 42 bytes were pushed above, then 4 of the return address.
    movw %sp, %bp
    movl 46(%bp), %eax
    movl %eax, entry_pxe
    sti

    call check_processor
    jc fail
    call check_base_memory
    jc fail
    call check_high_memory
    jc fail
    call open_a20
    jc fail

    cli
    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $SEL_CODE32, $start32

// In: SI = message. Prints it and gives the machine back to the ROM.
fail:
    movw $message_prefix, %bx
    xchgw %bx, %si
    call print
    movw %bx, %si
    call print
    movw $message_next, %si
    call print
    cli
    xorw %ax, %ax
    jmp rom_return

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

// The C code is compiled for an i686 (Pentium Pro): CPUID, and CMOV (leaf 1, EDX bit 15).
// Out: CF and SI = message when it is older. Clobbers EAX, EBX, ECX, EDX.
check_processor:
    pushfl
    popl %eax
    movl %eax, %ecx
    xorl $0x200000, %eax           // EFLAGS.ID can be changed where there is CPUID
    pushl %eax
    popfl
    pushfl
    popl %eax
    xorl %ecx, %eax
    testl $0x200000, %eax
    jz 1f
    movl $1, %eax
    cpuid
    testl $0x8000, %edx
    jz 1f
    clc
    ret
1:  movw $message_cpu, %si
    stc
    ret

// The base memory that INT 12h calls free must hold both the file as it was loaded and the map of layout.h.
// Out: CF and SI = message when there is less. Clobbers EAX, ECX, EDX.
check_base_memory:
    int $0x12
    movw %ax, base_kib
    movzwl %ax, %eax
    shll $10, %eax
    movl $file_base, %ecx
    addl $file_size, %ecx
    movl embed_slot + 24, %edx
    cmpl $FILE_MAX, %edx
    ja 1f
    addl %edx, %ecx
1:  cmpl $BASE_END, %ecx
    jae 2f
    movl $BASE_END, %ecx
2:  movw $message_base, %si
    cmpl %ecx, %eax
    ret

// All of [HIGH_BASE, heap_end) must be usable memory by E820, or by function 88h where there is no E820.
// Out: CF and SI = message when it is not. Clobbers EAX, EBX, ECX, EDX, DI, ES.
check_high_memory:
    xorw %ax, %ax
    movw %ax, %es
    xorl %ebx, %ebx
1:  movl $0xe820, %eax
    movl $0x534d4150, %edx
    movl $20, %ecx
    movw $e820_entry, %di
    int $0x15
    jc 3f
    cmpl $0x534d4150, %eax
    jne 3f
    cmpl $1, e820_entry + 16
    jne 2f
    cmpl $0, e820_entry + 4
    jne 2f
    movl e820_entry, %eax
    cmpl $HIGH_BASE, %eax
    ja 2f
    cmpl $0, e820_entry + 12
    jne 9f
    addl e820_entry + 8, %eax
    jc 9f
    cmpl $heap_end, %eax
    jae 9f
2:  movb $1, e820_seen
    testl %ebx, %ebx
    jnz 1b
3:  cmpb $0, e820_seen
    jne 4f
    movb $0x88, %ah
    clc
    int $0x15
    jc 4f
    movzwl %ax, %eax
    shll $10, %eax
    addl $HIGH_BASE, %eax
    cmpl $heap_end, %eax
    jae 9f
4:  movw $message_high, %si
    stc
    ret
9:  clc
    ret

// Opens A20 by the gentlest way that works: the BIOS, port 92h, the keyboard controller.
// Out: CF and SI = message when it stays shut. Clobbers AX, BX, CX.
open_a20:
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
    movw $message_a20, %si
    stc
9:  ret

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

    .code32
start32:
    movw $SEL_DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $high_stack_top, %esp
    cld
    movl $high_load, %esi
    movl $HIGH_BASE, %edi
    movl $high_words, %ecx
    rep movsl
    movl $bss_words, %ecx
    xorl %eax, %eax
    rep stosl
    // The embedded blob follows the file's own bytes; bios/main.c judges its place and size.
    movl embed_slot + 20, %esi
    movl embed_slot + 24, %ecx
    cmpl $file_size, %esi
    jne 1f
    cmpl $embed_area_size, %ecx
    ja 1f
    movl %ecx, embed_length
    addl $file_base, %esi
    movl $embed_area, %edi
    rep movsb
1:  // From here on base memory behind the 16-bit part is ours.
    movl $LOW_END, %edi
    movl $(REAL_STACK_TOP - LOW_END) / 4, %ecx
    xorl %eax, %eax
    rep stosl
    call bios_main
    jmp leave_to_rom

    .section .data16, "aw"
    .balign 4
    .globl entry_pxe, entry_pxenv, base_kib, rom_stack, gdt_pointer, a20_probe
entry_pxe:     .long 0    // far pointer from the stack
entry_pxenv:   .long 0    // ES:BX
rom_stack:     .long 0    // far pointer
a20_probe:     .long 0x5a5aa5a5
base_kib:      .word 0
e820_seen:     .byte 0
    .balign 4
e820_entry:    .fill 20, 1, 0

    .balign 8
gdt:
    .quad 0
    .quad 0x00009b000000ffff  // SEL_CODE16: base 0, 64 KiB
    .quad 0x00cf9b000000ffff  // SEL_CODE32: flat
    .quad 0x00cf93000000ffff  // SEL_DATA32: flat
    .quad 0x000093000000ffff  // SEL_DATA16: base 0, 64 KiB
gdt_end:
    .word 0
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

message_prefix: .asciz "\r\nSignet: "
message_cpu:    .asciz "this processor is older than a Pentium Pro"
message_base:   .asciz "not enough base memory"
message_high:   .asciz "not enough usable memory above 1 MiB"
message_a20:    .asciz "address line A20 stays shut"
message_next:   .asciz "; trying the next boot device.\r\n"
