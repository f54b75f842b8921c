// SPDX-License-Identifier: MPL-2.0
// A place for images: a device (a partition, or a raw range of a disk) with its two slots (imgslot.h). Pure.
#pragma once
#include "block/block.h"
#include "block/imgslot.h"

struct imgdisk {
    struct block_device dev;
    uint64_t slot_sectors; // 0: it is too small for slots
    struct imgslot slots[IMGSLOT_COUNT];
};

// Reads the headers of both slots, through a buffer for one sector. One that cannot be read counts as one that is not
// there: the other slot may be sound.
void imgdisk_open(struct imgdisk *d, const struct block_device *dev, uint8_t *buffer);

// A slot as a device: header, zeros, image.
void imgdisk_slot(const struct imgdisk *d, unsigned slot, struct block_device *ret);

// What the image of a slot may fill, as a device: from its first byte to the slot's end. A raw image has the whole place.
void imgdisk_image(const struct imgdisk *d, unsigned slot, struct block_device *ret);

// "slot A", "slot B", "raw image", for people.
const char *imgdisk_slot_name(const struct imgdisk *d, unsigned slot);
