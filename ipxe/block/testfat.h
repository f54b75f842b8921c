// SPDX-License-Identifier: MPL-2.0
// A FAT file system for tests: FAT12, one sector a cluster, with the folder "signet" and files in it, each in
// one piece. (Volumes as mtools makes them are read by block/fat_test.c.)
#pragma once
#include "base/bytes.h"

#include <stdlib.h>

#define TESTFAT_FOLDER 2 // cluster of the folder
#define TESTFAT_TABLE_SECTORS 12
#define TESTFAT_ROOT_ENTRIES 512

struct testfat {
    uint8_t *data; // of the volume
    uint32_t sector_size, sectors;
    uint32_t next;    // cluster for the next file
    unsigned entries; // used in the folder
};

static inline uint8_t *testfat_cluster(const struct testfat *v, uint32_t cluster)
{
    uint32_t root_sectors = TESTFAT_ROOT_ENTRIES * 32 / v->sector_size;
    return v->data + (1 + TESTFAT_TABLE_SECTORS + root_sectors + cluster - 2) * v->sector_size;
}

static inline void testfat_set(const struct testfat *v, uint32_t cluster, uint16_t value)
{
    uint8_t *at = v->data + v->sector_size + cluster + cluster / 2;
    uint16_t old = load16_le(at);
    store16_le(at, (uint16_t)(cluster & 1 ? (old & 0xf) | value << 4 : (old & 0xf000) | value));
}

static inline void testfat_entry(uint8_t *entry, const char name[static 11], uint8_t attributes, uint32_t cluster,
                                 size_t size)
{
    memcpy(entry, name, 11);
    entry[11] = attributes;
    store16_le(entry + 26, (uint16_t)cluster);
    store32_le(entry + 28, (uint32_t)size);
}

// An empty file system with the folder, over zeros.
static inline void testfat_make(struct testfat *v, uint8_t *data, uint32_t sector_size, uint32_t bytes)
{
    *v = (struct testfat){ data, sector_size, bytes / sector_size, TESTFAT_FOLDER + 1, 0 };
    store16_le(data + 11, (uint16_t)sector_size);
    data[13] = 1;
    store16_le(data + 14, 1);
    data[16] = 1;
    store16_le(data + 17, TESTFAT_ROOT_ENTRIES);
    store16_le(data + 19, (uint16_t)v->sectors);
    store16_le(data + 22, TESTFAT_TABLE_SECTORS);
    store16_le(data + 510, 0xaa55);
    testfat_entry(testfat_cluster(v, TESTFAT_FOLDER) - TESTFAT_ROOT_ENTRIES * 32, "SIGNET     ", 0x10, TESTFAT_FOLDER, 0);
    testfat_set(v, TESTFAT_FOLDER, 0xfff);
}

// Puts a file into the folder. `long_name` of at most 13 characters; NULL: the short one alone.
static inline void testfat_put(struct testfat *v, const char name[static 11], const char *long_name, const void *content,
                               size_t size)
{
    static const uint8_t units[] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
    uint8_t *folder = testfat_cluster(v, TESTFAT_FOLDER), sum = 0;
    uint32_t count = (uint32_t)((size + v->sector_size - 1) / v->sector_size);
    if (long_name) {
        uint8_t *entry = folder + 32 * v->entries++;
        size_t len = strlen(long_name);
        for (unsigned i = 0; i < 11; i++)
            sum = (uint8_t)((sum >> 1 | sum << 7) + (uint8_t)name[i]);
        entry[0] = 0x41;
        entry[11] = 0x0f;
        entry[13] = sum;
        for (size_t i = 0; i < sizeof units; i++)
            store16_le(entry + units[i], i < len ? (uint8_t)long_name[i] : i == len ? 0 : 0xffff);
    }
    testfat_entry(folder + 32 * v->entries++, name, 0, size ? v->next : 0, size);
    memcpy(testfat_cluster(v, v->next), content, size);
    for (uint32_t i = 0; i < count; i++, v->next++)
        testfat_set(v, v->next, (uint16_t)(i + 1 < count ? v->next + 1 : 0xfff));
}
