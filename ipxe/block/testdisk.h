// SPDX-License-Identifier: MPL-2.0
// A disk in memory for tests: an MBR or a GPT with one image partition, sectors of 512 or 4096 bytes. Its
// memory is shared with child processes, so that what one machine writes the next one finds.
#pragma once
#include "base/bytes.h"
#include "base/crc.h"
#include "block/gpt.h"
#include "block/imgslot.h"
#include "phase2/testimage.h"

#include <stdlib.h>
#include <sys/mman.h>

#define TESTDISK_SIZE (2 * MIB)
#define TESTDISK_AT (256 * 1024) // bytes in front of the image partition
#define TESTDISK_ENTRIES (128 * GPT_ENTRY_SIZE)

struct testdisk {
    uint8_t *data; // TESTDISK_SIZE bytes
    uint32_t sector_size;
    uint32_t length; // bytes of the image partition
};

static inline uint8_t *testdisk_partition(const struct testdisk *d)
{
    return d->data + TESTDISK_AT;
}

static inline void testdisk_gpt_header(const struct testdisk *d, uint64_t lba, uint64_t other, uint64_t entries)
{
    uint64_t sectors = TESTDISK_SIZE / d->sector_size;
    uint8_t *header = d->data + lba * d->sector_size;
    memset(header, 0, 92);
    memcpy(header, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
    store64_le(header + 24, lba);
    store64_le(header + 32, other);
    store64_le(header + 40, 2 + TESTDISK_ENTRIES / d->sector_size);
    store64_le(header + 48, sectors - 2 - TESTDISK_ENTRIES / d->sector_size);
    store64_le(header + 72, entries);
    store32_le(header + 80, 128);
    store32_le(header + 84, GPT_ENTRY_SIZE);
    store32_le(header + 88, crc_of(d->data + entries * d->sector_size, TESTDISK_ENTRIES));
    store32_le(header + 16, crc_of(header, 92));
}

// Both copies of a GPT. The partition: number 1, label "images", PARTUUID of bytes 41.
static inline void testdisk_gpt(const struct testdisk *d, const char *type)
{
    uint64_t last = TESTDISK_SIZE / d->sector_size - 1, backup = last - TESTDISK_ENTRIES / d->sector_size;
    uint8_t *entry = d->data + 2 * d->sector_size;
    memcpy(entry, type, GPT_GUID_SIZE);
    memset(entry + 16, 0x41, GPT_GUID_SIZE);
    store64_le(entry + 32, TESTDISK_AT / d->sector_size);
    store64_le(entry + 40, (TESTDISK_AT + d->length) / d->sector_size - 1);
    for (unsigned i = 0; i < 6; i++)
        entry[56 + 2 * i] = (uint8_t)"images"[i];
    memcpy(d->data + backup * d->sector_size, entry, TESTDISK_ENTRIES);
    testdisk_gpt_header(d, 1, last, 2);
    testdisk_gpt_header(d, last, 1, backup);
}

static inline void testdisk_mbr(const struct testdisk *d, uint8_t type)
{
    uint8_t *entry = d->data + 446;
    entry[4] = type;
    store32_le(entry + 8, TESTDISK_AT / d->sector_size);
    store32_le(entry + 12, d->length / d->sector_size);
    d->data[510] = 0x55;
    d->data[511] = 0xaa;
}

// The mark of an empty slot in both, as `signet keep` makes it.
static inline void testdisk_mark(const struct testdisk *d)
{
    uint64_t half = imgslot_sectors(d->length / d->sector_size, d->sector_size) * d->sector_size;
    for (unsigned i = 0; i < IMGSLOT_COUNT; i++)
        imgslot_build_mark(testdisk_partition(d) + i * half);
}

// A slot with a whole image.
static inline void testdisk_slot(const struct testdisk *d, unsigned number, uint64_t sequence, const struct testimage *image)
{
    struct imgslot slot = { .present = true, .sequence = sequence, .length = image->len };
    uint8_t *at = testdisk_partition(d) + number * imgslot_sectors(d->length / d->sector_size, d->sector_size) * d->sector_size;
    memcpy(slot.image_id, image->seal.image_id, SHA256_SIZE);
    if (imgslot_build(&slot, at) != 0)
        abort();
    memcpy(at + IMGSLOT_IMAGE, image->file, image->len);
}

// An empty disk with a GPT and an image partition of so many bytes. The memory is made once and stays.
static inline void testdisk_make(struct testdisk *d, uint32_t sector_size, uint32_t length)
{
    if (!d->data)
        d->data = mmap(NULL, TESTDISK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (d->data == MAP_FAILED)
        abort();
    memset(d->data, 0, TESTDISK_SIZE);
    d->sector_size = sector_size;
    d->length = length;
    testdisk_gpt(d, GPT_TYPE_SIGNET_IMAGE);
}
