// SPDX-License-Identifier: MPL-2.0
#include "proto/datagram.h"

#include "base/bytes.h"
#include "base/test.h"

// From 192.0.2.1:4660 to 192.0.2.2:20530, and from fe80::1 to fe80::2; checksums worked out by hand from RFC 768.
static const uint8_t v4[] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, // Ethernet
    0x45, 0, 0, 31, 0, 1, 0x40, 0, 64, 17, 0xb6, 0xc9, 192, 0, 2, 1, 192, 0, 2, 2, // IP
    0x12, 0x34, 0x50, 0x32, 0, 11, 0x55, 0x0b, 'a', 'b', 'c',
};
static const uint8_t v6[] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, // Ethernet
    0x60, 0, 0, 0, 0, 11, 17, 64, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, // IP
    0x12, 0x34, 0x50, 0x32, 0, 11, 0xdc, 0x0a, 'a', 'b', 'c',
};

// Of the exact size, so that a read beyond the end is caught.
static bool reads(const uint8_t *frame, size_t len, struct datagram *ret)
{
    uint8_t *exact = malloc(len + 1);
    memcpy(exact, frame, len);
    bool good = datagram_read(exact, len, ret);
    if (good && (ret->data < exact || ret->data + ret->len > exact + len))
        abort();
    good = good && ret->len == 3 && memcmp(ret->data, "abc", 3) == 0;
    free(exact);
    return good;
}

TEST(reads_both_families)
{
    struct datagram d;
    CHECK(datagram_read(v4, sizeof v4, &d));
    CHECK(d.v4, d.from_ip == v4 + 26, d.to_ip == v4 + 30, d.data == v4 + 42);
    CHECK(d.from_port == 0x1234, d.to_port == 20530, d.len == 3);
    CHECK(datagram_read(v6, sizeof v6, &d));
    CHECK(!d.v4, d.from_ip == v6 + 22, d.to_ip == v6 + 38, d.data == v6 + 62);
    CHECK(d.from_port == 0x1234, d.to_port == 20530, d.len == 3);
}

TEST(padding_is_not_data)
{
    uint8_t frame[100] = { 0 };
    struct datagram d;
    memcpy(frame, v4, sizeof v4);
    CHECK(reads(frame, 60, &d));
    memcpy(frame, v6, sizeof v6);
    CHECK(reads(frame, sizeof frame, &d));
}

TEST(cut_frames_are_refused)
{
    struct datagram d;
    for (size_t len = 0; len < sizeof v4; len++)
        CHECK(!reads(v4, len, &d));
    for (size_t len = 0; len < sizeof v6; len++)
        CHECK(!reads(v6, len, &d));
}

TEST(every_wrong_bit_that_a_checksum_covers_is_seen)
{
    struct datagram d;
    for (size_t bit = 12 * 8; bit < sizeof v4 * 8; bit++) {
        uint8_t frame[sizeof v4];
        memcpy(frame, v4, sizeof v4);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!reads(frame, sizeof frame, &d));
    }
    for (size_t bit = 18 * 8; bit < sizeof v6 * 8; bit++) {
        uint8_t frame[sizeof v6];
        memcpy(frame, v6, sizeof v6);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(reads(frame, sizeof frame, &d) == (bit / 8 == 21)); // but for the hop limit
    }
}

TEST(a_datagram_may_be_without_checksum)
{
    uint8_t frame[sizeof v4];
    struct datagram d;
    memcpy(frame, v4, sizeof v4);
    store16_be(frame + 40, 0);
    CHECK(reads(frame, sizeof frame, &d));
}

static void seal_head(uint8_t *ip)
{
    uint32_t sum = 0;
    store16_be(ip + 10, 0);
    for (int i = 0; i < 20; i += 2)
        sum += load16_be(ip + i);
    store16_be(ip + 10, (uint16_t)~(sum % 0xffff));
}

TEST(what_is_not_the_common_case_is_left_to_others)
{
    static const struct { uint8_t at, value; } changes[] = {
        { 14, 0x46 },                           // options
        { 20, 0x20 }, { 20, 0x60 }, { 21, 1 },  // fragments
        { 23, 6 },                              // TCP
        { 17, 27 }, { 17, 30 }, { 17, 32 },     // lengths that do not agree
    };
    struct datagram d;
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t frame[sizeof v4 + 40] = { 0 };
        memcpy(frame, v4, sizeof v4);
        frame[changes[i].at] = changes[i].value;
        seal_head(frame + 14);
        CHECK(!datagram_read(frame, sizeof frame, &d));
    }
    uint8_t frame[sizeof v6];
    memcpy(frame, v6, sizeof v6);
    frame[20] = 44; // a fragment header
    CHECK(!datagram_read(frame, sizeof frame, &d));
}

TEST_MAIN(T(reads_both_families), T(padding_is_not_data), T(cut_frames_are_refused), T(every_wrong_bit_that_a_checksum_covers_is_seen),
          T(a_datagram_may_be_without_checksum), T(what_is_not_the_common_case_is_left_to_others))
