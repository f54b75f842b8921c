// SPDX-License-Identifier: MPL-2.0
#include "base/checksum.h"

#include "base/test.h"

// As RFC 1071, section 4.1, has it: word by word.
static uint16_t simple(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? (uint32_t)p[i] << 8 : p[i];
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

TEST(example_of_the_rfc)
{
    static const uint8_t words[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 }; // section 3: ddf2 in network order
    CHECK_EQ(checksum_sum(words, sizeof words), 0xf2dd);
}

TEST(every_length_at_every_alignment)
{
    uint8_t *bytes = malloc(8 + 200);
    uint32_t state = 1;
    for (size_t i = 0; i < 8 + 200; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    for (size_t at = 0; at < 8; at++)
        for (size_t len = 0; len <= 200; len++)
            CHECK_EQ(checksum_sum(bytes + at, len), simple(bytes + at, len));
    free(bytes);
}

TEST(carries_are_kept)
{
    static uint8_t ones[65535];
    memset(ones, 0xff, sizeof ones);
    for (size_t len = 0; len <= sizeof ones; len = len * 2 + 1)
        CHECK_EQ(checksum_sum(ones, len), simple(ones, len));
    memset(ones, 0, sizeof ones);
    CHECK_EQ(checksum_sum(ones, sizeof ones), 0);
}

TEST_MAIN(T(example_of_the_rfc), T(every_length_at_every_alignment), T(carries_are_kept))
