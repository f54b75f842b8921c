// SPDX-License-Identifier: MPL-2.0
// From an entry up into protected mode: see that there is memory, open A20, unpack the protected-mode part to where it runs and
// call bios_main. Runs on the ROM's stack in real mode, since the base memory that our own stack will use still holds the file.

#include "bios/layout.h"
#include "bios/packed.h"

    .section .text16, "ax"
    .code16

// In: DS = 0, interrupts on, rom_stack set (bios/handed.h): the registers as nbp.S pushes them, for `leave_to_rom`.
    .globl rise
rise:
    call check_processor
    jc fail
    call check_base_memory
    jc fail
    call check_high_memory
    jc fail
    call a20_open
    movw $message_a20, %si
    jc fail

    call to_protected
    .code32
    movl $high_stack_top, %esp
    cld
    call find_packed
    jne damaged
    movl low_end + PACKED_UNPACKER, %ecx
    movl $low_end + PACKED_HEAD_SIZE, %esi
    movl $UNPACKER_BASE, %edi
    rep movsb
    // bios/unpacker, from here to the end of the bare file.
    pushl $high_size
    pushl $HIGH_BASE
    pushl %ebx
    pushl %esi
    movl $UNPACKER_BASE, %eax
    call *%eax
    addl $16, %esp
    testl %eax, %eax
    jnz damaged
    movl $high_end, %edi
    movl $bss_words, %ecx
    rep stosl
    movl embed_slot + 36, %eax     // SLOT_FLAGS
    movl %eax, embed_flags
    // The embedded blob follows the file's own bytes; core/main.c judges it.
    movl embed_slot + 20, %esi
    movl embed_slot + 24, %ecx
    cmpl embed_slot + 32, %esi
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

// Is what is packed as it was built? Out: ZF = yes, EBX = its end. Clobbers EAX, ECX, EDX, ESI.
find_packed:
    movl $low_end, %esi
    movl embed_slot + 32, %ebx     // SLOT_BASE: size of the bare file
    addl $file_base, %ebx
    movl %ebx, %ecx
    subl %esi, %ecx
    cmpl %ecx, PACKED_LENGTH(%esi)
    jne 9f
    addl $PACKED_SUMMED, %esi
    subl $PACKED_SUMMED, %ecx
    orl $-1, %edx                  // CRC-32, a bit at a time
1:  lodsb
    xorb %al, %dl
    movb $8, %ah
2:  shrl $1, %edx
    jnc 3f
    xorl $0xedb88320, %edx
3:  decb %ah
    jnz 2b
    decl %ecx
    jnz 1b
    notl %edx
    cmpl low_end + PACKED_SUM, %edx
9:  ret

// The sum is wrong, or it does not unpack. Our stack for real mode may lie on the file now.
damaged:
    movl $REAL_STACK_TOP, %esp
    call to_real
    .code16
    sti
    movw $message_damaged, %si
    jmp fail

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
    addl embed_slot + 32, %ecx
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

// All of [HIGH_BASE, own_end) must be usable memory by E820, or by function 88h where there is no E820.
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
    cmpl $own_end, %eax
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
    cmpl $own_end, %eax
    jae 9f
4:  movw $message_high, %si
    stc
    ret
9:  clc
    ret

    .section .data16, "aw"
    .balign 4
e820_entry:    .fill 20, 1, 0
e820_seen:     .byte 0

message_prefix: .asciz "\r\nSignet: "
message_cpu:    .asciz "this processor is older than a Pentium Pro"
message_base:   .asciz "not enough base memory"
message_high:   .asciz "not enough usable memory above 1 MiB"
message_damaged: .asciz "this file is damaged: copy it anew"
message_a20:    .asciz "address line A20 stays shut"
message_next:   .asciz "; trying the next boot device.\r\n"
