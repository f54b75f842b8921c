// SPDX-License-Identifier: MPL-2.0
// Reads volumes that mtools made (ci/corpus/fat.py), as they are and with one thing wrong at a time.
#include "block/fat.h"

#include "base/bytes.h"
#include "base/test.h"

#define BLOCK 512
#define SCRIPT "#!ipxe\necho from the folder\n"
#define LONG_PATH "/signet/An image with a long name.img"
#define LONG_SIZE 9000

static const char *const seeds[] = { "fat12", "fat16", "fat32", "fat16-4k" };

static uint8_t *volume;
static uint32_t sector_size, sectors, reads, fail_read;
static struct fat fat;
static struct fat_file file;
static uint8_t content[65536];

static int read_sector(void *ctx, uint32_t sector, void *buf)
{
    if (++reads == fail_read || sector >= sectors)
        return ERR_IO;
    memcpy(buf, volume + (size_t)sector * sector_size, sector_size);
    return 0;
}
static const struct fat_ops ops = { NULL, read_sector };

static bool load(const char *name)
{
    char path[64];
    uint8_t head[8], number[4];
    snprintf(path, sizeof path, "ci/corpus/fat/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f || fread(head, 1, sizeof head, f) != sizeof head)
        return false;
    sector_size = load32_le(head);
    sectors = load32_le(head + 4);
    free(volume);
    volume = calloc(sectors, sector_size);
    while (fread(number, 1, sizeof number, f) == sizeof number)
        if (fread(volume + (size_t)load32_le(number) * BLOCK, 1, BLOCK, f) != BLOCK)
            return false;
    fclose(f);
    reads = fail_read = 0;
    return true;
}

static int mount(void)
{
    return fat_mount(&fat, &ops, sector_size, sectors);
}

// Loads and mounts a seed.
static bool use(const char *name)
{
    return load(name) && mount() == 0;
}

// The file's content by runs of at most `max` sectors. The count of runs, or an error.
static int read_file(uint32_t max)
{
    struct fat_run run;
    size_t have = 0;
    for (int runs = 0;; runs++) {
        int err = fat_run(&fat, &file, max, &run);
        if (err || run.bytes == 0)
            return err ? err : runs;
        if (run.count > max || run.bytes > sizeof content - have)
            abort();
        memcpy(content + have, volume + (size_t)run.sector * sector_size, run.bytes);
        have += run.bytes;
    }
}

static bool content_is_pattern(size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (content[i] != (uint8_t)(i * 7 + i / 251))
            return false;
    return true;
}

// Where the FAT's entry of a cluster lies in the first FAT, and its value set (FAT16 and FAT32).
static void set_entry(uint32_t cluster, uint32_t value)
{
    uint8_t *table = volume + (size_t)fat.table * sector_size;
    if (fat.kind == FAT16)
        store16_le(table + 2 * cluster, (uint16_t)value);
    else
        store32_le(table + 4 * cluster, value);
}

// The entry of a short name, anywhere in the data of the volume.
static uint8_t *entry_of(const char name[static 11])
{
    for (size_t at = 0; at + 32 <= (size_t)sectors * sector_size; at += 32)
        if (memcmp(volume + at, name, 11) == 0)
            return volume + at;
    abort();
}

TEST(reads_what_mtools_wrote)
{
    static const enum fat_kind kinds[] = { FAT12, FAT16, FAT32, FAT16 };
    for (size_t i = 0; i < 4; i++) {
        CHECK(use(seeds[i]));
        CHECK_EQ(fat.kind, kinds[i]);
        CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), 0);
        CHECK_EQ(file.size, 3000);
        CHECK(read_file(1000) > 0, content_is_pattern(3000));
        CHECK_EQ(fat_find(&fat, "/signet/autoexec.ipxe", &file), 0);
        CHECK_EQ(read_file(1), 1);
        CHECK(file.size == strlen(SCRIPT), memcmp(content, SCRIPT, file.size) == 0);
        for (uint32_t max = 1; max < 100; max += max) {
            CHECK_EQ(fat_find(&fat, LONG_PATH, &file), 0);
            CHECK_EQ(file.size, LONG_SIZE);
            int runs = read_file(max);
            CHECK(runs > 0, content_is_pattern(LONG_SIZE));
            CHECK(runs > 1 || fat.kind == FAT32); // there alone its clusters follow one another
        }
        CHECK_EQ(fat_find(&fat, "/signet/another file, number 4", &file), 0);
        CHECK_EQ(read_file(1), 0); // empty
    }
}

TEST(names)
{
    static const char *const found[] = {
        "signet/AUTOEXEC.IPXE", "SIGNET//autoexec.ipxe", "signet/autoex~1.ipx", "signet/an IMAGE with a long NAME.img",
        "efi/boot/bootx64.efi",
    };
    static const char *const missing[] = {
        "", "/", "signet", "signet/", "EFI/BOOT", "signet/autoexec.ipx", "signet/autoexec.ipxe/", "signet/autoexec.ipxe/x",
        "autoexec.ipxe", "signet/autoexec.ipxe ", "signet/..", "..", "signet/another file, number 1", "EFI/BOOT/BOOTX64",
        "EFI/BOOT/BOOTX64.EF", "EFI/BOOT/BOOTX64 .EFI", "signet/\xff", "signet/\xc3",
    };
    for (size_t s = 0; s < ARRAY_SIZE(seeds); s++) {
        CHECK(use(seeds[s]));
        for (size_t i = 0; i < ARRAY_SIZE(found); i++)
            CHECK_EQ(fat_find(&fat, found[i], &file), 0);
        for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
            CHECK(fat_find(&fat, missing[i], &file) != 0);
    }
}

// The last entry before the short one holds the name's first 13 units.
TEST(names_beyond_ascii)
{
    CHECK(use("fat16"));
    uint8_t *first = entry_of("AUTOEX~1IPX") - 32;
    CHECK_EQ(first[11], 0x0f);
    store16_le(first + 1, 0xe4);        // ä
    store16_le(first + 3, 0xd83d);      // U+1F41F
    store16_le(first + 5, 0xdc1f);
    CHECK_EQ(fat_find(&fat, "signet/\xc3\xa4\xf0\x9f\x90\x9f" "oexec.ipxe", &file), 0);
    CHECK_EQ(fat_find(&fat, "signet/\xc3\xa4\xf0\x9f\x90\x9e" "oexec.ipxe", &file), ERR_NOT_FOUND);
    store16_le(first + 5, 'x'); // half a pair stands for U+FFFD
    fat.window_sector = UINT32_MAX;
    CHECK_EQ(fat_find(&fat, "signet/\xc3\xa4\xef\xbf\xbdxoexec.ipxe", &file), 0);
    CHECK_EQ(fat_find(&fat, "signet/\xc3\xa4\xed\xa0\xbdxoexec.ipxe", &file), ERR_NOT_FOUND);
}

TEST(long_names_that_belong_to_nothing)
{
    static const uint8_t changes[][2] = { { 13, 1 }, { 0, 0x40 }, { 0, 3 }, { 0, 0xe5 } }; // sum, order, deleted
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        CHECK(use("fat32"));
        uint8_t *first = entry_of("AUTOEX~1IPX") - 32;
        first[changes[i][0]] ^= changes[i][1];
        CHECK_EQ(fat_find(&fat, "signet/autoexec.ipxe", &file), ERR_NOT_FOUND);
        CHECK_EQ(fat_find(&fat, "signet/autoex~1.ipx", &file), 0);
    }
    CHECK(use("fat32"));
    entry_of("AUTOEX~1IPX")[0] = 0xe5;
    CHECK_EQ(fat_find(&fat, "signet/autoexec.ipxe", &file), ERR_NOT_FOUND);
    CHECK(use("fat32"));
    entry_of("BOOTX64 EFI")[11] = 0x08; // a label
    CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), ERR_NOT_FOUND);
}

TEST(other_boot_sectors)
{
    struct change {
        const char *seed;
        unsigned at, size;
        uint32_t value;
        int err;
    };
    static const struct change changes[] = {
        { "fat16", 510, 1, 0, ERR_NOT_FOUND },
        { "fat16", 11, 2, 0, ERR_NOT_FOUND },
        { "fat16", 11, 2, 513, ERR_NOT_FOUND },
        { "fat16", 11, 2, 256, ERR_NOT_FOUND },
        { "fat16", 11, 2, 8192, ERR_NOT_FOUND },
        { "fat16", 11, 2, 1024, ERR_UNSUPPORTED },
        { "fat16", 13, 1, 0, ERR_NOT_FOUND },
        { "fat16", 13, 1, 3, ERR_NOT_FOUND },
        { "fat16", 14, 2, 0, ERR_NOT_FOUND },
        { "fat16", 16, 1, 0, ERR_NOT_FOUND },
        { "fat16", 19, 2, 16385, ERR_INVALID },     // beyond the volume
        { "fat16", 19, 2, 10, ERR_INVALID },        // ends before its data
        { "fat16", 22, 2, 1, ERR_INVALID },         // FAT too short for the clusters
        { "fat16", 22, 2, 0xffff, ERR_INVALID },
        { "fat16", 17, 2, 0, ERR_INVALID },         // no root folder
        { "fat32", 17, 2, 512, ERR_INVALID },       // two of them
        { "fat32", 36, 4, 0xffffffff, ERR_INVALID },
        { "fat32", 36, 4, 1, ERR_INVALID },
        { "fat32", 32, 4, 0, ERR_INVALID },
        { "fat32", 32, 4, 0xffffffff, ERR_INVALID },
        { "fat32", 40, 2, 0x82, ERR_INVALID },      // the third of two FATs
        { "fat32", 42, 2, 1, ERR_INVALID },
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        const struct change *c = &changes[i];
        CHECK(use(c->seed));
        for (unsigned b = 0; b < c->size; b++)
            volume[c->at + b] = (uint8_t)(c->value >> 8 * b);
        CHECK_EQ(mount(), c->err);
    }
    CHECK(load("fat16"));
    CHECK_EQ(fat_mount(&fat, &ops, 4096, sectors), ERR_UNSUPPORTED);
    CHECK_EQ(fat_mount(&fat, &ops, 256, sectors), ERR_UNSUPPORTED);
    CHECK_EQ(fat_mount(&fat, &ops, 513, sectors), ERR_UNSUPPORTED);
    CHECK_EQ(fat_mount(&fat, &ops, 512, 0), ERR_NOT_FOUND);
}

TEST(the_second_table_alone)
{
    CHECK(use("fat32"));
    store16_le(volume + 40, 0x81);
    CHECK_EQ(mount(), 0);
    memset(volume + 32 * 512, 0, 512); // the first one's beginning, with the chains of all files
    CHECK_EQ(fat_find(&fat, LONG_PATH, &file), 0);
    CHECK(read_file(8) > 0, content_is_pattern(LONG_SIZE));
}

// Every cluster of a chain in turn points to something wrong.
TEST(damaged_chains)
{
    static const char *const both[] = { "fat16", "fat32" };
    for (size_t s = 0; s < 2; s++) {
        CHECK(use(both[s]));
        CHECK_EQ(fat_find(&fat, LONG_PATH, &file), 0);
        uint32_t first = file.chain.cluster, end = fat.kind == FAT16 ? 0xffff : 0x0fffffff;
        const uint32_t wrong[] = { 0, 1, first, fat.clusters + 2, end - 8, end };
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
            CHECK(use(both[s]));
            set_entry(first, wrong[i]);
            CHECK_EQ(fat_find(&fat, LONG_PATH, &file), 0);
            CHECK_EQ(read_file(8), ERR_INVALID);
        }
        // The entry itself names a cluster that is none.
        const uint32_t clusters[] = { 0, 1, fat.clusters + 2 };
        for (size_t i = 0; i < ARRAY_SIZE(clusters); i++) {
            CHECK(use(both[s]));
            store16_le(entry_of("BOOTX64 EFI") + 26, (uint16_t)clusters[i]);
            store16_le(entry_of("BOOTX64 EFI") + 20, (uint16_t)(fat.kind == FAT32 ? clusters[i] >> 16 : 0));
            CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), ERR_INVALID);
        }
    }
}

// A file and a folder whose chains run in a circle of every length, behind a tail of every length.
TEST(circles)
{
    for (uint32_t tail = 0; tail < 10; tail++)
        for (uint32_t circle = 1; circle < 10; circle++) {
            CHECK(use("fat16"));
            uint32_t base = fat.clusters - 30;
            for (uint32_t i = 0; i < tail + circle; i++)
                set_entry(base + i, i + 1 < tail + circle ? base + i + 1 : base + tail);
            uint8_t *entry = entry_of("BOOTX64 EFI");
            store16_le(entry + 26, (uint16_t)base);
            store32_le(entry + 28, UINT32_MAX);
            CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), 0);
            struct fat_run run;
            int err, runs = 0;
            while ((err = fat_run(&fat, &file, 1, &run)) == 0)
                CHECK(++runs < 100);
            CHECK_EQ(err, ERR_INVALID);
            // The folder "signet", full of deleted entries.
            uint8_t *folder = entry_of("SIGNET     ");
            store16_le(folder + 26, (uint16_t)base);
            memset(volume + (size_t)(fat.data + base - 2) * sector_size, 0xe5, 20 * sector_size);
            reads = 0;
            fat.window_sector = UINT32_MAX;
            CHECK_EQ(fat_find(&fat, "signet/autoexec.ipxe", &file), ERR_INVALID);
            CHECK(reads < 200);
        }
}

TEST(sizes_at_the_limits)
{
    CHECK(use("fat16"));
    uint8_t *entry = entry_of("BOOTX64 EFI");
    struct fat_run run;
    // 3000 bytes have six clusters; of more the chain knows nothing.
    store32_le(entry + 28, 6 * 512);
    CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), 0);
    CHECK_EQ(fat_run(&fat, &file, UINT32_MAX, &run), 0);
    CHECK(run.count == 6, run.bytes == 6 * 512);
    CHECK_EQ(fat_run(&fat, &file, 1, &run), 0);
    CHECK_EQ(run.bytes, 0);
    store32_le(entry + 28, 6 * 512 + 1);
    fat.window_sector = UINT32_MAX;
    CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), 0);
    CHECK_EQ(fat_run(&fat, &file, UINT32_MAX, &run), ERR_INVALID);
    store32_le(entry + 28, 1);
    fat.window_sector = UINT32_MAX;
    CHECK_EQ(fat_find(&fat, "EFI/BOOT/BOOTX64.EFI", &file), 0);
    CHECK_EQ(fat_run(&fat, &file, UINT32_MAX, &run), 0);
    CHECK(run.count == 1, run.bytes == 1);
}

// Every read fails in turn: its error comes out, and the next attempt works.
TEST(unreadable_sectors)
{
    for (size_t s = 0; s < ARRAY_SIZE(seeds); s++) {
        int err;
        uint32_t n = 1;
        CHECK(load(seeds[s]));
        do {
            reads = 0;
            fail_read = n++;
            err = mount();
            if (!err)
                err = fat_find(&fat, LONG_PATH, &file);
            if (!err) {
                int runs = read_file(3);
                err = MIN(runs, 0);
            }
            CHECK(err == 0 || err == ERR_IO);
        } while (err);
        CHECK(n > 5, content_is_pattern(LONG_SIZE));
    }
}

TEST_MAIN(T(reads_what_mtools_wrote), T(names), T(names_beyond_ascii), T(long_names_that_belong_to_nothing),
          T(other_boot_sectors), T(the_second_table_alone), T(damaged_chains), T(circles), T(sizes_at_the_limits),
          T(unreadable_sectors))
