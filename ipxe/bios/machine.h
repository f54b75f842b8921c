// SPDX-License-Identifier: MPL-2.0
// What the BIOS says about the machine: its memory, its SMBIOS tables.
#pragma once
#include "bios/e820.h"

// Asks INT 15h for the memory map and looks for SMBIOS.
void machine_init(void);
const struct e820_map *machine_map(void);
// As platform.memory: usable, above 1 MiB, below 4 GiB, without [HIGH_BASE, own_end).
unsigned machine_memory(uint64_t own_end, struct mem_region *ret, unsigned cap);
// As platform.smbios.
const char *machine_smbios(const char *name);
// As platform.smbios_table.
const uint8_t *machine_smbios_table(size_t *ret_len);
