// SPDX-License-Identifier: MPL-2.0
// See bootslot.h.
#include "block/bootslot.h"

#include "base/bytes.h"
#include "base/range.h"

#define SECTORS_PER_ALIGN (BOOTSLOT_ALIGN / BOOTSLOT_SECTOR)
_Static_assert(BOOTSLOT_SIZE_MAX % BOOTSLOT_ALIGN == 0, "slots end aligned");
_Static_assert(BOOTSLOT_PAYLOAD_SECTORS * BOOTSLOT_SECTOR == BOOTSLOT_PAYLOAD, "the same place");

static bool fields_hold(const struct bootslot *slot)
{
    return slot->sequence > 0 && slot->length > BOOTSLOT_STAGE_SIZE && slot->length <= BOOTSLOT_LENGTH_MAX;
}

int bootslot_parse(const uint8_t *sector, size_t len, struct bootslot *ret)
{
    int err = slothead_check(sector, len, BOOTSLOT_MAGIC, BOOTSLOT_VERSION);
    if (err)
        return err;
    struct bootslot slot = {
        .sequence = load64_le(sector + BOOTSLOT_AT_SEQUENCE),
        .length = load32_le(sector + BOOTSLOT_AT_LENGTH),
        .tries = load32_le(sector + BOOTSLOT_AT_TRIES),
    };
    memcpy(slot.digest, sector + BOOTSLOT_AT_DIGEST, SHA256_SIZE);
    if (!fields_hold(&slot) || load32_le(sector + BOOTSLOT_AT_ZERO) != 0)
        return ERR_INVALID;
    *ret = slot;
    return 0;
}

int bootslot_build(const struct bootslot *slot, uint8_t sector[BOOTSLOT_HEADER_SIZE])
{
    if (!fields_hold(slot))
        return ERR_INVALID;
    memset(sector, 0, BOOTSLOT_HEADER_SIZE);
    store32_le(sector + BOOTSLOT_AT_TRIES, slot->tries);
    store64_le(sector + BOOTSLOT_AT_SEQUENCE, slot->sequence);
    store32_le(sector + BOOTSLOT_AT_LENGTH, slot->length);
    memcpy(sector + BOOTSLOT_AT_DIGEST, slot->digest, SHA256_SIZE);
    slothead_finish(sector, BOOTSLOT_MAGIC, BOOTSLOT_VERSION);
    return 0;
}

static bool better(const struct bootslot *a, const struct bootslot *b)
{
    if ((a->tries > 0) != (b->tries > 0))
        return a->tries > 0;
    return a->sequence > b->sequence;
}

unsigned bootslot_choose(const struct bootslot *const slots[BOOTSLOT_COUNT], unsigned ret_order[BOOTSLOT_COUNT])
{
    unsigned count = 0;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        if (slots[i])
            ret_order[count++] = i;
    if (count == 2 && better(slots[1], slots[0])) {
        ret_order[0] = 1;
        ret_order[1] = 0;
    }
    return count;
}

int bootslot_place(uint64_t lba, uint64_t sectors, uint32_t length, struct bootslot_place ret[BOOTSLOT_COUNT])
{
    uint64_t start, end;
    if (length > BOOTSLOT_LENGTH_MAX || sectors > UINT64_MAX - lba || !align_up_checked(lba, SECTORS_PER_ALIGN, &start))
        return ERR_TOO_LARGE;
    end = (lba + sectors) & ~(uint64_t)(SECTORS_PER_ALIGN - 1);
    if (start >= end)
        return ERR_TOO_LARGE;
    uint64_t half = ((end - start) >> 1) & ~(uint64_t)(SECTORS_PER_ALIGN - 1);
    uint32_t size = (uint32_t)MIN(half, (uint64_t)BOOTSLOT_SIZE_MAX / BOOTSLOT_SECTOR);
    if ((uint64_t)size * BOOTSLOT_SECTOR < (uint64_t)BOOTSLOT_PAYLOAD + length)
        return ERR_TOO_LARGE;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        ret[i] = (struct bootslot_place){ .lba = start + i * (uint64_t)size, .sectors = size };
    return 0;
}
