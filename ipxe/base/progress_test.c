// SPDX-License-Identifier: MPL-2.0
#include "base/progress.h"

#include "base/test.h"

#define S 1000000ull

// A server that sends `bytes` every `interval`: when the verdict comes within an hour, and which; 0 when there is none.
static int served(uint64_t bytes, uint64_t interval, uint64_t *ret_us)
{
    struct progress p;
    uint64_t start = 77 * S, next = start + interval;
    progress_start(&p, start);
    for (uint64_t now = start; now < start + 3600 * S; now += S / 10) {
        for (; next <= now; next += interval)
            progress_add(&p, bytes, next);
        int verdict = progress_judge(&p, now);
        *ret_us = now - start;
        if (verdict)
            return verdict;
    }
    return 0;
}

TEST(silence_times_out)
{
    uint64_t us;
    CHECK_EQ(served(0, S, &us), ERR_TIMED_OUT); // repetitions, headers: nothing new
    CHECK_EQ(us, 30 * S);
    CHECK_EQ(served(1000000, 31 * S, &us), ERR_TIMED_OUT);
    CHECK_EQ(us, 30 * S);
}

TEST(a_trickle_is_too_slow)
{
    uint64_t us;
    CHECK_EQ(served(1, 29 * S, &us), ERR_TOO_SLOW);
    CHECK_EQ(us, 60 * S);
    CHECK_EQ(served(1408, 25 * S, &us), ERR_TOO_SLOW);
    CHECK_EQ(us, 60 * S);
    CHECK_EQ(served(1000, S, &us), ERR_TOO_SLOW);
}

TEST(a_slow_line_is_no_fault)
{
    uint64_t us;
    CHECK_EQ(served(512, S / 2 - 1000, &us), 0); // TFTP without options over a satellite
    CHECK_EQ(served(1100, S, &us), 0);
    CHECK_EQ(served(70000, 29 * S, &us), 0); // in bursts
}

// A fast beginning pays for no trickle afterwards.
TEST(each_minute_counts_for_itself)
{
    struct progress p;
    progress_start(&p, 0);
    progress_add(&p, 100 * MIB, S);
    for (unsigned i = 1; i < 5; i++) {
        progress_add(&p, 1, i * 25 * S);
        CHECK_EQ(progress_judge(&p, i * 25 * S), 0);
    }
    progress_add(&p, 1, 125 * S);
    CHECK_EQ(progress_judge(&p, 136 * S), ERR_TOO_SLOW);
}

TEST(the_deadline_is_when_the_verdict_changes)
{
    struct progress p;
    progress_start(&p, 5 * S);
    CHECK_EQ(progress_deadline(&p), 35 * S);
    CHECK_EQ(progress_judge(&p, 35 * S - 1), 0);
    CHECK_EQ(progress_judge(&p, 35 * S), ERR_TIMED_OUT);
    progress_add(&p, 1, 34 * S);
    progress_add(&p, 1, 36 * S);
    CHECK_EQ(progress_deadline(&p), 65 * S);
    CHECK_EQ(progress_judge(&p, 65 * S - 1), 0);
    CHECK_EQ(progress_judge(&p, 65 * S), ERR_TOO_SLOW);
    progress_start(&p, 65 * S); // anew
    CHECK_EQ(progress_judge(&p, 65 * S), 0);
}

TEST_MAIN(T(silence_times_out), T(a_trickle_is_too_slow), T(a_slow_line_is_no_fault), T(each_minute_counts_for_itself),
          T(the_deadline_is_when_the_verdict_changes))
