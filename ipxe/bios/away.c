// SPDX-License-Identifier: MPL-2.0
#include "bios/away.h"

#include "bios/resident.h"
#include "real/real.h"

uint32_t away_block, away_segment;

// What is below BLOCK_SIZE is where the block's own addresses lead.
void *away_map(uint32_t address, uint64_t length)
{
    uint64_t end = address + length;
    if (!away())
        return low_memory(address);
    if (address < away_segment + RESIDENT_PACKETS && end > away_segment)
        return NULL;
    if (address < BLOCK_SIZE)
        return end <= BLOCK_SIZE ? low_memory(away_block + address) : NULL;
    return address < away_block + BLOCK_SIZE && end > away_block ? NULL : low_memory(address);
}
