// SPDX-License-Identifier: MPL-2.0
// See imgdisk.h.
#include "core/imgdisk.h"

void imgdisk_open(struct imgdisk *d, const struct core_disk *disk, uint64_t first, uint64_t sectors, uint8_t *buffer)
{
    *d = (struct imgdisk){ .disk = *disk, .first = first, .sectors = sectors,
                           .slot_sectors = imgslot_sectors(sectors, disk->info.sector_size) };
    for (unsigned i = 0; i < IMGSLOT_COUNT && d->slot_sectors; i++)
        if (core_disk_read(disk, first + i * d->slot_sectors, 1, buffer) == 0)
            (void)imgslot_parse(buffer, disk->info.sector_size, i, &d->slots[i]); // no header: an empty slot
}

uint64_t imgdisk_lba(const struct imgdisk *d, unsigned slot)
{
    return d->first + slot * d->slot_sectors + imgslot_image(&d->slots[slot]) / d->disk.info.sector_size;
}

uint64_t imgdisk_room(const struct imgdisk *d, unsigned slot)
{
    uint64_t end = d->slots[slot].sequence ? d->first + (slot + 1) * d->slot_sectors : d->first + d->sectors;
    return end - imgdisk_lba(d, slot);
}

const char *imgdisk_slot_name(const struct imgdisk *d, unsigned slot)
{
    return slot == 1 ? "slot B" : d->slots[slot].present && !d->slots[slot].sequence ? "raw image" : "slot A";
}
