// SPDX-License-Identifier: MPL-2.0
// The kept floor: reading, raising, and what a report must be.
#include "phase2/floor.h"

#include "base/bytes.h"
#include "base/test.h"

static const struct floor_pending sample = {
    .product = "web", .counter = 8, .token = { 0x00, 0x0f, 0xf0, 0xff, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }
};
#define SAMPLE_TEXT "000ff0ff0405060708090a0b0c0d0e0f"

TEST(rises_and_never_falls)
{
    struct floor floor = { 0 };
    CHECK_EQ(floor_of(&floor, "web"), 0);
    CHECK_EQ(floor_raise(&floor, "web", 5), 0);
    CHECK_EQ(floor_raise(&floor, "", 1), 0);
    CHECK_EQ(floor_raise(&floor, "web", 3), 0);
    CHECK_EQ(floor_of(&floor, "web"), 5);
    CHECK_EQ(floor_of(&floor, ""), 1);
    CHECK_EQ(floor_of(&floor, "we"), 0);
    CHECK_EQ(floor_raise(&floor, "web", UINT64_MAX), 0);
    CHECK(floor_of(&floor, "web") == UINT64_MAX);
    CHECK_EQ(floor_raise(&floor, "new", 0), 0);
    CHECK_EQ(floor.count, 2);
}

TEST(one_product_too_many_is_refused_and_the_others_stay)
{
    struct floor floor = { 0 };
    char product[2] = "a";
    for (unsigned i = 0; i < FLOOR_PRODUCTS_MAX; i++, product[0]++)
        CHECK_EQ(floor_raise(&floor, product, i + 1), 0);
    CHECK_EQ(floor_raise(&floor, product, 9), ERR_TOO_LARGE);
    CHECK_EQ(floor_raise(&floor, "a", 9), 0);
    CHECK_EQ(floor_of(&floor, "a"), 9);
    CHECK(floor_forget(&floor, "c"));
    CHECK(!floor_forget(&floor, "c"));
    CHECK_EQ(floor_of(&floor, "b"), 2);
    CHECK_EQ(floor_of(&floor, "d"), 4);
    CHECK_EQ(floor_raise(&floor, product, 9), 0);
}

TEST(what_is_written_can_be_read)
{
    struct floor floor = { 0 }, again;
    uint8_t bytes[FLOOR_SIZE_MAX];
    CHECK_EQ(floor_read(bytes, floor_write(&floor, bytes), &again), 0);
    CHECK_EQ(again.count, 0);
    (void)floor_raise(&floor, "a-product-with-the-longest-name-that-there-can-be-63-bytes-of-it", 1ull << 40);
    (void)floor_raise(&floor, "", 7);
    size_t len = floor_write(&floor, bytes);
    CHECK_EQ(len, FLOOR_HEAD_SIZE + 2 * FLOOR_ENTRY_SIZE);
    CHECK_EQ(floor_read(bytes, len, &again), 0);
    CHECK(memcmp(&floor, &again, sizeof floor) == 0);
}

TEST(damage_is_refused)
{
    struct floor floor = { 0 }, again;
    uint8_t good[FLOOR_SIZE_MAX], bytes[FLOOR_SIZE_MAX + 1];
    (void)floor_raise(&floor, "web", 7);
    (void)floor_raise(&floor, "db", 8);
    size_t len = floor_write(&floor, good);
    for (size_t cut = 0; cut < len; cut++)
        CHECK_EQ(floor_read(good, cut, &again), ERR_INVALID);
    const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        { 0, 's' },                                               // magic
        { 8, 1 }, { 8, 3 }, { 8, 9 }, { 11, 1 },                  // count
        { 12, 1 },                                                // zero
        { FLOOR_HEAD_SIZE + 1, ' ' }, { FLOOR_HEAD_SIZE + 9, 'x' }, { FLOOR_HEAD_SIZE + 63, 1 }, // product
        { FLOOR_HEAD_SIZE + SEAL_NAME_MAX, 0 },                   // counter 0
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        memcpy(bytes, good, len);
        bytes[changes[i].at] = changes[i].value;
        CHECK_EQ(floor_read(bytes, len, &again), ERR_INVALID);
        CHECK_EQ(again.count, 0);
    }
    memcpy(bytes, good, len);
    memcpy(bytes + FLOOR_HEAD_SIZE + FLOOR_ENTRY_SIZE, bytes + FLOOR_HEAD_SIZE, SEAL_NAME_MAX); // the same product twice
    CHECK_EQ(floor_read(bytes, len, &again), ERR_INVALID);
    memcpy(bytes, good, len);
    bytes[len] = 0;
    CHECK_EQ(floor_read(bytes, len + 1, &again), ERR_INVALID);
    CHECK_EQ(floor_read(good, len, &again), 0);
}

TEST(pending_records)
{
    uint8_t good[FLOOR_PENDING_SIZE], bytes[FLOOR_PENDING_SIZE];
    struct floor_pending again;
    floor_pending_write(&sample, good);
    CHECK_EQ(floor_pending_read(good, sizeof good, &again), 0);
    CHECK(memcmp(&sample, &again, sizeof again) == 0);
    for (size_t cut = 0; cut < sizeof good; cut++)
        CHECK_EQ(floor_pending_read(good, cut, &again), ERR_INVALID);
    const size_t at[] = { 0, 8, 16 + 4, 16 + 63 };
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        memcpy(bytes, good, sizeof bytes);
        bytes[at[i]] = at[i] == 8 ? 0 : 1; // the counter's only byte, or something that must not be there
        CHECK_EQ(floor_pending_read(bytes, sizeof bytes, &again), ERR_INVALID);
        CHECK_EQ(again.counter, 0);
    }
}

TEST(a_report_is_the_token_and_nothing_else)
{
    char text[FLOOR_TOKEN_TEXT + 1] = "";
    floor_token_text(&sample, text);
    CHECK_STR(text, SAMPLE_TEXT);
    const struct {
        const char *report;
        bool right;
    } cases[] = {
        { SAMPLE_TEXT, true }, { SAMPLE_TEXT "\n", true }, { SAMPLE_TEXT "\n\n", false }, { SAMPLE_TEXT " ", false },
        { "", false }, { "000ff0ff0405060708090a0b0c0d0e0", false }, { "000FF0FF0405060708090A0B0C0D0E0F", false },
        { "000ff0ff0405060708090a0b0c0d0e0e", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK(floor_reported(&sample, (const uint8_t *)cases[i].report, strlen(cases[i].report)) == cases[i].right);
}

TEST_MAIN(T(rises_and_never_falls), T(one_product_too_many_is_refused_and_the_others_stay), T(what_is_written_can_be_read),
          T(damage_is_refused), T(pending_records), T(a_report_is_the_token_and_nothing_else))
