// SPDX-License-Identifier: MPL-2.0
// Receiving through UNDI: the loop that collects frames in real mode, so that one change of mode serves up to
// RX_SLOTS frames, the interrupt handler of the network card, and the halt that it ends.

#include "bios/layout.h"

#define PXENV_UNDI_ISR 0x14

// t_PXENV_UNDI_ISR: offsets, and the values of FuncFlag going in and coming out.
#define ISR_STATUS 0
#define ISR_FLAG 2
#define ISR_BUFFER_LENGTH 4
#define ISR_FRAME_LENGTH 6
#define ISR_HEADER_LENGTH 8
#define ISR_FRAME 10
#define IN_START 1
#define IN_PROCESS 2
#define IN_GET_NEXT 3
#define OUT_OURS 0
#define OUT_DONE 0
#define OUT_TRANSMIT 2
#define OUT_RECEIVE 3

#define RX_USE_IRQ 1    // look only when the interrupt handler has seen something
#define RX_ALWAYS 2     // PROCESS even when START says that the interrupt is not the card's

    .section .text16, "ax"
    .code16

// Collects frames until the ROM has no more or the ring is full.
// In: rx_mode; rx_count = slots of the ring that are taken already. Out: rx_count; rx_chain = 1 when the ROM
// has more. Clobbers all.
    .globl real_receive
real_receive:
    sti
    nop                             // an interrupt that came in protected mode is delivered here
    nop
    cmpw $RX_SLOTS, rx_count
    jae 9f
    cmpb $0, rx_chain
    movw $IN_GET_NEXT, %ax
    jne 3f
1:  testb $RX_USE_IRQ, rx_mode
    jz 2f
    cmpb $0, irq_seen
    je 9f
    movb $0, irq_seen
    movw $IN_PROCESS, %ax
    jmp 3f
2:  movw $IN_START, %ax
    incl rx_starts
    movw $PXE_ISR_PARAM, %di
    call isr_call
    movw PXE_ISR_PARAM + ISR_FLAG, %ax
    cmpw $OUT_OURS, %ax
    sete rx_ours
    movw $IN_PROCESS, %ax
    je 3f
    testb $RX_ALWAYS, rx_mode
    jz 9f
3:  incl rx_calls
    movw $PXE_ISR_PARAM, %di
    call isr_call
    testw %ax, %ax
    jnz 5f
    movw PXE_ISR_PARAM + ISR_FLAG, %ax
    cmpw $OUT_TRANSMIT, %ax
    je 4f
    cmpw $OUT_RECEIVE, %ax
    jne 5f
    call take_frame
    movb $1, rx_chain
    cmpw $RX_SLOTS, rx_count
    jae 9f
4:  movw $IN_GET_NEXT, %ax
    jmp 3b
5:  movb $0, rx_chain
    movw $0, rx_fill
    testb $RX_USE_IRQ, rx_mode      // one more may have come while these were taken
    jz 9f
    cmpb $0, irq_seen
    jne 1b
9:  ret

// In: AX = FuncFlag, DI = parameter block. Out: AX = the ROM's return value.
isr_call:
    pushw %di
    pushw %ax
    xorw %ax, %ax
    movw %ax, %es
    movw $9, %cx
    rep stosw
    popw %ax
    popw %di
    movw %ax, ISR_FLAG(%di)
    movw $PXENV_UNDI_ISR, %bx
    jmp pxe_api

// Copies what the ROM shows into the slot rx_count. A frame may come in pieces: FrameLength is that of the whole,
// BufferLength that of this piece. A frame that is too long for its slot is dropped.
// In: PXE_ISR_PARAM. Clobbers all but SP.
take_frame:
    movw PXE_ISR_PARAM + ISR_BUFFER_LENGTH, %cx
    cmpw $0, rx_fill
    jne 1f
    movw PXE_ISR_PARAM + ISR_FRAME_LENGTH, %ax
    cmpw %cx, %ax                   // quirk: a ROM that leaves FrameLength 0
    jae 2f
    movw %cx, %ax
2:  movw %ax, rx_total
1:  movw rx_total, %bx
    subw rx_fill, %bx               // what is still missing
    cmpw %bx, %cx
    jbe 3f
    movw %bx, %cx
3:  cmpw $RX_FRAME_ROOM, rx_total
    ja 4f
    movw rx_count, %di
    shlw $RX_SLOT_SHIFT, %di
    addw $RX_FRAME_OFFSET, %di
    addw rx_fill, %di
    pushw %ds
    pushw %cx
    pushw $RX_RING >> 4
    popw %es
    ldsw PXE_ISR_PARAM + ISR_FRAME, %si
    movw %cx, %dx
    shrw $2, %cx
    rep movsl
    movw %dx, %cx
    andw $3, %cx
    rep movsb
    popw %cx
    popw %ds
4:  addw %cx, rx_fill
    testw %cx, %cx                  // an empty piece ends the frame, or this would never end
    jz 5f
    movw rx_fill, %ax
    cmpw rx_total, %ax
    jb 9f
5:  movw rx_fill, %ax
    movw $0, rx_fill
    testw %ax, %ax
    jz 9f
    cmpw $RX_FRAME_ROOM, %ax
    ja 9f
    movw rx_count, %di
    shlw $RX_SLOT_SHIFT, %di
    pushw $RX_RING >> 4
    popw %es
    movw %ax, %es:(%di)
    incw rx_count
9:  ret

// The card's interrupt. Asks the ROM whether it is the card's; if so notes it and ends it at the PIC, otherwise hands
// on to who was there before. Runs on a stack of its own, since it may cut into any ROM or BIOS code.
    .globl irq_entry
irq_entry:
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    xorw %ax, %ax
    movw %ax, %ds
    cmpb $0, irq_busy               // the ROM let itself be interrupted: one look is under way
    jne 2f
    movb $1, irq_busy
    movw %ss, irq_stack + 2
    movw %sp, irq_stack
    movw %ax, %ss
    movw $IRQ_STACK_TOP, %sp
    cld
    incl irq_count
    movw $IN_START, %ax
    movw $PXE_IRQ_PARAM, %di
    call isr_call
    cli
    lssw irq_stack, %sp
    movb $0, irq_busy
    cmpw $OUT_OURS, PXE_IRQ_PARAM + ISR_FLAG
    jne 2f
    incl irq_ours
    movb $1, irq_seen
    movb $0x20, %al
    cmpb $8, irq_line
    jb 1f
    outb %al, $0xa0
1:  outb %al, $0x20
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    iretw
2:  popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    ljmpw *%cs:irq_old

// `hlt` until the next interrupt: timer, keyboard or card. Not when the card's has come already; `sti` lets the
// next instruction finish first, so none slips in between.
    .globl real_halt
real_halt:
    sti
    nop
    nop
    cli
    cmpb $0, irq_seen
    jne 1f
    sti
    hlt
1:  ret

    .section .data16, "aw"
    .balign 4
    .globl rx_mode, rx_chain, rx_ours, rx_count, rx_starts, rx_calls, irq_seen, irq_count, irq_ours, irq_line, irq_old
rx_starts:  .long 0     // START calls by polling
rx_calls:   .long 0     // PROCESS and GET_NEXT calls
irq_count:  .long 0     // interrupts on the card's line
irq_ours:   .long 0     // of these, the card's
irq_old:    .long 0     // far pointer: the handler before ours
irq_stack:  .long 0
rx_count:   .word 0
rx_fill:    .word 0     // bytes of the frame that are in the slot
rx_total:   .word 0
rx_mode:    .byte 0
rx_chain:   .byte 0
rx_ours:    .byte 0     // what the last START said
irq_seen:   .byte 0
irq_busy:   .byte 0
irq_line:   .byte 0
