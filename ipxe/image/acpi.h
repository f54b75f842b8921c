// SPDX-License-Identifier: MPL-2.0
// As much of ACPI (6.4) as it takes to turn a PC off, and to know its processors. Pure: tables come in as bytes, checked against bounds.
#pragma once
#include "base/bytes.h"
#include "base/cursor.h"
#include "base/err.h"

#define ACPI_HEADER_SIZE 36
#define ACPI_TABLE_MAX (4 * 1024 * 1024) // a longer one is taken for damage

// What the FADT (5.2.9) says about the sleep registers.
struct acpi_power {
    uint32_t dsdt;               // physical address
    uint32_t smi_command;        // port, 0: ACPI mode is always on
    uint8_t enable;              // what to write there
    uint32_t pm1a, pm1b;         // control ports; pm1b 0: there is none
};

// Looks for the RSDP (5.2.5) on the 16-byte boundaries of an area; the RSDT's address. ERR_NOT_FOUND.
int acpi_find_rsdt(const uint8_t *area, size_t len, uint32_t *ret_rsdt);

// The length that a table's first ACPI_HEADER_SIZE bytes claim; 0 when it cannot be one.
uint32_t acpi_table_length(const uint8_t *header);

// True when the whole table has this signature, its length and a right checksum.
bool acpi_table_valid(const uint8_t *table, size_t len, const char *signature);

// From a valid FADT. ERR_TRUNCATED when it is too short, ERR_UNSUPPORTED without a control port.
int acpi_read_fadt(const uint8_t *fadt, size_t len, struct acpi_power *ret);

// The sleep types of S5 (7.4.2): the name _S5_ in a valid DSDT, a package of small numbers. ERR_NOT_FOUND.
int acpi_find_s5(const uint8_t *dsdt, size_t len, uint8_t *ret_a, uint8_t *ret_b);

// The entries of a valid MADT (5.2.12): all bytes of the next one, of which the second says how many; NULL at the end, or where one is cut
// off, and then the cursor is not ok.
struct cursor acpi_madt_begin(const uint8_t *madt, size_t len);
const uint8_t *acpi_madt_next(struct cursor *c);

// The local APICs' numbers of the processors that are there, but for `self`, from a valid MADT (5.2.12.2); at most `cap`, and how many there are of
// those. ERR_TRUNCATED.
int acpi_read_apics(const uint8_t *madt, size_t len, uint8_t self, uint8_t *ret, unsigned cap);
