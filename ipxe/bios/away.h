// SPDX-License-Identifier: MPL-2.0
// Where Signet's memory is while a network bootstrap program of others runs (program.h): in a block at the top of memory, of which the pages
// give it its own addresses.
#pragma once
#include "base/base.h"

extern uint32_t away_block; // its address. 0: no program runs
extern uint32_t away_segment; // the address of what stays in base memory (resident.h)

// Does one run? No BIOS can be called then.
static inline bool away(void)
{
    return away_block != 0;
}

// Where what Signet has at an address is in memory, as a card sees it.
static inline uint32_t away_bus(const void *memory)
{
    return (uint32_t)memory + away_block;
}

// Memory of the program's and the room for its packets, or any while none runs. NULL: it is Signet's own, or lies on both sides of
// BLOCK_SIZE (resident.h).
void *away_map(uint32_t address, uint64_t length);
