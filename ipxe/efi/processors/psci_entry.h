// SPDX-License-Identifier: MPL-2.0
// What a processor that psci_on() starts takes over from the first one: translation tables and all that decides how memory
// is seen. For C and for psci_entry.S.
#pragma once

#define PSCI_ENTRY_MAIR 0
#define PSCI_ENTRY_TCR 8
#define PSCI_ENTRY_TTBR0 16
#define PSCI_ENTRY_VBAR 24
#define PSCI_ENTRY_ACCESS 32
#define PSCI_ENTRY_HCR 40
#define PSCI_ENTRY_SCTLR 48
#define PSCI_ENTRY_STACK 56
#define PSCI_ENTRY_PROCEDURE 64

#ifndef __ASSEMBLER__
#include "base/base.h"

// Registers of EL1, or of EL2 when we run there.
struct psci_entry {
    uint64_t mair, tcr, ttbr0, vbar;
    uint64_t access; // CPACR_EL1 or CPTR_EL2: vector registers may be used
    uint64_t hcr;    // of EL2 alone
    uint64_t sctlr;
    void *stack; // its end, aligned to 16 bytes
    void (*procedure)(void); // never returns
};

extern const uint8_t psci_entry[], psci_entry_end[]; // the code, for psci_on(); x0: struct psci_entry
#endif
