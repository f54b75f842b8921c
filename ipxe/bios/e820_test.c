// SPDX-License-Identifier: MPL-2.0
#include "bios/e820.c"
#include "base/test.h"

static struct e820_map make(const struct e820_entry *entries, unsigned count)
{
    struct e820_map map = { 0 };
    for (unsigned i = 0; i < count; i++)
        e820_add(&map, entries[i].base, entries[i].length, entries[i].type, 1);
    return map;
}

TEST(sorts_and_merges)
{
    const struct e820_entry in[] = { { 0x100000, 0x100000, 1 }, { 0, 0x9fc00, 1 }, { 0x200000, 0x1000, 1 },
                                     { 0x9fc00, 0x400, 2 } };
    struct e820_map map = make(in, 4);
    CHECK_EQ(e820_sanitise(&map), 0);
    CHECK_EQ(map.count, 3);
    CHECK_EQ(map.entries[0].length, 0x9fc00);
    CHECK_EQ(map.entries[1].type, 2);
    CHECK_EQ(map.entries[2].base, 0x100000);
    CHECK_EQ(map.entries[2].length, 0x101000);
}

TEST(reserved_wins_over_usable)
{
    const struct e820_entry in[] = { { 0x2000, 0x2000, 2 }, { 0x1000, 0x8000, 1 }, { 0x3000, 0x3000, 4 } };
    struct e820_map map = make(in, 3);
    CHECK_EQ(e820_sanitise(&map), 0);
    CHECK_EQ(map.count, 4);
    CHECK(map.entries[0].type == 1, map.entries[0].base == 0x1000, map.entries[0].length == 0x1000);
    CHECK(map.entries[1].type == 2, map.entries[1].base == 0x2000, map.entries[1].length == 0x1000);
    CHECK(map.entries[2].type == 4, map.entries[2].base == 0x3000, map.entries[2].length == 0x3000);
    CHECK(map.entries[3].type == 1, map.entries[3].base == 0x6000, map.entries[3].length == 0x3000);
}

TEST(odd_entries_are_left_out_or_cut)
{
    struct e820_map map = { 0 };
    e820_add(&map, 0x1000, 0, 1, 1);
    e820_add(&map, 0x1000, 0x1000, 1, 0); // "ignore this entry"
    CHECK_EQ(map.count, 0);
    e820_add(&map, UINT64_MAX - 0xfff, 0x5000, 2, 1);
    CHECK_EQ(map.count, 1);
    CHECK_EQ(e820_sanitise(&map), 0);
    CHECK_EQ(map.count, 1);
    CHECK_EQ(map.entries[0].length, 0xfff);
    memset(&map, 0, sizeof map);
    for (unsigned i = 0; i < E820_MAX + 20; i++)
        e820_add(&map, i * 0x2000u, 0x1000, 1 + (i & 1), 1);
    CHECK_EQ(map.count, E820_MAX);
}

TEST(too_many_pieces_is_an_error)
{
    // Holes in one large entry: 2 * 127 + 1 pieces.
    struct e820_map map = { 0 };
    e820_add(&map, 0, 0x10000000, 1, 1);
    for (unsigned i = 0; i < E820_MAX - 1; i++)
        e820_add(&map, 0x1000 + i * 0x2000u, 0x1000, 2, 1);
    struct e820_map before = map;
    CHECK_EQ(e820_sanitise(&map), ERR_TOO_LARGE);
    CHECK(memcmp(&before, &map, sizeof map) == 0);
}

TEST(marking_cuts)
{
    const struct e820_entry in[] = { { 0x100000, 0x700000, 1 } };
    struct e820_map map = make(in, 1);
    CHECK_EQ(e820_mark(&map, 0x200000, 0x100000, E820_TYPE_PERSISTENT), 0);
    CHECK_EQ(map.count, 3);
    CHECK(map.entries[0].base == 0x100000, map.entries[0].length == 0x100000, map.entries[0].type == 1);
    CHECK(map.entries[1].base == 0x200000, map.entries[1].length == 0x100000, map.entries[1].type == 12);
    CHECK(map.entries[2].base == 0x300000, map.entries[2].length == 0x500000, map.entries[2].type == 1);
    CHECK_EQ(e820_mark(&map, 0x100000, 0x700000, 2), 0);
    CHECK_EQ(map.count, 1);
    CHECK_EQ(map.entries[0].type, 2);
    CHECK_EQ(e820_mark(&map, UINT64_MAX, 2, 1), ERR_INVALID);
}

TEST(usable_leaves_holes_and_part_pages_out)
{
    const struct e820_entry in[] = { { 0, 0x9fc00, 1 }, { 0x100000, 0x7f00000, 1 }, { 0xfffc0000, 0x40000, 2 },
                                     { 0x100000000, 0x80000000, 1 } };
    struct e820_map map = make(in, 4);
    CHECK_EQ(e820_sanitise(&map), 0);
    struct mem_region r[8];
    CHECK_EQ(e820_usable(&map, 0x100000, 0x100000000, 0x100000, 0x412345, r, 8), 1);
    CHECK(r[0].base == 0x413000, r[0].length == 0x8000000 - 0x413000);
    CHECK_EQ(e820_usable(&map, 0, UINT64_MAX, 0x200800, 0x300800, r, 8), 4);
    CHECK(r[0].base == 0, r[0].length == 0x9f000);
    CHECK(r[1].base == 0x100000, r[1].length == 0x100000);
    CHECK(r[2].base == 0x301000, r[2].length == 0x8000000 - 0x301000);
    CHECK(r[3].base == 0x100000000);
    CHECK_EQ(e820_usable(&map, 0, UINT64_MAX, 0, 0, r, 1), 1);
}

// Against a model: a byte array of 256 "pages".
TEST(random_maps_agree_with_a_model)
{
    uint32_t s = 99;
    for (unsigned round = 0; round < 2000; round++) {
        struct e820_map map = { 0 };
        uint8_t model[256] = { 0 };
        for (unsigned i = 0; i < 12; i++) {
            s = s * 1664525 + 1013904223;
            unsigned base = s >> 24, len = (s >> 16) & 63, type = 1 + ((s >> 8) & 3);
            len = MIN(len, 256 - base);
            e820_add(&map, base * 0x1000u, len * 0x1000u, type, 1);
            for (unsigned k = base; k < base + len; k++)
                if (model[k] <= 1 || (type != 1 && type > model[k]))
                    model[k] = (uint8_t)type;
        }
        CHECK_EQ(e820_sanitise(&map), 0);
        uint8_t got[256] = { 0 };
        uint64_t last = 0;
        for (unsigned i = 0; i < map.count; i++) {
            CHECK(map.entries[i].base >= last);
            last = map.entries[i].base + map.entries[i].length;
            for (uint64_t k = map.entries[i].base >> 12; k < last >> 12; k++)
                got[k] = (uint8_t)map.entries[i].type;
        }
        CHECK(memcmp(got, model, sizeof got) == 0);
    }
}

TEST_MAIN(T(sorts_and_merges), T(reserved_wins_over_usable), T(odd_entries_are_left_out_or_cut),
          T(too_many_pieces_is_an_error), T(marking_cuts), T(usable_leaves_holes_and_part_pages_out),
          T(random_maps_agree_with_a_model))
