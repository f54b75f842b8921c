// SPDX-License-Identifier: MPL-2.0
#include "install_raid.h"
#include "base/bytes.h"
#include "base/test.h"

enum { SECTORS = 5003, FIRST = 2048 };
static uint8_t disk[SECTORS][INSTALL_SECTOR];

static int memory_read(void *ctx, uint64_t lba, uint32_t count, void *buf)
{
    memcpy(buf, disk[lba], count * INSTALL_SECTOR);
    return 0;
}

static const struct block_ops memory_ops = { .read = memory_read };

static const char *find(uint64_t first, uint64_t sectors)
{
    struct install_dev dev = { .path = "memory", .sectors = SECTORS, .unit = 1, .ops = &memory_ops };
    const char *kind;
    return install_raid_find(&dev, first, sectors, &kind) == 0 ? kind : "cannot be read";
}

static void md1(uint64_t first, uint64_t at)
{
    store32_le(disk[first + at], 0xa92b4efc);
    store32_le(disk[first + at] + 4, 1);
    store64_le(disk[first + at] + 144, at);
}

TEST(version_1_at_its_three_places)
{
    const uint64_t length = SECTORS - FIRST, places[] = { 0, 8, (length - 16) & ~(uint64_t)7 };
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        memset(disk, 0, sizeof disk);
        CHECK(find(FIRST, length) == NULL);
        md1(FIRST, places[i]);
        CHECK_STR(find(FIRST, length), "Linux RAID");
        CHECK(find(0, SECTORS) == NULL); // the partition's, not the disk's
    }
    memset(disk, 0, sizeof disk);
    md1(0, (SECTORS - 16) & ~7u);
    CHECK_STR(find(0, SECTORS), "Linux RAID");
    CHECK(find(FIRST, SECTORS - FIRST) == NULL);
}

TEST(version_0_by_its_size)
{
    const uint64_t at = (SECTORS & ~127u) - 128;
    memset(disk, 0, sizeof disk);
    store32_le(disk[at], 0xa92b4efc);
    store32_le(disk[at] + 32, (uint32_t)at / 2);
    CHECK_STR(find(0, SECTORS), "Linux RAID");
    store32_le(disk[at] + 32, (uint32_t)(at - FIRST) / 2);
    CHECK(find(0, SECTORS) == NULL);
    store32_le(disk[at] + 32, UINT32_MAX);
    CHECK(find(0, SECTORS) == NULL);
}

TEST(arrays_of_firmware)
{
    memset(disk, 0, sizeof disk);
    memcpy(disk[SECTORS - 2], "Intel Raid ISM Cfg Sig. 1.1.00", 30);
    CHECK_STR(find(0, SECTORS), "Intel RAID");
    memset(disk, 0, sizeof disk);
    store32_be(disk[SECTORS - 1], 0xde11de11);
    CHECK_STR(find(0, SECTORS), "DDF RAID");
    CHECK(find(0, SECTORS - 1) == NULL);
    CHECK(find(0, 100) == NULL);
}

TEST_MAIN(T(version_1_at_its_three_places), T(version_0_by_its_size), T(arrays_of_firmware))
