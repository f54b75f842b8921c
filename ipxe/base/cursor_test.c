// SPDX-License-Identifier: MPL-2.0
#include "base/cursor.h"

#include "base/test.h"

TEST(reads_in_both_orders)
{
    static const uint8_t d[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xf0 };
    struct cursor c = cursor_make(d, sizeof d);
    CHECK_EQ(cursor_u8(&c), 1);
    CHECK_EQ(cursor_u16_le(&c), 0x0302);
    CHECK_EQ(cursor_u16_be(&c), 0x0405);
    CHECK_EQ(cursor_u32_le(&c), 0x09080706);
    CHECK_EQ(cursor_u32_be(&c), 0x0a0b0c0d);
    CHECK_EQ(c.len, 3);
    CHECK_EQ(cursor_u16_le(&c), 0x0f0e);
    CHECK_EQ(cursor_u8(&c), 0xf0);
    CHECK(cursor_ok(&c), c.len == 0);
    c = cursor_make(d, 8);
    CHECK_EQ(cursor_u64_le(&c), 0x0807060504030201);
    c = cursor_make(d, 8);
    CHECK_EQ(cursor_u64_be(&c), 0x0102030405060708);
}

TEST(stays_bad)
{
    static const uint8_t d[4] = { 1, 2, 3, 4 };
    struct cursor c = cursor_make(d, sizeof d);
    CHECK_EQ(cursor_u64_le(&c), 0);
    CHECK(!cursor_ok(&c));
    // Four bytes were there, but after an error nothing is.
    CHECK_EQ(cursor_u8(&c), 0);
    CHECK_EQ(cursor_u16_be(&c), 0);
    CHECK_EQ(cursor_u32_le(&c), 0);
    CHECK(cursor_bytes(&c, 0) == NULL);
    CHECK_EQ(c.len, 0);
}

TEST(empty_and_huge)
{
    struct cursor c = cursor_make(NULL, 0);
    CHECK(cursor_bytes(&c, 0) != NULL);
    CHECK(cursor_ok(&c));
    CHECK(cursor_bytes(&c, SIZE_MAX) == NULL);
    CHECK(!cursor_ok(&c));
    uint8_t one = 5;
    c = cursor_make(&one, 1);
    CHECK(cursor_bytes(&c, 1) == &one);
    cursor_fail(&c);
    CHECK(!cursor_ok(&c));
}

TEST(writes_what_it_reads)
{
    uint8_t d[64];
    struct builder b = builder_make(d, sizeof d);
    builder_u8(&b, 0x12);
    builder_u16_le(&b, 0x1234);
    builder_u16_be(&b, 0x5678);
    builder_u32_le(&b, 0x9abcdef0);
    builder_u32_be(&b, 0x12345678);
    builder_u64_le(&b, 0x1122334455667788);
    builder_u64_be(&b, 0x99aabbccddeeff00);
    builder_zeros(&b, 3);
    builder_bytes(&b, "xyz", 3);
    builder_bytes(&b, NULL, 0);
    CHECK(!b.bad);
    CHECK_EQ(b.len, 1 + 2 + 2 + 4 + 4 + 8 + 8 + 3 + 3);
    struct cursor c = cursor_make(d, b.len);
    CHECK_EQ(cursor_u8(&c), 0x12);
    CHECK_EQ(cursor_u16_le(&c), 0x1234);
    CHECK_EQ(cursor_u16_be(&c), 0x5678);
    CHECK(cursor_u32_le(&c) == 0x9abcdef0, cursor_u32_be(&c) == 0x12345678);
    CHECK(cursor_u64_le(&c) == 0x1122334455667788, cursor_u64_be(&c) == 0x99aabbccddeeff00);
    CHECK(memcmp(cursor_bytes(&c, 6), "\0\0\0xyz", 6) == 0);
    CHECK(cursor_ok(&c), c.len == 0);
}

TEST(builder_overflows_cleanly)
{
    uint8_t d[5] = { 7, 7, 7, 7, 7 };
    struct builder b = builder_make(d, 4);
    builder_u16_le(&b, 1);
    builder_u32_le(&b, 2);
    CHECK(b.bad);
    CHECK_EQ(b.len, 2);
    // Also what would have fitted is no longer written.
    builder_u8(&b, 3);
    builder_zeros(&b, 1);
    CHECK_EQ(b.len, 2);
    CHECK(d[2] == 7, d[4] == 7);
    CHECK(builder_room(&b, 0) == NULL);
    b = builder_make(d, 4);
    CHECK(builder_room(&b, SIZE_MAX) == NULL);
    CHECK(b.bad);
}

TEST(any_alignment)
{
    uint8_t d[24] = { 0 };
    for (unsigned i = 0; i < 8; i++) {
        store64_le(d + i, 0x8899aabbccddeeff);
        CHECK(load64_le(d + i) == 0x8899aabbccddeeff, load32_le(d + i + 4) == 0x8899aabb);
        CHECK(load16_le(d + i) == 0xeeff, load16_be(d + i) == 0xffee, load32_be(d + i) == 0xffeeddcc);
        store64_be(d + i, 0x8899aabbccddeeff);
        CHECK(load64_be(d + i) == 0x8899aabbccddeeff, d[i] == 0x88);
    }
}

TEST_MAIN(T(reads_in_both_orders), T(stays_bad), T(empty_and_huge), T(writes_what_it_reads),
          T(builder_overflows_cleanly), T(any_alignment))
