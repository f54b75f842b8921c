// SPDX-License-Identifier: MPL-2.0
// The table of file systems, on volumes that mtools made (ci/corpus/fat.py): what fs.h says, whichever row it is.
#include "block/fs.h"

#include "base/bytes.h"
#include "base/test.h"
#include "block/partitions.h"
#include "block/testblock.h"

#define BLOCK 512
#define RECORD (4 + BLOCK)
#define PIECE BLOCK_SECTOR_MAX
#define LONG_NAME "An image with a long name.img"
#define LONG_SIZE 9000

static const char *const seeds[] = { "fat12", "fat16", "fat32", "fat16-4k" };
static struct testblock block;
static struct fs fs;
static struct fs_node node;
static struct fs_entry entry;

// The seed's volume behind `front` empty sectors.
static bool load(const char *name, uint32_t front)
{
    char path[64];
    uint8_t head[8], record[RECORD];
    snprintf(path, sizeof path, "ci/corpus/fat/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f || fread(head, 1, sizeof head, f) != sizeof head)
        return false;
    uint32_t size = load32_le(head);
    uint64_t bytes = ((uint64_t)front + load32_le(head + 4)) * size;
    free(block.data);
    uint8_t *data = calloc(1, bytes);
    testblock_make(&block, data, bytes, size);
    while (fread(record, 1, sizeof record, f) == sizeof record)
        memcpy(data + (size_t)front * size + (size_t)load32_le(record) * BLOCK, record + 4, BLOCK);
    fclose(f);
    return true;
}

static bool use(const char *name)
{
    return load(name, 0) && fs_probe(&fs, &block.dev) == 0;
}

// All of the open file, held to the pattern of the seeds' files: its bytes, or an error.
static int64_t read_all(void)
{
    static uint8_t buf[2 * PIECE];
    uint64_t have = 0;
    uint32_t n;
    for (;;) {
        int err = fs.type->read(&fs, &node, buf, sizeof buf, &n);
        if (err || n == 0)
            return err ? err : (int64_t)have;
        if (n > sizeof buf)
            abort();
        for (uint32_t i = 0; i < n; i++, have++)
            if (buf[i] != (uint8_t)(have * 7 + have / 251))
                return ERR_INTERNAL;
    }
}

TEST(every_row_is_whole)
{
    CHECK(fs_type_count >= 1);
    for (size_t i = 0; i < fs_type_count; i++) {
        const struct fs_type *t = fs_types[i];
        CHECK(t->name[0], t->probe, t->open, t->read, t->list);
    }
}

TEST(reads_files)
{
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        CHECK(use(seeds[i]));
        CHECK_EQ(fs.type->open(&fs, "signet/" LONG_NAME, &node), 0);
        CHECK(!node.folder, node.size == LONG_SIZE);
        CHECK_EQ(read_all(), LONG_SIZE);
        CHECK_EQ(fs.type->open(&fs, "/EFI/BOOT/BOOTX64.EFI", &node), 0);
        CHECK_EQ(read_all(), 3000);
        CHECK_EQ(fs.type->open(&fs, "/signet/another file, number 4", &node), 0);
        CHECK_EQ(read_all(), 0);
        CHECK_EQ(fs.type->open(&fs, "signet/absent", &node), ERR_NOT_FOUND);
        CHECK_EQ(fs.type->open(&fs, "signet/autoexec.ipxe/", &node), ERR_NOT_FOUND);
    }
}

// How often the folder has this name, as a folder or with this size; -1: an error, or no end.
static int count(const char *path, const char *name, bool folder, uint64_t size, unsigned *ret_all)
{
    int err = fs.type->open(&fs, path, &node), found = 0;
    *ret_all = 0;
    if (err || !node.folder)
        return -1;
    while ((err = fs.type->list(&fs, &node, &entry)) > 0 && ++*ret_all < 1000)
        found += strcmp(entry.name, name) == 0 && entry.folder == folder && entry.size == size;
    return err ? -1 : found;
}

TEST(lists_folders)
{
    static const char *const roots[] = { "", "/", "//" };
    unsigned all, in_signet;
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        CHECK(use(seeds[i]));
        for (size_t k = 0; k < ARRAY_SIZE(roots); k++) {
            CHECK_EQ(count(roots[k], "signet", true, 0, &all), 1);
            CHECK_EQ(all, 2); // and EFI
        }
        CHECK_EQ(count("/signet", LONG_NAME, false, LONG_SIZE, &in_signet), 1);
        CHECK(in_signet > 2);
        CHECK_EQ(count("/signet/", "autoexec.ipxe", false, strlen("#!ipxe\necho from the folder\n"), &all), 1);
        CHECK_EQ(all, in_signet);
        CHECK_EQ(count("signet", ".", true, 0, &all), 0);
        CHECK_EQ(count("EFI/BOOT", "BOOTX64.EFI", false, 3000, &all), 1);
        CHECK_EQ(all, 1);
    }
}

// A name with control characters does not reach a console, a lone short one is shown as it is, and a label is none.
TEST(names_that_are_shown)
{
    unsigned all;
    CHECK(load("fat16", 0));
    for (uint64_t at = 0; at < block.real * 512; at += 32)
        if (memcmp(block.data + at, "BOOTX64 EFI", 11) == 0)
            memcpy(block.data + at, "\x1b[2J\xe4 A C  ", 11);
    CHECK_EQ(fs_probe(&fs, &block.dev), 0);
    CHECK_EQ(count("EFI/BOOT", "?[2J? A.C", false, 3000, &all), 1);
}

TEST(others_are_not_found)
{
    CHECK(load("fat16", 0));
    memset(block.data, 0, 512);
    CHECK_EQ(fs_probe(&fs, &block.dev), ERR_NOT_FOUND);
    CHECK(load("fat16", 0));
    block.dev.sectors = 0;
    CHECK_EQ(fs_probe(&fs, &block.dev), ERR_NOT_FOUND);
    CHECK(load("fat16", 0));
    store16_le(block.data + 22, 1); // too short a FAT
    CHECK_EQ(fs_probe(&fs, &block.dev), ERR_DISK_FILES);
    CHECK(load("fat16", 0));
    block.dev.sectors = 100; // the partition was made smaller
    CHECK_EQ(fs_probe(&fs, &block.dev), ERR_DISK_FILES);
}

// In a logical partition: nothing is read in front of it or behind.
TEST(in_a_partition)
{
    static struct partitions table;
    struct partition p;
    struct block_device dev;
    CHECK(load("fat12", 65));
    uint32_t sectors = (uint32_t)block.real - 65;
    uint8_t *e = block.data + 446, *link = block.data + 64 * 512 + 446;
    e[4] = 0x0f;
    store32_le(e + 8, 64);
    store32_le(e + 12, sectors + 1);
    store16_le(block.data + 510, 0xaa55);
    link[4] = 0x01;
    store32_le(link + 8, 1);
    store32_le(link + 12, sectors);
    store16_le(block.data + 64 * 512 + 510, 0xaa55);
    CHECK_EQ(partitions_open(&table, &block.dev), 0);
    CHECK_EQ(partitions_next(&table, &p, &dev), 1);
    CHECK_EQ(fs_probe(&fs, &dev), ERR_NOT_FOUND); // the extended one itself
    CHECK_EQ(partitions_next(&table, &p, &dev), 1);
    CHECK(p.number == 5, fs_probe(&fs, &dev) == 0);
    CHECK_EQ(fs.type->open(&fs, "signet/" LONG_NAME, &node), 0);
    CHECK_EQ(read_all(), LONG_SIZE);
}

// Every read fails in turn: its error comes out, and the next attempt works.
TEST(every_read_may_fail)
{
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        unsigned failed = 0, all;
        CHECK(load(seeds[i], 0));
        for (unsigned long n = 1;; n++, failed++) {
            block.reads = 0;
            block.fail_read = n;
            int err = fs_probe(&fs, &block.dev);
            if (!err)
                err = fs.type->open(&fs, "signet/" LONG_NAME, &node);
            int64_t have = err ? err : read_all();
            if (have >= 0 && count("signet", LONG_NAME, false, LONG_SIZE, &all) == 1)
                break;
            CHECK(have == ERR_DISK_READ || have == LONG_SIZE);
        }
        CHECK(failed > 5);
    }
}

TEST_MAIN(T(every_row_is_whole), T(reads_files), T(lists_folders), T(names_that_are_shown), T(others_are_not_found), T(in_a_partition),
          T(every_read_may_fail))
