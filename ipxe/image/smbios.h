// SPDX-License-Identifier: MPL-2.0
// The five facts of SMBIOS (DMTF DSP0134) that scripts use. Pure: memory comes in as bytes, checked against bounds.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define SMBIOS_TEXT_MAX 65 // with NUL; longer strings are cut
#define SMBIOS_UUID_TEXT 37

struct smbios_entry {
    uint64_t table;   // physical address of the structure table
    uint32_t length;  // bytes, for the 64-bit entry point an upper bound
    uint16_t version; // 0x0208 = 2.8
};

struct smbios {
    // "" when the machine does not say.
    char uuid[SMBIOS_UUID_TEXT]; // 8-4-4-4-12, lower case
    char serial[SMBIOS_TEXT_MAX], product[SMBIOS_TEXT_MAX], manufacturer[SMBIOS_TEXT_MAX], asset[SMBIOS_TEXT_MAX];
};

// Finds the entry point ("_SM3_", else "_SM_") on a 16-byte boundary of `area`, the memory from F0000 on.
// ERR_NOT_FOUND when there is none with a right checksum.
int smbios_find(const uint8_t *area, size_t len, struct smbios_entry *ret);

// Reads the structure table: type 1 (system) and type 3 (chassis), the first of each. *ret is zeroed first; what was
// read before damage is found stays. ERR_TRUNCATED when a structure leaves the table.
int smbios_parse(const uint8_t *table, size_t len, uint16_t version, struct smbios *ret);

// A field by its number, as iPXE's settings have it: "TYPE.OFFSET.LENGTH", or "INSTANCE.TYPE.OFFSET.LENGTH" for a further structure of
// that type, decimal. LENGTH 0: the text whose number lies there, without its NUL. Its length and place, both within `table`;
// ERR_NOT_FOUND for what is not there, and for no such number.
int smbios_field(const uint8_t *table, size_t len, const char *number, const uint8_t **ret);

// By setting name ("uuid", "serial", "product", "manufacturer", "asset"); NULL when unknown or empty.
const char *smbios_value(const struct smbios *smbios, const char *name);
