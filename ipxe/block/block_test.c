// SPDX-License-Identifier: MPL-2.0
#include "block/block.h"

#include "base/test.h"
#include "block/testblock.h"

#define SIZE (64 * 1024)
static uint8_t data[SIZE];
static struct testblock disk;

static void make(uint32_t sector_size)
{
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i / 512 + i);
    testblock_make(&disk, data, SIZE, sector_size);
}

// A part of a part counts from its own start, and ends where it ends.
TEST(parts_are_devices)
{
    uint8_t buf[4 * 4096];
    for (uint32_t size = 512; size <= 4096; size *= 8) {
        struct block_device part, inner;
        make(size);
        CHECK(block_part(&disk.dev, 4, 10, &part));
        CHECK(block_part(&part, 2, 3, &inner));
        CHECK(part.sectors == 10, inner.sectors == 3, inner.sector_size == size, inner.ctx == &disk);
        CHECK_STR(inner.name, "memory");
        CHECK_EQ(block_read(&inner, 1, 2, buf), 0);
        CHECK(memcmp(buf, data + 7 * size, 2 * size) == 0);
        memset(buf, 0x5a, sizeof buf);
        CHECK_EQ(block_write(&inner, 2, 1, buf), 0);
        CHECK(memcmp(buf, data + 8 * size, size) == 0, data[8 * size - 1] != 0x5a, data[9 * size] != 0x5a);
        CHECK(block_part(&part, 2, 3, &part)); // in its own place
        CHECK_EQ(part.first, 6);
    }
}

TEST(nothing_outside_a_part)
{
    static const struct {
        uint64_t lba;
        uint32_t count;
    } bad[] = { { 3, 1 }, { 2, 2 }, { 0, 4 }, { UINT64_MAX, 1 }, { UINT64_MAX, 2 }, { UINT64_MAX - 5, 7 }, { 1, UINT32_MAX } };
    struct block_device part, other = { .sectors = 99 };
    uint8_t buf[4096];
    make(512);
    CHECK(block_part(&disk.dev, 6, 3, &part));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_EQ(block_read(&part, bad[i].lba, bad[i].count, buf), ERR_INVALID);
        CHECK_EQ(block_write(&part, bad[i].lba, bad[i].count, buf), ERR_INVALID);
        CHECK(!block_part(&part, bad[i].lba, bad[i].count, &other));
    }
    CHECK_EQ(other.sectors, 99);
    CHECK(disk.reads == 0, disk.writes == 0);
    CHECK(block_part(&part, 3, 0, &other), other.sectors == 0); // an empty one is one
    CHECK_EQ(block_read(&other, 0, 1, buf), ERR_INVALID);
}

TEST(faults_come_out)
{
    uint8_t buf[3 * 512];
    struct block_device part;
    make(512);
    CHECK(block_part(&disk.dev, 6, 3, &part));
    disk.rotten = 7;
    CHECK_EQ(block_read(&part, 0, 1, buf), 0);
    CHECK_EQ(block_read(&part, 0, 3, buf), ERR_DISK_READ);
    CHECK_EQ(block_write(&part, 1, 1, buf), 0); // a disk gives such a sector another place
    CHECK_EQ(block_read(&part, 0, 3, buf), 0);
    disk.lose_write = disk.writes + 1;
    memset(buf, 0x5a, sizeof buf);
    CHECK_EQ(block_write(&part, 0, 1, buf), 0);
    CHECK_EQ(block_read(&part, 0, 1, buf), 0);
    CHECK(buf[0] != 0x5a);
    disk.real = 8; // shorter than it says
    CHECK_EQ(block_read(&part, 2, 1, buf), ERR_INVALID);
    CHECK_EQ(block_write(&part, 2, 1, buf), ERR_INVALID);
    CHECK_EQ(block_flush(&part), 0);
    CHECK_EQ(disk.flushes, 1);
}

TEST(devices_without_writing_or_flushing)
{
    static const struct block_ops reads_only = { .read = testblock_read };
    uint8_t buf[512] = { 0 };
    make(512);
    disk.dev.ops = &reads_only;
    CHECK_EQ(block_write(&disk.dev, 0, 1, buf), ERR_DISK_WRITE);
    CHECK_EQ(block_flush(&disk.dev), 0);
    CHECK_EQ(block_read(&disk.dev, 0, 1, buf), 0);
}

TEST_MAIN(T(parts_are_devices), T(nothing_outside_a_part), T(faults_come_out), T(devices_without_writing_or_flushing))
