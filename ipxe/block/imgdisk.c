// SPDX-License-Identifier: MPL-2.0
// See imgdisk.h.
#include "block/imgdisk.h"

void imgdisk_open(struct imgdisk *d, const struct block_device *dev, uint8_t *buffer)
{
    *d = (struct imgdisk){ .dev = *dev, .slot_sectors = imgslot_sectors(dev->sectors, dev->sector_size) };
    for (unsigned i = 0; i < IMGSLOT_COUNT && d->slot_sectors; i++)
        if (block_read(dev, i * d->slot_sectors, 1, buffer) == 0)
            (void)imgslot_parse(buffer, dev->sector_size, i, &d->slots[i]); // no header: an empty slot
}

void imgdisk_slot(const struct imgdisk *d, unsigned slot, struct block_device *ret)
{
    (void)block_part(&d->dev, slot * d->slot_sectors, d->slot_sectors, ret); // half of it fits
}

void imgdisk_image(const struct imgdisk *d, unsigned slot, struct block_device *ret)
{
    uint32_t front = imgslot_image(&d->slots[slot]) / d->dev.sector_size;
    *ret = d->dev;
    if (front == 0)
        return;
    imgdisk_slot(d, slot, ret);
    (void)block_part(ret, front, ret->sectors - front, ret); // a header was read there: a slot has room for it and its zeros
}

const char *imgdisk_slot_name(const struct imgdisk *d, unsigned slot)
{
    return slot == 1 ? "slot B" : d->slots[slot].present && !d->slots[slot].sequence ? "raw image" : "slot A";
}
