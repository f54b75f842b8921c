// SPDX-License-Identifier: MPL-2.0
// Partitions as devices, on a disk in memory that is sound, damaged, unreadable here and there, or shorter than it says.
#include "block/partitions.h"

#include "base/test.h"
#include "block/testblock.h"
#include "block/testdisk.h"

#define LENGTH (1024 * 1024)
#define FOUND_MAX 8

static const uint32_t sector_sizes[] = { 512, 4096 };
static struct testdisk disk;
static struct testblock block;
static struct partitions table;
static struct partition found[FOUND_MAX];
static struct block_device devices[FOUND_MAX];

static void make_gpt(uint32_t sector_size)
{
    testdisk_make(&disk, sector_size, LENGTH);
    testblock_make(&block, disk.data, TESTDISK_SIZE, sector_size);
}

static void put_entry(uint64_t sector, unsigned i, uint8_t type, uint32_t first, uint32_t sectors)
{
    uint8_t *e = disk.data + sector * disk.sector_size + 446 + 16 * i;
    e[4] = type;
    store32_le(e + 8, first);
    store32_le(e + 12, sectors);
    store16_le(disk.data + sector * disk.sector_size + 510, 0xaa55);
}

// Partitions 1 and 3, and in the extended one, 2, three logical ones; 6 has no sectors before its own.
static void make_mbr(uint32_t sector_size)
{
    make_gpt(sector_size);
    memset(disk.data, 0, TESTDISK_SIZE);
    put_entry(0, 0, 0x83, 8, 8);
    put_entry(0, 1, 0x0f, 100, 200);
    put_entry(0, 2, 0xda, 16, 4);
    put_entry(100, 0, 0x83, 2, 10); // 102
    put_entry(100, 1, 0x05, 50, 1);
    put_entry(150, 0, 0xda, 1, 20); // 151
    put_entry(150, 1, 0x05, 20, 1);
    put_entry(120, 0, 0x83, 4, 5);  // 124
}

// All of them into `found` and `devices`: how many, or the error that the walk met first.
static int walk(void)
{
    int count = 0, err = partitions_open(&table, &block.dev), r;
    while (!err && count < FOUND_MAX && (r = partitions_next(&table, &found[count], &devices[count])) != 0) {
        err = MIN(r, 0);
        count += r > 0;
    }
    return err ? err : count;
}

// The device is what the table says: its first byte is the disk's there, and nothing behind its end can be had.
static bool is_device(unsigned i, uint64_t first, uint64_t sectors)
{
    uint8_t buf[4096], *at = disk.data + first * disk.sector_size;
    const struct block_device *d = &devices[i];
    at[100] = (uint8_t)(i + 1);
    return found[i].first == first && d->sectors == sectors && block_read(d, 0, 1, buf) == 0 && memcmp(buf, at, disk.sector_size) == 0 &&
           block_read(d, sectors - 1, 1, buf) == 0 && block_read(d, sectors, 1, buf) == ERR_INVALID;
}

TEST(of_a_gpt)
{
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_gpt(sector_sizes[i]);
        CHECK_EQ(walk(), 1);
        CHECK(found[0].number == 1, !table.copied);
        CHECK_STR(found[0].label, "images");
        CHECK(is_device(0, TESTDISK_AT / sector_sizes[i], LENGTH / sector_sizes[i]));
        CHECK_EQ(partitions_next(&table, &found[1], &devices[1]), 0); // and there it stays
    }
}

TEST(of_an_mbr_logical_ones_included)
{
    static const uint64_t places[][3] = { { 1, 8, 8 }, { 2, 100, 200 }, { 3, 16, 4 }, { 5, 102, 10 }, { 6, 151, 20 }, { 7, 124, 5 } };
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_mbr(sector_sizes[i]);
        CHECK_EQ(walk(), ARRAY_SIZE(places));
        for (unsigned k = 0; k < ARRAY_SIZE(places); k++) {
            CHECK_EQ(found[k].number, places[k][0]);
            CHECK(is_device(k, places[k][1], places[k][2]));
        }
    }
}

// What is written to a partition stays in it.
TEST(writes_go_through)
{
    static uint8_t before[TESTDISK_SIZE], sector[512];
    make_mbr(512);
    memset(sector, 0xa5, sizeof sector);
    CHECK_EQ(walk(), 6);
    memcpy(before, disk.data, sizeof before);
    CHECK_EQ(block_write(&devices[4], 19, 1, sector), 0);
    CHECK_EQ(block_write(&devices[4], 20, 1, sector), ERR_INVALID);
    memcpy(before + 170 * 512, sector, 512);
    CHECK(memcmp(before, disk.data, sizeof before) == 0);
    block.lose_write = block.writes + 1;
    CHECK_EQ(block_write(&devices[3], 0, 1, sector), 0);
    CHECK(memcmp(before, disk.data, sizeof before) == 0);
}

TEST(damaged_gpts)
{
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_gpt(sector_sizes[i]);
        disk.data[sector_sizes[i] + 60] ^= 1; // the header
        CHECK_EQ(walk(), 1);
        CHECK(table.copied);
        make_gpt(sector_sizes[i]);
        disk.data[2 * sector_sizes[i] + 60] ^= 1; // an entry
        CHECK_EQ(walk(), 1);
        CHECK(table.copied, is_device(0, TESTDISK_AT / sector_sizes[i], LENGTH / sector_sizes[i]));
        disk.data[TESTDISK_SIZE - sector_sizes[i] + 72] ^= 1; // where the copy's entries lie
        CHECK_EQ(walk(), ERR_DISK_TABLE);
        CHECK(table.copied);
        CHECK_EQ(partitions_next(&table, &found[0], &devices[0]), 0);
    }
}

// The first copy is wiped, as by who writes zeros over a disk's beginning. That it was there the MBR still says.
TEST(a_gpt_that_is_gone)
{
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++)
        for (int other = 0; other < 2; other++) {
            make_gpt(sector_sizes[i]);
            put_entry(0, 1, MBR_TYPE_GPT, 1, UINT32_MAX);
            if (other) // a hybrid one
                put_entry(0, 0, 0x83, 8, 8);
            CHECK_EQ(walk(), 1);
            CHECK(!table.copied, is_device(0, TESTDISK_AT / sector_sizes[i], LENGTH / sector_sizes[i]));
            memset(disk.data + sector_sizes[i], 0, sector_sizes[i]);
            CHECK_EQ(walk(), 1);
            CHECK(table.copied, is_device(0, TESTDISK_AT / sector_sizes[i], LENGTH / sector_sizes[i]));
            memset(disk.data + TESTDISK_SIZE - sector_sizes[i], 0, sector_sizes[i]);
            CHECK_EQ(walk(), other); // what the MBR has itself
            CHECK(!table.copied);
            block.reads = 0;
            block.fail_read = 4; // the MBR, once more
            CHECK_EQ(walk(), ERR_DISK_READ);
        }
}

// The GPT of a former life, whole or not, behind an MBR that has partitions and does not name it: no system looks at it, and where its
// partitions were others are.
TEST(a_gpt_of_a_former_life)
{
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++)
        for (int damaged = 0; damaged < 2; damaged++) {
            make_gpt(sector_sizes[i]);
            put_entry(0, 2, 0x83, 100, 4);
            disk.data[sector_sizes[i] + 60] ^= (uint8_t)damaged;
            CHECK_EQ(walk(), 1);
            CHECK(found[0].number == 3, is_device(0, 100, 4), !table.copied);
            // Nothing but the mark, or what lies nowhere: no table.
            put_entry(0, 2, 0x83, UINT32_MAX, 4);
            CHECK_EQ(walk(), 1);
            CHECK(found[0].number == 1, table.copied == damaged);
        }
}

TEST(no_table)
{
    make_gpt(512);
    memset(disk.data, 0, TESTDISK_SIZE);
    CHECK_EQ(walk(), ERR_NOT_FOUND);
    store16_le(disk.data + 510, 0xaa55);
    CHECK_EQ(walk(), 0);
}

// To itself, in a circle, out of the extended partition, to what is no link: those before are seen.
TEST(damaged_chains)
{
    static const uint32_t links[] = { 0, 50, 200, UINT32_MAX, 60 };
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        make_mbr(512);
        put_entry(120, 1, 0x05, links[i], 1);
        CHECK_EQ(walk(), ERR_DISK_TABLE);
        CHECK_EQ(found[4].number, 6);
        CHECK_EQ(partitions_next(&table, &found[0], &devices[0]), 0);
    }
    // A second extended one is a partition, and no more.
    make_mbr(512);
    put_entry(0, 3, 0x05, 400, 50);
    CHECK_EQ(walk(), 7);
}

// Every read fails in turn. The copy stands in for a GPT; a chain loses what comes behind; then all is as before.
TEST(every_read_may_fail)
{
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_gpt(sector_sizes[i]);
        for (block.fail_read = 1; block.fail_read <= 2; block.fail_read++, block.reads = 0) {
            CHECK_EQ(walk(), 1);
            CHECK(table.copied);
        }
        make_mbr(sector_sizes[i]);
        CHECK_EQ(walk(), 6);
        unsigned long reads = block.reads;
        CHECK_EQ(reads, 1 + 1 + 3);
        for (unsigned long n = 2; n <= reads; n++) {
            block.reads = 0;
            block.fail_read = n;
            CHECK_EQ(walk(), ERR_DISK_READ);
            block.fail_read = 0;
            CHECK_EQ(partitions_next(&table, &found[0], &devices[0]), 0);
        }
        CHECK_EQ(walk(), 6);
        block.rotten = 2; // of the entries; the copy has its own
        make_gpt(sector_sizes[i]);
        block.rotten = 2;
        CHECK_EQ(walk(), 1);
        CHECK(table.copied);
    }
}

TEST(short_disks)
{
    make_gpt(512);
    block.real = TESTDISK_AT / 512 + 10; // it says more than it has: its own sectors can be had
    CHECK_EQ(walk(), 1);
    uint8_t buf[512];
    CHECK_EQ(block_read(&devices[0], 9, 1, buf), 0);
    CHECK_EQ(block_read(&devices[0], 10, 1, buf), ERR_INVALID);
    for (uint64_t sectors = 0; sectors < 64; sectors++) { // and knows it
        make_gpt(512);
        block.dev.sectors = block.real = sectors;
        CHECK_EQ(walk(), ERR_DISK_TABLE);
        make_mbr(512);
        block.dev.sectors = block.real = sectors;
        CHECK_EQ(walk(), sectors < 2 ? ERR_DISK_TABLE : (sectors >= 16) + (sectors >= 20));
    }
}

TEST_MAIN(T(of_a_gpt), T(of_an_mbr_logical_ones_included), T(writes_go_through), T(damaged_gpts), T(a_gpt_that_is_gone), T(a_gpt_of_a_former_life),
          T(no_table), T(damaged_chains), T(every_read_may_fail), T(short_disks))
