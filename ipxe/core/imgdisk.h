// SPDX-License-Identifier: MPL-2.0
// A place for images on a disk: a partition, or a raw range, with its two slots (block/imgslot.h).
#pragma once
#include "core/disks.h"
#include "block/imgslot.h"

struct imgdisk {
    struct core_disk disk;
    uint64_t first, sectors; // of the disk
    uint64_t slot_sectors;
    struct imgslot slots[IMGSLOT_COUNT];
};

// Reads the headers of both slots, through a buffer for one sector. One that cannot be read counts as one that is not
// there: the other slot may be sound.
void imgdisk_open(struct imgdisk *d, const struct core_disk *disk, uint64_t first, uint64_t sectors, uint8_t *buffer);

// Where the image of a slot begins, in sectors of the disk, and how many it may have there. A raw image has the whole place.
uint64_t imgdisk_lba(const struct imgdisk *d, unsigned slot);
uint64_t imgdisk_room(const struct imgdisk *d, unsigned slot);

// "slot A", "slot B", "raw image", for people.
const char *imgdisk_slot_name(const struct imgdisk *d, unsigned slot);
