// SPDX-License-Identifier: MPL-2.0
#include "base/meter.h"

#include "base/test.h"

#define SECOND 1000000ull

static struct meter m;
static char text[METER_TEXT_MAX];

static bool due(uint64_t done, uint64_t total, uint64_t now)
{
    if (!meter_due(&m, done == total, now))
        return false;
    meter_text(&m, text, done, total, now);
    return true;
}

TEST(says_share_rate_and_time_left)
{
    meter_start(&m, 0, 5 * SECOND);
    CHECK(!due( 0, 300 * MIB, 5 * SECOND));
    CHECK(!due( MIB, 300 * MIB, 5 * SECOND + METER_PAUSE_US - 1));
    CHECK(due( 3 * MIB, 300 * MIB, 5 * SECOND + METER_PAUSE_US));
    CHECK_STR(text, "1 % of 300 MiB");
    CHECK(!due( 4 * MIB, 300 * MIB, 6 * SECOND - 1)); // too early for another
    CHECK(due( 60 * MIB, 300 * MIB, 7 * SECOND));
    CHECK_STR(text, "20 % of 300 MiB, 30 MiB/s, 9 s left");
    CHECK(due( 300 * MIB - 1, 300 * MIB, 15 * SECOND));
    CHECK_STR(text, "99 % of 300 MiB, 30 MiB/s, 1 s left");
    CHECK(due( 300 * MIB, 300 * MIB, 15 * SECOND + 1)); // the end comes whatever the time
    CHECK_STR(text, "100 % of 300 MiB, 30 MiB/s");
    CHECK(!due( 300 * MIB, 300 * MIB, 16 * SECOND)); // once
}

TEST(short_ones_say_nothing)
{
    meter_start(&m, 0, 0);
    CHECK(!due( 20000, 30000, 100000));
    CHECK(!due( 30000, 30000, 200000));
    CHECK(!due( 0, 0, 200000));
}

// What was there before is part of the share, not of the rate.
TEST(rate_counts_from_the_start)
{
    meter_start(&m, 150 * MIB, 0);
    CHECK(due( 160 * MIB, 300 * MIB, 10 * SECOND));
    CHECK_STR(text, "53 % of 300 MiB, 1024 KiB/s, 2 min left");
}

TEST(nothing_comes)
{
    meter_start(&m, 0, 0);
    CHECK(due( 0, 300 * MIB, 10 * SECOND));
    CHECK_STR(text, "0 % of 300 MiB");
}

TEST(largest_fits_a_line)
{
    meter_start(&m, 0, 0);
    CHECK(due( 11 * KIB, 4096ull * 1024 * MIB - 1, 11 * SECOND));
    CHECK(strlen(text) < METER_TEXT_MAX - 1);
    CHECK(strstr(text, " min left") != NULL);
    meter_start(&m, 0, 0);
    CHECK(due( 4095ull * 1024 * MIB, 4096ull * 1024 * MIB - 1, SECOND));
    CHECK(strlen(text) < METER_TEXT_MAX - 1);
}

TEST_MAIN(T(says_share_rate_and_time_left), T(short_ones_say_nothing), T(rate_counts_from_the_start), T(nothing_comes),
          T(largest_fits_a_line))
