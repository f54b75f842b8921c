// SPDX-License-Identifier: MPL-2.0
#include "block/imgslot.h"

#include "base/test.h"

static uint8_t sector[SLOTHEAD_SIZE];

static struct imgslot example(void)
{
    struct imgslot slot = { .present = true, .sequence = 0x0102030405060708, .length = 0x1122334455667788 };
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        slot.image_id[i] = (uint8_t)(0xa0 + i);
    return slot;
}

// From a buffer of exactly that size, so that a sanitizer sees a read behind it.
static int parse(size_t len, unsigned number, struct imgslot *ret)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, sector, len);
    int err = imgslot_parse(copy, len, number, ret);
    free(copy);
    return err;
}

TEST(bytes_in_their_places)
{
    struct imgslot slot = example();
    CHECK_EQ(imgslot_build(&slot, sector), 0);
    CHECK(memcmp(sector, "SGNTIMGS\1\0\0\0\0\0\0\0\10\7\6\5\4\3\2\1\x88\x77\x66\x55\x44\x33\x22\x11", 32) == 0);
    CHECK(memcmp(sector + 32, slot.image_id, 32) == 0);
    uint8_t sum[SHA256_SIZE];
    sha256(sector, 64, sum);
    CHECK(memcmp(sector + 64, sum, sizeof sum) == 0);
    for (unsigned i = 96; i < sizeof sector; i++)
        CHECK(sector[i] == 0);
}

TEST(round_trip)
{
    static const uint64_t values[] = { SEAL_HEAD_SIZE + 1, 1ull << 32, UINT64_MAX };
    for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
        for (unsigned number = 0; number < IMGSLOT_COUNT; number++) {
            struct imgslot slot = example(), back;
            slot.length = slot.sequence = values[i];
            CHECK_EQ(imgslot_build(&slot, sector), 0);
            CHECK_EQ(parse(sizeof sector, number, &back), 0);
            CHECK(back.present, back.sequence == slot.sequence, back.length == slot.length);
            CHECK(memcmp(back.image_id, slot.image_id, SHA256_SIZE) == 0);
            CHECK_EQ(imgslot_image(&back), 4096);
        }
}

TEST(every_bit_counts)
{
    struct imgslot slot = example(), back;
    CHECK_EQ(imgslot_build(&slot, sector), 0);
    for (unsigned bit = 0; bit < 8 * sizeof sector; bit++) {
        sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(parse(sizeof sector, 0, &back), bit < 64 ? ERR_NOT_FOUND : ERR_INVALID);
        CHECK(!back.present, back.sequence == 0);
        sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof sector; len++)
        CHECK_EQ(parse(len, 0, &back), ERR_TRUNCATED);
}

// With the sum made right again the fields are judged for themselves.
TEST(fields_with_a_right_sum)
{
    static const struct {
        unsigned at;
        uint32_t value;
        int err;
    } cases[] = {
        { SLOTHEAD_AT_VERSION, 0, ERR_UNSUPPORTED }, { SLOTHEAD_AT_VERSION, 2, ERR_UNSUPPORTED },
        { IMGSLOT_AT_ZERO, 1, ERR_INVALID },         { IMGSLOT_AT_SEQUENCE, 0, ERR_INVALID },
        { IMGSLOT_AT_LENGTH, SEAL_HEAD_SIZE, ERR_INVALID },
    };
    struct imgslot back;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct imgslot slot = example();
        slot.sequence = 1;
        slot.length = 1000;
        CHECK_EQ(imgslot_build(&slot, sector), 0);
        store32_le(sector + cases[i].at, cases[i].value);
        sha256(sector, SLOTHEAD_AT_SUM, sector + SLOTHEAD_AT_SUM);
        CHECK_EQ(parse(sizeof sector, 0, &back), cases[i].err);
        CHECK(!back.present);
    }
    struct imgslot none = example(), shortest = example();
    none.sequence = 0;
    shortest.length = SEAL_HEAD_SIZE;
    CHECK_EQ(imgslot_build(&none, sector), ERR_INVALID);
    CHECK_EQ(imgslot_build(&shortest, sector), ERR_INVALID);
}

TEST(raw_image_in_the_first_slot_alone)
{
    struct imgslot back;
    memset(sector, 0, sizeof sector);
    CHECK_EQ(parse(sizeof sector, 0, &back), ERR_NOT_FOUND);
    memcpy(sector, "SIGNETP2", 8);
    CHECK_EQ(parse(sizeof sector, 0, &back), 0);
    CHECK(back.present, back.sequence == 0, imgslot_image(&back) == 0);
    CHECK_EQ(parse(sizeof sector, 1, &back), ERR_NOT_FOUND);
    CHECK(!back.present);
}

TEST(slots_are_aligned_halves)
{
    CHECK_EQ(imgslot_sectors(2048, 512), 1024);
    CHECK_EQ(imgslot_sectors(2048 + 15, 512), 1024);
    CHECK_EQ(imgslot_sectors(2048 + 16, 512), 1032);
    CHECK_EQ(imgslot_sectors(15, 512), 0);
    CHECK_EQ(imgslot_sectors(7, 4096), 3);
    CHECK_EQ(imgslot_sectors(18, 2048), 8);
    for (uint64_t sectors = 0; sectors < 100; sectors++)
        for (uint32_t size = 512; size <= 4096; size *= 2)
            CHECK(2 * imgslot_sectors(sectors, size) <= sectors, imgslot_sectors(sectors, size) * size % 4096 == 0);
}

TEST(order_and_spare)
{
    // Sequence of A and B (0 with `raw` for a raw A, 0 without: not there), good or not; what is read, what is written.
    static const struct {
        uint64_t a, b;
        bool raw, good_a, good_b;
        unsigned count, first, spare;
        uint64_t next;
    } cases[] = {
        { 0, 0, false, false, false, 0, 0, 0, 1 },  { 1, 0, false, true, false, 1, 0, 1, 2 },
        { 0, 1, false, false, true, 1, 1, 0, 2 },   { 1, 2, false, true, true, 2, 1, 0, 3 },
        { 3, 2, false, true, true, 2, 0, 1, 4 },    { 3, 2, false, false, true, 2, 0, 0, 4 },
        { 1, 2, false, true, false, 2, 1, 1, 3 },   { 1, 2, false, false, false, 2, 1, 0, 3 },
        { 0, 0, true, true, false, 1, 0, 1, 1 },    { 0, 5, true, true, true, 2, 1, 0, 6 },
        { 0, 5, true, true, false, 2, 1, 1, 6 },    { 4, 4, false, true, true, 2, 0, 1, 5 },
        { 7, UINT64_MAX, false, true, true, 2, 1, 0, UINT64_MAX },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct imgslot slots[2] = { { .present = cases[i].a || cases[i].raw, .sequence = cases[i].a },
                                    { .present = cases[i].b != 0, .sequence = cases[i].b } };
        const bool good[2] = { cases[i].good_a, cases[i].good_b };
        unsigned order[2] = { 9, 9 };
        uint64_t next = 0;
        CHECK_EQ(imgslot_order(slots, order), cases[i].count);
        if (cases[i].count) {
            CHECK_EQ(order[0], cases[i].first);
        }
        if (cases[i].count == 2) {
            CHECK_EQ(order[1], 1 - cases[i].first);
        }
        CHECK_EQ(imgslot_spare(slots, good, &next), cases[i].spare);
        CHECK(next == cases[i].next);
    }
}

TEST_MAIN(T(bytes_in_their_places), T(round_trip), T(every_bit_counts), T(fields_with_a_right_sum),
          T(raw_image_in_the_first_slot_alone), T(slots_are_aligned_halves), T(order_and_spare))
