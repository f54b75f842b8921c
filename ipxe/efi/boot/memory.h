// SPDX-License-Identifier: MPL-2.0
// Memory that an image may use: free pages of the firmware's map, allocated at their address when they are mapped.
#pragma once
#include "base/region.h"

// Free RAM now: ascending, joined; when there are more than `cap` regions, the largest.
unsigned memory_free(struct mem_region *ret, unsigned cap);

// Allocates [address, address + length), as far as it is not ours already. NULL when the firmware does not give it.
void *memory_claim(uint64_t address, uint64_t length);

// Gives back what was claimed for addresses within [address, address + length): whole claims, for nobody shares a page with another.
void memory_release(uint64_t address, uint64_t length);
