// SPDX-License-Identifier: MPL-2.0
// See bootslot.h.
#include "image/bootslot.h"

#include "base/bytes.h"
#include "base/range.h"

#define SECTORS_PER_ALIGN (BOOTSLOT_ALIGN / BOOTSLOT_SECTOR)
_Static_assert(BOOTSLOT_SIZE_MAX % BOOTSLOT_ALIGN == 0, "slots end aligned");
_Static_assert(BOOTSLOT_PAYLOAD_SECTORS * BOOTSLOT_SECTOR == BOOTSLOT_PAYLOAD, "the same place");

static bool fields_hold(const struct bootslot *slot)
{
    return slot->sequence > 0 && slot->length > BOOTSLOT_STAGE_SIZE && slot->length <= BOOTSLOT_LENGTH_MAX;
}

static bool all_zero(const uint8_t *p, size_t len)
{
    while (len > 0 && *p == 0)
        p++, len--;
    return len == 0;
}

int bootslot_parse(const uint8_t *sector, size_t len, struct bootslot *ret)
{
    if (len < BOOTSLOT_HEADER_SIZE)
        return ERR_TRUNCATED;
    if (memcmp(sector + BOOTSLOT_AT_MAGIC, BOOTSLOT_MAGIC, 8) != 0)
        return ERR_NOT_FOUND;
    uint8_t sum[SHA256_SIZE];
    sha256(sector, BOOTSLOT_AT_SUM, sum);
    if (!digest_equal(sum, sector + BOOTSLOT_AT_SUM, SHA256_SIZE))
        return ERR_INVALID;
    // A version that is not known is only told from damage behind its sum.
    if (load32_le(sector + BOOTSLOT_AT_VERSION) != BOOTSLOT_VERSION)
        return ERR_UNSUPPORTED;
    struct bootslot slot = {
        .sequence = load64_le(sector + BOOTSLOT_AT_SEQUENCE),
        .length = load32_le(sector + BOOTSLOT_AT_LENGTH),
        .tries = load32_le(sector + BOOTSLOT_AT_TRIES),
    };
    memcpy(slot.digest, sector + BOOTSLOT_AT_DIGEST, SHA256_SIZE);
    if (!fields_hold(&slot) || load32_le(sector + BOOTSLOT_AT_ZERO) != 0 ||
        !all_zero(sector + BOOTSLOT_AT_END, BOOTSLOT_HEADER_SIZE - BOOTSLOT_AT_END))
        return ERR_INVALID;
    *ret = slot;
    return 0;
}

int bootslot_build(const struct bootslot *slot, uint8_t sector[BOOTSLOT_HEADER_SIZE])
{
    if (!fields_hold(slot))
        return ERR_INVALID;
    memset(sector, 0, BOOTSLOT_HEADER_SIZE);
    memcpy(sector + BOOTSLOT_AT_MAGIC, BOOTSLOT_MAGIC, 8);
    store32_le(sector + BOOTSLOT_AT_VERSION, BOOTSLOT_VERSION);
    store32_le(sector + BOOTSLOT_AT_TRIES, slot->tries);
    store64_le(sector + BOOTSLOT_AT_SEQUENCE, slot->sequence);
    store32_le(sector + BOOTSLOT_AT_LENGTH, slot->length);
    memcpy(sector + BOOTSLOT_AT_DIGEST, slot->digest, SHA256_SIZE);
    sha256(sector, BOOTSLOT_AT_SUM, sector + BOOTSLOT_AT_SUM);
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

unsigned bootslot_spare(const struct bootslot *const slots[BOOTSLOT_COUNT], uint64_t *ret_sequence)
{
    unsigned order[BOOTSLOT_COUNT], count = bootslot_choose(slots, order);
    uint64_t last = 0;
    for (unsigned i = 0; i < count; i++)
        last = MAX(last, slots[order[i]]->sequence);
    *ret_sequence = last == UINT64_MAX ? last : last + 1;
    return count == 0 ? 0 : 1 - order[0];
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
