// SPDX-License-Identifier: MPL-2.0
// Where the parts of a boot area lie, for install_slots.c and install_slots_write.c.
#pragma once
#include "base/bytes.h"
#include "install_slots.h"
#include <zlib.h>

static inline uint32_t sectors_of(uint32_t bytes)
{
    return (bytes + INSTALL_SECTOR - 1) / INSTALL_SECTOR;
}

static inline const uint8_t *entry_of(const uint8_t *sector0, unsigned i)
{
    return sector0 + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
}

static inline uint64_t stage_lba(const struct install_slots *s, unsigned slot)
{
    return s->places[slot].lba + BOOTSLOT_PAYLOAD_SECTORS;
}

static inline uint32_t stage_sum(const uint8_t *payload)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), payload, MBR_STAGE_SECTORS * INSTALL_SECTOR);
}
_Static_assert(MBR_STAGE_SECTORS * INSTALL_SECTOR == BOOTSLOT_STAGE_SIZE, "the stage that the sum is over");

// The slot to be tried first among those whose digest holds, or among those that the MBR names as well. -1: none.
int install_slots_first(const struct install_slots *s, bool named);
