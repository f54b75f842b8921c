// SPDX-License-Identifier: MPL-2.0
// The BIOS's memory map (INT 15h E820; ACPI 6.4, 15.1) made fit for use. Pure.
#pragma once
#include "base/err.h"
#include "base/region.h"

#define E820_MAX 128 // entries; as many as Linux's boot parameters hold

enum e820_type { E820_TYPE_USABLE = 1, E820_TYPE_RESERVED = 2, E820_TYPE_PERSISTENT = 12 };

struct e820_entry {
    uint64_t base, length;
    uint32_t type;
};

struct e820_map {
    unsigned count;
    struct e820_entry entries[E820_MAX];
};

// Adds an entry as the BIOS gives it: empty ones, ones that the ACPI 3.0 attributes call "ignore" and what does not
// fit are left out; a length that wraps is cut.
void e820_add(struct e820_map *map, uint64_t base, uint64_t length, uint32_t type, uint32_t attributes);

// Sorts, and ends every overlap: where two entries claim a byte the one that is not usable memory wins, and of two
// such the higher type. Neighbours of one type become one. ERR_TOO_LARGE when it takes more than E820_MAX entries.
int e820_sanitise(struct e820_map *map);

// Gives a range another type, cutting what lay there. The map must be sanitised, and is afterwards. ERR_TOO_LARGE.
int e820_mark(struct e820_map *map, uint64_t base, uint64_t length, uint32_t type);

// The usable memory in [floor, limit) without [hole, hole_end), in whole pages, at most cap regions, ascending.
unsigned e820_usable(const struct e820_map *map, uint64_t floor, uint64_t limit, uint64_t hole, uint64_t hole_end,
                     struct mem_region *ret, unsigned cap);
