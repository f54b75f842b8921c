// SPDX-License-Identifier: MPL-2.0
// What stays in base memory while a network bootstrap program runs: the two entries of the PXE API, the change into Signet's own memory and
// back, and the interrupts that hide that memory. C copies it to a segment of its own and fills in what is named in program.c; the
// program's stack, registers, descriptor tables and control registers come back as they were; interrupts are off in between.
//
// In real mode CS is the segment. In protected mode data is flat, CS has the segment's base, and EBP is that base for writing.

#include "bios/layout.h"
#include "bios/resident.h"
#include "real/selectors.h"

#define AT(x) ((x) - resident_start)
#define SMAP 0x534d4150
#define PXE_PRESENT 0x5650
#define PXE_IS_PRESENT 0x564e
#define PAGING 0x80000000
#define LARGE_PAGES 0x10

    .section .rodata.resident, "a"
    .balign 16
    .globl resident_start
resident_start:
    .globl resident_bang, resident_pxenv, resident_gdt, resident_base, resident_segment, resident_control, resident_e820_count
    .globl resident_memory, resident_old, resident_block, resident_words, resident_frame
resident_gdt: .fill 6, 8, 0
resident_bang: .fill 0x58, 1, 0
resident_pxenv: .fill 0x2c, 1, 0
    .balign 4
gdt_here:
    .word 6 * 8 - 1
resident_base: .long 0      // the segment's address: that of the GDT, too
real_far:
    .word AT(in_real)
resident_segment: .word 0
resident_frame: .long 0, 0  // where the program called from, or is started from: SS:ESP
resident_control:           // as the program has them
their_cr0: .long 0
their_cr3: .long 0
their_cr4: .long 0
their_idt: .word 0x3ff
    .long 0
their_gdt: .word 0
    .long 0
resident_block: .long 0     // the address of the block
resident_words: .long 0     // of Signet, above 1 MiB
resident_esp: .long 0       // Signet's stack
resident_memory: .word 0, 0, 0 // AX and BX of INT 15h, AX = E801h; AX of AH = 88h
resident_e820_count: .word 0
resident_old: .long 0, 0, 0 // interrupts 15h, 1Ah and 18h as they were
probe: .long 0x5a5aa5a5

    .code16
// Far calls of the program. By !PXE: function, offset and segment of the block on the stack; by PXENV+: BX, ES:DI.
    .globl resident_entry_bang, resident_entry_pxenv, resident_returned, resident_int18, resident_int15, resident_int1a, resident_down
    .globl resident_move, resident_home
resident_entry_bang:
    pushfw
    pushal
    movw %sp, %bp
    movw 38(%bp), %bx
    movw 40(%bp), %di
    movw 42(%bp), %dx
    jmp 1f
resident_entry_pxenv:
    pushfw
    pushal
    movw %es, %dx
1:  // BX = function, DX:DI = block
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cli
    movzwl %dx, %edx
    shll $4, %edx
    movzwl %di, %edi
    addl %edi, %edx
    movzwl %bx, %eax
    movl %esp, %cs:AT(resident_frame)
    movw %ss, %cs:AT(resident_frame) + 4
    movl $program_service, %ebx
    jmp up

// INT 18h, by which programs say that nothing came of them; its frame is left where it is.
resident_int18:
    movw $1, %ax
// The program's far return.
resident_returned:
    cli
    movzwl %ax, %eax
    movl $program_switched, %ebx

// In: EBX = where to in Signet, EAX and EDX for there. Comes there with Signet's stack and memory.
up:
    cld
    sgdtl %cs:AT(their_gdt)
    sidtl %cs:AT(their_idt)
    movl %cr0, %ecx
    movl %ecx, %cs:AT(their_cr0)
    lgdtl %cs:AT(gdt_here)
    orb $1, %cl
    movl %ecx, %cr0
    ljmpl $SEL_CODE_RESIDENT, $AT(1f)
    .code32
1:  movl $SEL_DATA32, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %ss
    movl %cs:AT(resident_base), %ebp
2:  movl AT(probe)(%ebp), %ecx
    cmpl %ecx, AT(probe) + 0x100000(%ebp)
    jne 3f
    movl %eax, %esi           // the program has shut A20
    inb $0x92, %al
    orb $2, %al
    andb $0xfe, %al           // bit 0 resets the machine
    outb %al, $0x92
    movl %esi, %eax
    notl AT(probe)(%ebp)      // so that two words that are the same by chance end this
    jmp 2b
3:  movl %cr3, %ecx
    movl %ecx, AT(their_cr3)(%ebp)
    movl %cr4, %ecx
    movl %ecx, AT(their_cr4)(%ebp)
pages:
    movl AT(resident_block)(%ebp), %ecx
    addl $BLOCK_DIRECTORY, %ecx
    movl %ecx, %cr3
    movl $LARGE_PAGES, %ecx   // and nothing of the program's: with its PAE our pages would be none
    movl %ecx, %cr4
    movl %cr0, %ecx
    orl $PAGING, %ecx
    movl %ecx, %cr0
    movl AT(resident_esp)(%ebp), %esp
flat:
    pushl $SEL_CODE32
    pushl %ebx
    lretl

// Back to where the program called from. In: EAX = what AX is to be there, and CF (PXE 2.1, section 3.1.1 of its API).
resident_down:
    movl %cs:AT(resident_base), %ebp
    movl %cr0, %ecx
    andl $~PAGING, %ecx
    movl %ecx, %cr0
    movl AT(their_cr3)(%ebp), %ecx
    movl %ecx, %cr3
    movl AT(their_cr4)(%ebp), %ecx
    movl %ecx, %cr4
    lidtl AT(their_idt)(%ebp)
    movl AT(their_cr0)(%ebp), %ecx
    movl $SEL_DATA16, %edx
    movl %edx, %ds
    movl %edx, %es
    movl %edx, %ss
    ljmp $SEL_CODE16, $AT(1f)
    .code16
1:  lgdtl %cs:AT(their_gdt)
    movl %ecx, %cr0
    ljmpw *%cs:AT(real_far)
in_real:
    lssl %cs:AT(resident_frame), %esp
    movw %sp, %bp
    movw %ax, 36(%bp)         // AX, and CF, as they are popped
    andb $0xfe, 40(%bp)
    orb %al, 40(%bp)
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    popfw
    lretw

    .code32
// Signet into the block, and on from there. In: EBP = base, EBX = where to.
resident_move:
    movl $HIGH_BASE, %esi
    movl AT(resident_block)(%ebp), %edi
    addl %esi, %edi
    movl AT(resident_words)(%ebp), %ecx
    rep movsl
    jmp pages

// The reverse, and base memory, but for what the BIOS keeps there, as Signet left it.
resident_home:
    movl %cr0, %ecx
    andl $~PAGING, %ecx
    movl %ecx, %cr0
    movl %cr4, %ecx
    andb $~LARGE_PAGES, %cl
    movl %ecx, %cr4
    movl AT(resident_block)(%ebp), %edx
    movl $HIGH_BASE, %edi
    leal (%edx,%edi), %esi
    movl AT(resident_words)(%ebp), %ecx
    rep movsl
    movl %edx, %esi
    xorl %edi, %edi
    movl $VECTORS_SIZE / 4, %ecx
    rep movsl
    movl $BIOS_DATA_END, %edi
    leal (%edx,%edi), %esi
    movl $(BASE_END - BIOS_DATA_END) / 4, %ecx
    rep movsl
    movl AT(resident_esp)(%ebp), %esp
    lgdtl gdt_pointer         // real/mode.S is there again
    jmp flat

    .code16
// PXE's presence (PXE 2.1, 3.3.1).
resident_int1a:
    cmpw $PXE_PRESENT, %ax
    jne 1f
    movw $PXE_IS_PRESENT, %ax
    pushw %cs
    popw %es
    movw $AT(resident_pxenv), %bx
    jmp success
1:  ljmpw *%cs:AT(resident_old) + 4

// Memory, without what Signet keeps (ACPI 6.4, 15.1; E801h and 88h are older than any specification).
resident_int15:
    cmpw $0xe801, %ax
    je 2f
    cmpb $0x88, %ah
    je 3f
    cmpw $0xe820, %ax
    jne 1f
    cmpl $SMAP, %edx
    je 4f
1:  ljmpw *%cs:AT(resident_old)
2:  movw %cs:AT(resident_memory), %ax
    movw %cs:AT(resident_memory) + 2, %bx
    movw %ax, %cx
    movw %bx, %dx
    jmp success
3:  movw %cs:AT(resident_memory) + 4, %ax
    jmp success
4:  cmpw %cs:AT(resident_e820_count), %bx
    jae failure
    pushw %si
    pushw %di
    imulw $20, %bx, %si
    addw $RESIDENT_E820, %si
    movl $10, %ecx
    cld
    rep movsw %cs:(%si), %es:(%di)
    popw %di
    popw %si
    incw %bx
    cmpw %cs:AT(resident_e820_count), %bx
    jb 5f
    xorl %ebx, %ebx           // that was the last one
5:  movl %edx, %eax
    movl $20, %ecx
success:
    pushw %bp
    movw %sp, %bp
    andb $0xfe, 6(%bp)        // CF of the caller
    popw %bp
    iretw
failure:
    pushw %bp
    movw %sp, %bp
    orb $1, 6(%bp)
    popw %bp
    movb $0x86, %ah
    iretw
    .globl resident_end
resident_end:

    .section .text.program, "ax"
    .code32
// uint32_t program_switch(uint32_t base, uint32_t where): goes on in the segment at `base`, at that offset; comes back when Signet is
// called from there, with the same stack.
    .globl program_switch
program_switch:
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl %ebp
    sidtl own_idt
    movl 20(%esp), %ebp
    movl 24(%esp), %edx
    movl %esp, AT(resident_esp)(%ebp)
    lgdtl AT(gdt_here)(%ebp)
    movl $program_switched, %ebx
    xorl %eax, %eax
    pushl $SEL_CODE_RESIDENT
    pushl %edx
    lretl
program_switched:
    lidtl own_idt
    popl %ebp
    popl %edi
    popl %esi
    popl %ebx
    ret

// A call of the program's: EAX = function, EDX = block.
program_service:
    lidtl own_idt
    pushl %edx
    pushl %eax
    call program_call
    addl $8, %esp
    ljmp $SEL_CODE_RESIDENT, $AT(resident_down)

    .section .bss.program, "aw", @nobits
    .balign 4
own_idt: .fill 6, 1, 0
