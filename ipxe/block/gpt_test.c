// SPDX-License-Identifier: MPL-2.0
#include "block/gpt.h"

#include "base/bytes.h"
#include "base/crc.h"
#include "base/test.h"

#define DISK 131072 // sectors
static uint8_t header[512], entries[GPT_ENTRIES_SIZE_MAX];

static void sum_header(void)
{
    store32_le(header + 88, crc_of(entries, load32_le(header + 80) * GPT_ENTRY_SIZE));
    store32_le(header + 16, 0);
    store32_le(header + 16, crc_of(header, 92));
}

static void put_entry(unsigned i, const char *type, uint64_t first, uint64_t last, const char *label)
{
    uint8_t *e = entries + i * GPT_ENTRY_SIZE;
    memset(e, 0, GPT_ENTRY_SIZE);
    memcpy(e, type, GPT_GUID_SIZE);
    memset(e + 16, (int)(0x40 + i), GPT_GUID_SIZE);
    store64_le(e + 32, first);
    store64_le(e + 40, last);
    for (unsigned n = 0; label[n]; n++)
        store16_le(e + 56 + 2 * n, (uint8_t)label[n]);
}

static void make(void)
{
    memset(header, 0, sizeof header);
    memset(entries, 0, sizeof entries);
    memcpy(header, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
    store64_le(header + 24, 1);
    store64_le(header + 32, DISK - 1);
    store64_le(header + 40, 34);
    store64_le(header + 48, DISK - 34);
    memset(header + 56, 0xd1, 16);
    store64_le(header + 72, 2);
    store32_le(header + 80, 128);
    store32_le(header + 84, 128);
    put_entry(0, GPT_TYPE_BIOS_BOOT, 34, 2047, "bios");
    put_entry(4, GPT_TYPE_SIGNET_IMAGE, 2048, DISK - 34, "images");
    sum_header();
}

static int parse(struct gpt *gpt)
{
    uint8_t *copy = malloc(sizeof header);
    memcpy(copy, header, sizeof header);
    int err = gpt_header(copy, sizeof header, 1, DISK, gpt);
    free(copy);
    return err;
}

TEST(reads_a_table)
{
    struct gpt gpt;
    struct partition p;
    make();
    CHECK_EQ(parse(&gpt), 0);
    CHECK(gpt.entries == 2, gpt.count == 128, gpt.other == DISK - 1, gpt.first_usable == 34);
    CHECK_EQ(gpt_check_entries(&gpt, entries, sizeof entries), 0);
    CHECK_EQ(gpt_check_entries(&gpt, entries, sizeof entries - 1), ERR_TRUNCATED);
    CHECK(gpt_entry(&gpt, entries, 0, &p));
    CHECK(p.number == 1, p.first == 34, p.sectors == 2014, memcmp(p.type, GPT_TYPE_BIOS_BOOT, 16) == 0);
    CHECK_STR(p.label, "bios");
    CHECK(gpt_entry(&gpt, entries, 4, &p));
    CHECK(p.number == 5, p.first == 2048, p.first + p.sectors == DISK - 33);
    CHECK_STR(p.label, "images");
    CHECK_EQ(p.uuid[15], 0x44);
    for (unsigned i = 0; i < 140; i++)
        CHECK(gpt_entry(&gpt, entries, i, &p) == (i == 0 || i == 4));
}

TEST(every_bit_of_the_header)
{
    struct gpt gpt;
    make();
    for (unsigned bit = 0; bit < 92 * 8; bit++) {
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(parse(&gpt), bit < 64 ? ERR_NOT_FOUND : ERR_INVALID);
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(parse(&gpt), 0);
    for (unsigned bit = 0; bit < sizeof entries * 8; bit += 37) {
        entries[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(gpt_check_entries(&gpt, entries, sizeof entries), ERR_INVALID);
        entries[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(gpt_header(header, 511, 1, DISK, &gpt), ERR_TRUNCATED);
    CHECK_EQ(gpt_header(header, 512, 2, DISK, &gpt), ERR_INVALID);
}

TEST(fields_with_a_right_sum)
{
    static const struct {
        unsigned at;
        uint64_t value;
        int err;
    } cases[] = {
        { 40, DISK, ERR_INVALID },       { 48, DISK, ERR_INVALID },        { 48, UINT64_MAX, ERR_INVALID },
        { 72, 1, ERR_INVALID },          { 72, DISK, ERR_INVALID },        { 72, UINT64_MAX, ERR_INVALID },
        { 32, DISK, ERR_INVALID },       { 80, 128ull << 32, ERR_INVALID }, { 80, 128ull << 32 | 129, ERR_UNSUPPORTED },
        { 80, 256ull << 32 | 64, ERR_UNSUPPORTED }, { 80, 128ull << 32 | 0xffffffff, ERR_UNSUPPORTED },
    };
    struct gpt gpt;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        make();
        store64_le(header + cases[i].at, cases[i].value);
        store32_le(header + 16, 0);
        store32_le(header + 16, crc_of(header, 92));
        CHECK_EQ(parse(&gpt), cases[i].err);
    }
    static const uint32_t sizes[] = { 0, 91, 513, 0xffffffff };
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        make();
        store32_le(header + 12, sizes[i]);
        CHECK_EQ(parse(&gpt), ERR_INVALID);
    }
    make();
    store32_le(header + 8, 0x20000);
    sum_header();
    CHECK_EQ(parse(&gpt), ERR_UNSUPPORTED);
}

TEST(entries_out_of_place)
{
    static const uint64_t wrong[][2] = { { 33, 100 }, { 100, 99 }, { 100, DISK - 33 }, { 0, UINT64_MAX }, { UINT64_MAX, UINT64_MAX } };
    struct gpt gpt;
    struct partition p;
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        make();
        put_entry(1, GPT_TYPE_ZFS, wrong[i][0], wrong[i][1], "x");
        sum_header();
        CHECK_EQ(parse(&gpt), 0);
        CHECK(!gpt_entry(&gpt, entries, 1, &p));
    }
}

TEST(labels)
{
    struct gpt gpt;
    struct partition p;
    make();
    uint8_t *label = entries + 4 * GPT_ENTRY_SIZE + 56;
    for (unsigned i = 0; i < 36; i++)
        store16_le(label + 2 * i, 0x20ac);
    CHECK_EQ(parse(&gpt), 0);
    CHECK(gpt_entry(&gpt, entries, 4, &p));
    CHECK_EQ(strlen(p.label), 108);
    memcpy(label, "a\0\xe4\0\x1b\0\x01\xd8\0\0", 10);
    CHECK(gpt_entry(&gpt, entries, 4, &p));
    CHECK_STR(p.label, "a\xc3\xa4??");
}

TEST(classic_table)
{
    uint8_t sector[512] = { 0 };
    struct partition p[MBR_PARTITIONS];
    CHECK_EQ(mbr_partitions(sector, 511, DISK, p), ERR_TRUNCATED);
    CHECK_EQ(mbr_partitions(sector, 512, DISK, p), ERR_NOT_FOUND);
    store16_le(sector + 510, 0xaa55);
    CHECK_EQ(mbr_partitions(sector, 512, DISK, p), 0);
    static const uint32_t rows[4][3] = { { 0x83, 2048, 4096 }, { 0xee, 1, 0xffffffff }, { 0x83, DISK - 1, 2 }, { 0xda, 8192, DISK - 8192 } };
    for (unsigned i = 0; i < 4; i++) {
        sector[446 + 16 * i + 4] = (uint8_t)rows[i][0];
        store32_le(sector + 446 + 16 * i + 8, rows[i][1]);
        store32_le(sector + 446 + 16 * i + 12, rows[i][2]);
    }
    CHECK_EQ(mbr_partitions(sector, 512, DISK, p), 2);
    CHECK(p[0].number == 1, p[0].first == 2048, p[0].sectors == 4096, p[0].type[0] == 0x83, p[0].label[0] == 0);
    CHECK(p[1].number == 4, p[1].first + p[1].sectors == DISK, p[1].type[0] == 0xda);
}

// fdisk, sfdisk and systemd-repart say that the first usable sector is 2048: what lies between there and the table is a partition as any.
TEST(first_usable_far_behind_the_table)
{
    struct gpt gpt;
    struct partition p;
    make();
    store64_le(header + 40, 4096);
    put_entry(1, GPT_TYPE_ZFS, 33, 100, "in the table");
    sum_header();
    CHECK_EQ(parse(&gpt), 0);
    CHECK_EQ(gpt.table_end, 34);
    CHECK(gpt_entry(&gpt, entries, 0, &p), p.first == 34);
    CHECK(gpt_entry(&gpt, entries, 4, &p), p.first == 2048);
    CHECK(!gpt_entry(&gpt, entries, 1, &p));
}

static uint8_t chain_disk[64][512]; // by sector - 1000
static void put_link(unsigned at, unsigned first, unsigned sectors, unsigned next)
{
    uint8_t *e = chain_disk[at] + 446;
    memset(chain_disk[at], 0, 512);
    store16_le(chain_disk[at] + 510, 0xaa55);
    e[4] = sectors ? 0x83 : 0;
    store32_le(e + 8, first);
    store32_le(e + 12, sectors);
    e[16 + 4] = next ? 0x05 : 0;
    store32_le(e + 16 + 8, next);
    store32_le(e + 16 + 12, next ? 1 : 0);
}

// Number of partitions, or the error.
static int walk(struct partition p[MBR_LOGICAL_MAX])
{
    struct partition extended = { .number = 2, .first = 1000, .sectors = 64, .type = { 0x0f } };
    struct mbr_chain chain;
    int count = 0;
    mbr_chain_begin(&chain, &extended);
    for (unsigned steps = 0; chain.next; steps++) {
        if (steps > MBR_LOGICAL_MAX || chain.next < 1000 || chain.next >= 1064)
            return -1000;
        int r = mbr_chain_next(&chain, chain_disk[chain.next - 1000], 512, &p[count]);
        if (r < 0)
            return chain.next ? -1001 : r;
        count += r;
    }
    return count;
}

TEST(logical_partitions)
{
    struct partition p[MBR_LOGICAL_MAX];
    put_link(0, 2, 4, 20);
    put_link(20, 1, 9, 10); // not in the order of the disk
    put_link(10, 0, 0, 40); // removed
    put_link(40, 4, 20, 0);
    CHECK_EQ(walk(p), 3);
    CHECK(p[0].number == 5, p[0].first == 1002, p[0].sectors == 4, p[0].type[0] == 0x83);
    CHECK(p[1].number == 6, p[1].first == 1021, p[1].sectors == 9);
    CHECK(p[2].number == 7, p[2].first == 1044, p[2].sectors == 20);
    // To itself, in a circle, out of the partition, to what is no link.
    static const struct {
        unsigned at, first, sectors, next;
    } bad[] = { { 40, 4, 4, 40 }, { 40, 4, 4, 20 }, { 40, 4, 4, 64 }, { 40, 4, 4, 0xffffffff }, { 40, 4, 4, 41 },
                { 40, 4, 21, 0 }, { 40, 0, 4, 0 },  { 40, 0xffffffff, 4, 0 }, { 0, 4, 0xffffffff, 0 } };
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        memset(chain_disk[41], 0, 512);
        put_link(bad[i].at, bad[i].first, bad[i].sectors, bad[i].next);
        CHECK_EQ(walk(p), ERR_INVALID);
    }
}

TEST(guids)
{
    static const char text[] = "b1af5327-949a-469d-89ed-531f50f35610";
    uint8_t guid[16];
    char back[GPT_GUID_TEXT];
    CHECK(gpt_guid_parse(text, 36, guid));
    CHECK(memcmp(guid, GPT_TYPE_SIGNET_IMAGE, 16) == 0);
    gpt_guid_format(guid, back);
    CHECK_STR(back, text);
    CHECK(gpt_guid_parse("21686148-6449-6E6F-744E-656564454649", 36, guid), memcmp(guid, GPT_TYPE_BIOS_BOOT, 16) == 0);
    CHECK(gpt_guid_parse("6a898cc3-1dd2-11b2-99a6-080020736631", 36, guid), memcmp(guid, GPT_TYPE_ZFS, 16) == 0);
    CHECK(!gpt_guid_parse(text, 35, guid), !gpt_guid_parse("b1af5327-949a-469d-89ed+531f50f35610", 36, guid));
    CHECK(!gpt_guid_parse("b1af5327-949a-469d-89ed-531f50f3561g", 36, guid));
}

TEST_MAIN(T(reads_a_table), T(every_bit_of_the_header), T(fields_with_a_right_sum), T(entries_out_of_place), T(labels),
          T(classic_table), T(first_usable_far_behind_the_table), T(logical_partitions), T(guids))
