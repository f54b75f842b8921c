// SPDX-License-Identifier: MPL-2.0
#include "base/scatter.h"

#include "base/test.h"

// Three pieces in one arena, out of order and with guard bytes between them.
struct fixture {
    uint8_t arena[64];
    struct scatter map;
};

static struct fixture *fixture(void)
{
    static struct fixture f;
    memset(&f, 0xee, sizeof f.arena);
    f.map = (struct scatter){ .size = 30, .count = 3 };
    f.map.pieces[0] = (struct scatter_piece){ 0, 10, f.arena + 40 };
    f.map.pieces[1] = (struct scatter_piece){ 10, 1, f.arena + 5 };
    f.map.pieces[2] = (struct scatter_piece){ 11, 19, f.arena + 10 };
    return &f;
}

// Where byte i of the payload must lie, worked out apart from the code.
static unsigned place_of(unsigned i)
{
    return i < 10 ? 40 + i : i < 11 ? 5 : 10 + (i - 11);
}

TEST(every_range_lands_in_place)
{
    uint8_t data[30];
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (unsigned from = 0; from <= 30; from++)
        for (unsigned len = 0; from + len <= 30; len++) {
            struct fixture *f = fixture();
            uint8_t expected[64];
            memset(expected, 0xee, sizeof expected);
            for (unsigned i = from; i < from + len; i++)
                expected[place_of(i)] = (uint8_t)i;
            CHECK(scatter_write(&f->map, from, data + from, len));
            CHECK(memcmp(f->arena, expected, sizeof expected) == 0);
            uint8_t back[30];
            memset(back, 0xee, sizeof back);
            CHECK(scatter_read(&f->map, from, back, len));
            CHECK(memcmp(back, data + from, len) == 0);
            for (unsigned i = len; i < sizeof back; i++)
                CHECK(back[i] == 0xee);
        }
}

TEST(outside_writes_nothing)
{
    static const uint64_t bad[][2] = { { 30, 1 }, { 31, 0 }, { 0, 31 }, { 29, 2 }, { UINT64_MAX, 1 }, { 1, 30 } };
    uint8_t data[40] = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct fixture *f = fixture();
        CHECK(!scatter_write(&f->map, bad[i][0], data, (size_t)bad[i][1]));
        CHECK(!scatter_read(&f->map, bad[i][0], data, (size_t)bad[i][1]));
        for (size_t k = 0; k < sizeof f->arena; k++)
            CHECK(f->arena[k] == 0xee);
    }
}

TEST(finds_contiguous_runs)
{
    struct fixture *f = fixture();
    size_t n = 99;
    CHECK(scatter_at(&f->map, 3, 100, &n) == f->arena + 43, n == 7);
    CHECK(scatter_at(&f->map, 3, 2, &n) == f->arena + 43, n == 2);
    CHECK(scatter_at(&f->map, 10, 100, &n) == f->arena + 5, n == 1);
    CHECK(scatter_at(&f->map, 29, 100, &n) == f->arena + 28, n == 1);
    n = 99;
    CHECK(scatter_at(&f->map, 30, 1, &n) == NULL, n == 99);
    CHECK(scatter_at(&f->map, UINT64_MAX, 1, &n) == NULL);
}

TEST_MAIN(T(every_range_lands_in_place), T(outside_writes_nothing), T(finds_contiguous_runs))
