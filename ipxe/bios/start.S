// SPDX-License-Identifier: MPL-2.0
// From an entry up into protected mode: see that there is memory, open A20, move the protected-mode part up and call
// bios_main. Runs on the ROM's stack until the copy is done, since the base memory that our own stacks will use still holds
// the file.

#include "bios/layout.h"

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
    movl $high_load, %esi
    movl $HIGH_BASE, %edi
    movl $high_words, %ecx
    rep movsl
    movl $bss_words, %ecx
    xorl %eax, %eax
    rep stosl
    // The embedded blob follows the file's own bytes; core/main.c judges it.
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

    .code16
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

    .section .data16, "aw"
    .balign 4
e820_entry:    .fill 20, 1, 0
e820_seen:     .byte 0

message_prefix: .asciz "\r\nSignet: "
message_cpu:    .asciz "this processor is older than a Pentium Pro"
message_base:   .asciz "not enough base memory"
message_high:   .asciz "not enough usable memory above 1 MiB"
message_a20:    .asciz "address line A20 stays shut"
message_next:   .asciz "; trying the next boot device.\r\n"
