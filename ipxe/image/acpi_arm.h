// SPDX-License-Identifier: MPL-2.0
// What ACPI (6.4) says of an Arm machine's processors: which there are, and how they are turned on. Pure, like acpi.h.
#pragma once
#include "image/acpi.h"

#define ACPI_RSDP_SIZE 36                    // with what revision 2 added
#define ACPI_ARM_AFFINITY 0xff00ffffffull    // of MPIDR_EL1: the bits that tell processors apart

// The instruction that calls the firmware which has PSCI (Arm DEN 0022).
enum acpi_conduit { ACPI_CONDUIT_SMC, ACPI_CONDUIT_HVC };

// The XSDT's address from an RSDP of ACPI_RSDP_SIZE bytes (5.2.5.3). ERR_NOT_FOUND when it is none, or an older one.
int acpi_read_rsdp(const uint8_t rsdp[ACPI_RSDP_SIZE], uint64_t *ret_xsdt);

// The number of tables that a valid XSDT (5.2.8) lists, and the address of each.
unsigned acpi_xsdt_count(size_t len);
uint64_t acpi_xsdt_entry(const uint8_t *xsdt, unsigned i);

// From a valid FADT (5.2.9.4). ERR_UNSUPPORTED when the machine has no PSCI, or the table is older than the question.
int acpi_read_conduit(const uint8_t *fadt, size_t len, enum acpi_conduit *ret);

// From a valid MADT (5.2.12.14): the enabled processors but `self`, by their affinity; at most `cap`. How many are stored,
// or ERR_TRUNCATED when its entries do not fit one another.
int acpi_read_processors(const uint8_t *madt, size_t len, uint64_t self, uint64_t *ret, unsigned cap);
