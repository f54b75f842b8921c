// SPDX-License-Identifier: MPL-2.0
// PSCI (Arm DEN 0022), by which an arm64 system turns its processors on and off: asked of the secure firmware or of the
// hypervisor, at the place that ACPI names. Version 1.0 or later, so that it can be asked what it has.
#pragma once
#include "base/base.h"

// The machine's processors but this one, by their affinity (MPIDR_EL1); at most `cap`. 0 when it has no such interface.
unsigned psci_find(uint64_t *ret, unsigned cap);

// Starts a processor that is off, at the exception level of the caller, MMU and caches off, `context` in x0. False: refused.
bool psci_on(uint64_t processor, uint64_t entry, uint64_t context);
bool psci_is_off(uint64_t processor);
// For the processor that calls it.
void psci_off(void) __attribute__((noreturn));
