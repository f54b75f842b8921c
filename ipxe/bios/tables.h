// SPDX-License-Identifier: MPL-2.0
// The ACPI tables that the BIOS has left in memory (image/acpi.h says what is in them).
#pragma once
#include "base/base.h"

// The table at this address, whole and with a right checksum, or NULL. Its length in *ret_len.
const uint8_t *table_at(uint32_t address, const char *signature, size_t *ret_len);
// The first one of this signature that the RSDT lists.
const uint8_t *table_find(const char *signature, size_t *ret_len);
