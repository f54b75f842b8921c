// SPDX-License-Identifier: MPL-2.0
// See imgslot.h.
#include "block/imgslot.h"

_Static_assert(IMGSLOT_IMAGE % PAYLOAD_ALIGN == 0, "the payload begins on a sector");

static bool fields_hold(const struct imgslot *slot)
{
    return slot->sequence > 0 && slot->length > SEAL_HEAD_SIZE;
}

uint64_t imgslot_sectors(uint64_t partition_sectors, uint32_t sector_size)
{
    return (partition_sectors >> 1) & ~(uint64_t)(IMGSLOT_IMAGE / sector_size - 1);
}

int imgslot_parse(const uint8_t *sector, size_t len, unsigned number, struct imgslot *ret)
{
    memset(ret, 0, sizeof *ret);
    int err = slothead_check(sector, len, IMGSLOT_MAGIC, IMGSLOT_VERSION);
    if (err == ERR_NOT_FOUND && number == 0 && memcmp(sector, SEAL_MAGIC, sizeof SEAL_MAGIC - 1) == 0) {
        ret->present = true;
        return 0;
    }
    if (err)
        return err;
    struct imgslot slot = {
        .present = true,
        .marked = true,
        .sequence = load64_le(sector + IMGSLOT_AT_SEQUENCE),
        .length = load64_le(sector + IMGSLOT_AT_LENGTH),
    };
    memcpy(slot.image_id, sector + IMGSLOT_AT_IMAGE_ID, SHA256_SIZE);
    bool mark = all_zero(sector + SLOTHEAD_AT_FIELDS, SLOTHEAD_AT_SUM - SLOTHEAD_AT_FIELDS);
    if (!mark && (!fields_hold(&slot) || load32_le(sector + IMGSLOT_AT_ZERO) != 0))
        return ERR_INVALID;
    slot.present = !mark;
    *ret = slot;
    return 0;
}

int imgslot_build(const struct imgslot *slot, uint8_t sector[SLOTHEAD_SIZE])
{
    if (!fields_hold(slot))
        return ERR_INVALID;
    memset(sector, 0, SLOTHEAD_SIZE);
    store64_le(sector + IMGSLOT_AT_SEQUENCE, slot->sequence);
    store64_le(sector + IMGSLOT_AT_LENGTH, slot->length);
    memcpy(sector + IMGSLOT_AT_IMAGE_ID, slot->image_id, SHA256_SIZE);
    slothead_finish(sector, IMGSLOT_MAGIC, IMGSLOT_VERSION);
    return 0;
}

void imgslot_build_mark(uint8_t sector[SLOTHEAD_SIZE])
{
    memset(sector, 0, SLOTHEAD_SIZE);
    slothead_finish(sector, IMGSLOT_MAGIC, IMGSLOT_VERSION);
}

bool imgslot_front_fits(const uint8_t front[IMGSLOT_FRONT])
{
    const uint8_t *image = front + IMGSLOT_IMAGE;
    return (memcmp(front, IMGSLOT_MAGIC, sizeof IMGSLOT_MAGIC - 1) == 0 || all_zero(front, SLOTHEAD_SIZE)) &&
           all_zero(front + SLOTHEAD_SIZE, IMGSLOT_IMAGE - SLOTHEAD_SIZE) &&
           (memcmp(image, SEAL_MAGIC, sizeof SEAL_MAGIC - 1) == 0 || all_zero(image, SLOTHEAD_SIZE));
}

unsigned imgslot_order(const struct imgslot slots[IMGSLOT_COUNT], unsigned ret_order[IMGSLOT_COUNT])
{
    unsigned count = 0;
    for (unsigned i = 0; i < IMGSLOT_COUNT; i++)
        if (slots[i].present)
            ret_order[count++] = i;
    if (count == 2 && slots[1].sequence > slots[0].sequence) {
        ret_order[0] = 1;
        ret_order[1] = 0;
    }
    return count;
}

unsigned imgslot_spare(const struct imgslot slots[IMGSLOT_COUNT], const bool good[IMGSLOT_COUNT], uint64_t *ret_sequence)
{
    *ret_sequence = slothead_next_sequence(MAX(slots[0].sequence, slots[1].sequence));
    if (good[0] && good[1])
        return slots[1].sequence > slots[0].sequence ? 0 : 1;
    return good[0] ? 1 : 0;
}
