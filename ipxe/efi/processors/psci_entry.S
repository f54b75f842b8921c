// SPDX-License-Identifier: MPL-2.0
// Where a processor begins that psci_on() has started: from a processor without MMU, caches and stack to one like the first.
//   in:   x0 struct psci_entry, in memory itself and not only in a cache, as is this code; interrupts masked
//   out:  never; x0 to x8 are used
#include "efi/processors/psci_entry.h"

    .text
    .p2align 3
    .globl psci_entry
psci_entry:
    ldp x1, x2, [x0, #PSCI_ENTRY_MAIR]   // and TCR
    ldp x3, x4, [x0, #PSCI_ENTRY_TTBR0]  // and VBAR
    ldp x5, x6, [x0, #PSCI_ENTRY_ACCESS] // and HCR
    ldp x7, x8, [x0, #PSCI_ENTRY_SCTLR]  // and the stack
    mov sp, x8
    mrs x8, CurrentEL
    cmp x8, #(2 << 2)
    b.eq 2f

    msr mair_el1, x1
    msr tcr_el1, x2
    msr ttbr0_el1, x3
    msr vbar_el1, x4
    msr cpacr_el1, x5
    isb
    tlbi vmalle1
    ic iallu
    dsb nsh
    isb
    msr sctlr_el1, x7
    b 3f

2:  msr hcr_el2, x6 // first: it decides what the others mean
    isb
    msr mair_el2, x1
    msr tcr_el2, x2
    msr ttbr0_el2, x3
    msr vbar_el2, x4
    msr cptr_el2, x5
    isb
    tlbi alle2
    ic iallu
    dsb nsh
    isb
    msr sctlr_el2, x7

3:  isb // memory is mapped one to one: the next instruction is here
    ldr x1, [x0, #PSCI_ENTRY_PROCEDURE]
    br x1
    .globl psci_entry_end
psci_entry_end:
