// SPDX-License-Identifier: MPL-2.0
#include "base/range.h"

#include "base/test.h"

// The edges at which sums of unsigned numbers go wrong.
static const uint64_t edges[] = { 0,          1,          2,          0x7fffffff,     0x80000000, 0xffffffff,
                                  0x100000000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX };

TEST(fits_at_every_edge)
{
    for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
        for (size_t k = 0; k < ARRAY_SIZE(edges); k++)
            for (size_t m = 0; m < ARRAY_SIZE(edges); m++) {
                uint64_t end;
                bool wraps = __builtin_add_overflow(edges[i], edges[k], &end);
                CHECK(range_fits(edges[i], edges[k], edges[m]) == (!wraps && end <= edges[m]));
            }
}

TEST(overlaps_as_counted_by_hand)
{
    for (uint64_t a = 0; a < 6; a++)
        for (uint64_t an = 0; an < 6; an++)
            for (uint64_t b = 0; b < 6; b++)
                for (uint64_t bn = 0; bn < 6; bn++) {
                    bool shared = false;
                    for (uint64_t i = a; i < a + an; i++)
                        shared |= i >= b && i < b + bn;
                    CHECK(range_overlaps(a, an, b, bn) == shared);
                }
    CHECK(range_overlaps(UINT64_MAX - 5, 5, UINT64_MAX - 1, 1));
    CHECK(!range_overlaps(UINT64_MAX - 5, 5, 0, 5));
}

TEST(powers_of_two)
{
    CHECK(!is_power_of_two(0), is_power_of_two(1), !is_power_of_two(3));
    for (int i = 2; i < 64; i++)
        CHECK(is_power_of_two((uint64_t)1 << i), !is_power_of_two(((uint64_t)1 << i) - 1));
}

TEST(aligns_or_says_no)
{
    uint64_t r = 42;
    CHECK(align_up_checked(0, 4096, &r), r == 0);
    CHECK(align_up_checked(1, 4096, &r), r == 4096);
    CHECK(align_up_checked(4096, 4096, &r), r == 4096);
    CHECK(align_up_checked(7, 1, &r), r == 7);
    CHECK(align_up_checked(UINT64_MAX - 4095, 4096, &r), r == UINT64_MAX - 4095);
    r = 42;
    CHECK(!align_up_checked(UINT64_MAX - 4094, 4096, &r), r == 42);
    CHECK(!align_up_checked(UINT64_MAX, 2, &r), r == 42);
    CHECK(!align_up_checked(1, 0, &r), r == 42);
    CHECK(!align_up_checked(1, 3, &r), r == 42);
}

TEST_MAIN(T(fits_at_every_edge), T(overlaps_as_counted_by_hand), T(powers_of_two), T(aligns_or_says_no))
