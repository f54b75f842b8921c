// SPDX-License-Identifier: MPL-2.0
// Calls into a PXE ROM, in real mode: its API, and its UNDI loader.

#include "bios/layout.h"

    .section .text16, "ax"
    .code16

// One PXE API call. In: pxe_function, parameters at PXE_PARAM. Out: pxe_result. Clobbers all.
    .globl real_pxe
real_pxe:
    sti
    movw pxe_function, %bx
    movw $PXE_PARAM, %di
    call pxe_api
    movw %ax, pxe_result
    ret

// The API of !PXE takes its arguments on the stack, that of PXENV+ in registers; both get both.
// In: BX = function, DI = parameters (segment 0), DS = 0. Out: AX. Everything else is kept: ROMs are known to
// clobber what they should not.
    .globl pxe_api
pxe_api:
    pushl %ebx
    pushl %ecx
    pushl %edx
    pushl %esi
    pushl %edi
    pushl %ebp
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    pushw $0
    popw %es
    pushw %es
    pushw %di
    pushw %bx
    lcallw *pxe_entry
    addw $6, %sp
    cld
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popl %ebp
    popl %edi
    popl %esi
    popl %edx
    popl %ecx
    popl %ebx
    ret

// A ROM's UNDI loader, through the far pointer real_target. In and out: its parameters at PXE_PARAM, whose address it takes
// on the stack. Out: pxe_result. Clobbers all.
    .globl real_loader
real_loader:
    sti
    pushw $0
    pushw $PXE_PARAM
    lcallw *real_target
    addw $4, %sp
    movw %ax, %cs:pxe_result
    ret

    .section .data16, "aw"
    .balign 4
    .globl pxe_entry, pxe_function, pxe_result
pxe_entry:     .long 0
pxe_function:  .word 0
pxe_result:    .word 0
