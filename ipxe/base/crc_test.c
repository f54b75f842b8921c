// SPDX-License-Identifier: MPL-2.0
#include "base/crc.h"

#include "base/test.h"

// Bit by bit, as the polynomial is written.
static uint32_t simple(const uint8_t *p, size_t len)
{
    uint32_t crc = ~0u;
    for (; len > 0; len--) {
        crc ^= *p++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

TEST(known_sums)
{
    CHECK_EQ(crc_of("123456789", 9), 0xcbf43926);
    CHECK_EQ(crc_of("", 0), 0);
    CHECK_EQ(crc_of("a", 1), 0xe8b7be43);
}

TEST(every_byte_and_length)
{
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 256);
    for (size_t len = 0; len <= sizeof bytes; len++)
        CHECK_EQ(crc_of(bytes, len), simple(bytes, len));
}

TEST(in_pieces)
{
    static const char text[] = "a sum goes on where it stopped";
    for (size_t i = 0; i <= sizeof text; i++)
        CHECK_EQ(crc_more(crc_of(text, i), text + i, sizeof text - i), crc_of(text, sizeof text));
}

TEST_MAIN(T(known_sums), T(every_byte_and_length), T(in_pieces))
