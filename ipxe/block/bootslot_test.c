// SPDX-License-Identifier: MPL-2.0
#include "block/bootslot.h"

#include "base/bytes.h"
#include "base/test.h"
#include "mbr/layout.h"

static uint8_t sector[BOOTSLOT_HEADER_SIZE];

static struct bootslot example(void)
{
    struct bootslot slot = { .sequence = 0x0102030405060708, .length = 300000, .tries = 3 };
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        slot.digest[i] = (uint8_t)(0xa0 + i);
    return slot;
}

// From a buffer of exactly that size, so that a sanitizer sees a read behind it.
static int parse(size_t len, struct bootslot *ret)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, sector, len);
    int err = bootslot_parse(copy, len, ret);
    free(copy);
    return err;
}

static void resum(void)
{
    sha256(sector, SLOTHEAD_AT_SUM, sector + SLOTHEAD_AT_SUM);
}

TEST(layouts_agree)
{
    CHECK_EQ(MBR_STAGE_SECTORS * BOOTSLOT_SECTOR, BOOTSLOT_STAGE_SIZE);
    CHECK_EQ(MBR_ENTRY_COUNT, BOOTSLOT_COUNT);
    CHECK_EQ(MBR_ENTRIES, MBR_FIELDS + 4);
    CHECK_EQ(MBR_STAGE_COUNT, MBR_ENTRIES + MBR_ENTRY_COUNT * MBR_ENTRY_SIZE);
    CHECK_EQ(MBR_VERSION_AT + 2, MBR_CODE_SIZE);
}

TEST(bytes_in_their_places)
{
    struct bootslot slot = example();
    CHECK_EQ(bootslot_build(&slot, sector), 0);
    CHECK(memcmp(sector, "SGNTSLOT\1\0\0\0\3\0\0\0\10\7\6\5\4\3\2\1", 24) == 0);
    CHECK(memcmp(sector + 24, "\xe0\x93\4\0\0\0\0\0", 8) == 0);
    CHECK(memcmp(sector + 32, slot.digest, 32) == 0);
    for (unsigned i = 96; i < 512; i++)
        CHECK(sector[i] == 0);
}

TEST(round_trip)
{
    static const uint32_t lengths[] = { BOOTSLOT_STAGE_SIZE + 1, 300000, BOOTSLOT_LENGTH_MAX };
    static const uint32_t tries[] = { 0, 1, 3, BOOTSLOT_CONFIRMED };
    for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++)
        for (unsigned t = 0; t < ARRAY_SIZE(tries); t++) {
            struct bootslot slot = example(), back;
            slot.length = lengths[l];
            slot.tries = tries[t];
            CHECK_EQ(bootslot_build(&slot, sector), 0);
            CHECK_EQ(parse(sizeof sector, &back), 0);
            CHECK(back.sequence == slot.sequence, back.length == slot.length, back.tries == slot.tries);
            CHECK(memcmp(back.digest, slot.digest, SHA256_SIZE) == 0);
        }
}

TEST(every_bit_counts)
{
    struct bootslot slot = example(), untouched = { .sequence = 77 };
    CHECK_EQ(bootslot_build(&slot, sector), 0);
    for (unsigned bit = 0; bit < 8 * sizeof sector; bit++) {
        sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(parse(sizeof sector, &untouched), bit < 64 ? ERR_NOT_FOUND : ERR_INVALID);
        sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof sector; len++)
        CHECK_EQ(parse(len, &untouched), ERR_TRUNCATED);
    CHECK_EQ(untouched.sequence, 77);
}

// With the sum made right again the fields are judged for themselves.
TEST(fields_with_a_right_sum)
{
    static const uint32_t lengths[] = { 0, 1, BOOTSLOT_STAGE_SIZE, BOOTSLOT_LENGTH_MAX + 1, 0x80000000, 0xffffffff };
    struct bootslot slot = example(), back;
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        CHECK_EQ(bootslot_build(&slot, sector), 0);
        store32_le(sector + BOOTSLOT_AT_LENGTH, lengths[i]);
        resum();
        CHECK_EQ(parse(sizeof sector, &back), ERR_INVALID);
        struct bootslot wrong = example();
        wrong.length = lengths[i];
        CHECK_EQ(bootslot_build(&wrong, sector), ERR_INVALID);
    }
    CHECK_EQ(bootslot_build(&slot, sector), 0);
    store64_le(sector + BOOTSLOT_AT_SEQUENCE, 0);
    resum();
    CHECK_EQ(parse(sizeof sector, &back), ERR_INVALID);
    CHECK_EQ(bootslot_build(&slot, sector), 0);
    store32_le(sector + SLOTHEAD_AT_VERSION, 2);
    resum();
    CHECK_EQ(parse(sizeof sector, &back), ERR_UNSUPPORTED);
    CHECK_EQ(bootslot_build(&slot, sector), 0);
    store32_le(sector + BOOTSLOT_AT_ZERO, 1);
    resum();
    CHECK_EQ(parse(sizeof sector, &back), ERR_INVALID);
}

TEST(order)
{
    // Tries and sequence of A and B; which comes first; which is the spare one.
    static const struct {
        uint32_t tries_a, tries_b;
        uint64_t sequence_a, sequence_b;
        unsigned first;
    } cases[] = {
        { BOOTSLOT_CONFIRMED, BOOTSLOT_CONFIRMED, 2, 1, 0 },
        { BOOTSLOT_CONFIRMED, BOOTSLOT_CONFIRMED, 1, 2, 1 },
        { BOOTSLOT_CONFIRMED, 3, 1, 2, 1 },
        { BOOTSLOT_CONFIRMED, 0, 1, 2, 0 },
        { 0, 1, 9, 1, 1 },
        { 0, 0, 9, 1, 0 },
        { 3, 3, UINT64_MAX, 1, 0 },
        { 3, 3, 5, 5, 0 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bootslot a = example(), b = example();
        a.tries = cases[i].tries_a;
        b.tries = cases[i].tries_b;
        a.sequence = cases[i].sequence_a;
        b.sequence = cases[i].sequence_b;
        const struct bootslot *both[2] = { &a, &b };
        unsigned order[2];
        CHECK_EQ(bootslot_choose(both, order), 2);
        CHECK_EQ(order[0], cases[i].first);
        CHECK_EQ(order[1], 1 - cases[i].first);
    }
    struct bootslot one = example();
    unsigned order[2];
    const struct bootslot *only_b[2] = { NULL, &one }, *only_a[2] = { &one, NULL }, *none[2] = { NULL, NULL };
    CHECK_EQ(bootslot_choose(only_b, order), 1);
    CHECK_EQ(order[0], 1);
    CHECK_EQ(bootslot_choose(only_a, order), 1);
    CHECK_EQ(order[0], 0);
    CHECK_EQ(bootslot_choose(none, order), 0);
}

TEST(places)
{
    struct bootslot_place p[2];
    // The gap behind an MBR, the ZFS boot area of a partition at LBA 2048, a BIOS boot partition of 1 MiB.
    CHECK_EQ(bootslot_place(1, 2047, BOOTSLOT_LENGTH_MAX, p), 0);
    CHECK(p[0].lba == 8, p[0].sectors == 1016, p[1].lba == 1024, p[1].sectors == 1016);
    CHECK_EQ(bootslot_place(2048 + 1024, 7168, BOOTSLOT_LENGTH_MAX, p), 0);
    CHECK(p[0].lba == 3072, p[0].sectors == 3480, p[1].lba == 6552, p[1].lba + p[1].sectors <= 2048 + 8192);
    CHECK_EQ(bootslot_place(40, 2008, 250000, p), 0);
    CHECK(p[0].lba == 40, p[1].lba == 40 + p[0].sectors);
    CHECK_EQ(bootslot_place(1, 62, 250000, p), ERR_TOO_LARGE);
    for (uint64_t lba = 0; lba < 20; lba++)
        for (uint64_t sectors = 0; sectors < 1500; sectors += 7) {
            int err = bootslot_place(lba, sectors, 300000, p);
            CHECK(err == 0 || err == ERR_TOO_LARGE);
            if (err)
                continue;
            CHECK(p[0].lba >= lba, p[0].lba % 8 == 0, p[1].lba % 8 == 0, p[0].sectors % 8 == 0);
            CHECK(p[0].lba + p[0].sectors == p[1].lba, p[1].lba + p[1].sectors <= lba + sectors);
            CHECK(p[0].sectors * 512ull >= 4096 + 300000);
        }
    CHECK_EQ(bootslot_place(UINT64_MAX - 3, 3, 300000, p), ERR_TOO_LARGE);
    CHECK_EQ(bootslot_place(UINT64_MAX, UINT64_MAX, 300000, p), ERR_TOO_LARGE);
    CHECK_EQ(bootslot_place(0, UINT64_MAX, 300000, p), 0);
    CHECK_EQ(bootslot_place(0, UINT64_MAX, BOOTSLOT_LENGTH_MAX + 1, p), ERR_TOO_LARGE);
}

TEST_MAIN(T(layouts_agree), T(bytes_in_their_places), T(round_trip), T(every_bit_counts), T(fields_with_a_right_sum), T(order),
          T(places))
