// SPDX-License-Identifier: MPL-2.0
// The whole core with another processor that makes digests, or does not.
#include "host/testworld.h"

// Another processor that works, or does not, whenever the clock is read.
enum played { NEVER_COMES, WORKS, STANDS_STILL };
enum { JOB_READY = 1, JOB_TAKEN = 2 }; // as hashboard.c has them
static struct hashboard *played_board;
static enum played played;
static bool played_stopped;
static uint64_t (*real_clock)(void *ctx);
static unsigned played_start(void *ctx, struct hashboard *board)
{
    hashboard_open(board, 1);
    played_board = board;
    return 1;
}
static void played_stop(void *ctx)
{
    played_stopped = hashboard_closed(played_board);
    played_board = NULL;
}
static uint64_t played_clock(void *ctx)
{
    if (played_board && played == WORKS)
        (void)hashboard_work(played_board);
    if (played_board && played == STANDS_STILL && played_board->jobs[0].state == JOB_READY)
        played_board->jobs[0].state = JOB_TAKEN;
    return real_clock(ctx);
}

static void with_helper(enum played how, bool damaged)
{
    set_up("img", key_a);
    w.image.payload[100000] ^= damaged;
    real_clock = w.machine.platform.now_us;
    played = how;
    w.machine.platform.now_us = played_clock;
    w.machine.platform.helpers_start = played_start;
    w.machine.platform.helpers_stop = played_stop;
    run(BOOT_V4, &key_a, 0);
    if (!played_stopped)
        w.out->booted = false;
}
static void helper_that_works(void)
{
    with_helper(WORKS, false);
}
static void helper_that_never_comes(void)
{
    with_helper(NEVER_COMES, false);
}
static void helper_that_stands_still(void)
{
    with_helper(STANDS_STILL, false);
}
static void helper_and_damage(void)
{
    with_helper(WORKS, true);
}
TEST(another_processor_makes_digests)
{
    struct outcome *out = in_child(helper_that_works);
    CHECK(said(out, "1 more processor hashing"));
    CHECK(strstr(out->transcript, "helped="), !strstr(out->transcript, "helped=0"));
    CHECK(out->booted, out->memory_right);
    CHECK_EQ(out->live_allocations, 0);
}
TEST(a_processor_that_stands_still_is_done_without)
{
    struct outcome *out = in_child(helper_that_stands_still);
    CHECK(said(out, "do not answer"));
    CHECK(out->booted, out->memory_right);
}
// What nobody has begun is done here.
TEST(a_processor_that_never_comes_costs_nothing)
{
    struct outcome *out = in_child(helper_that_never_comes);
    CHECK(!said(out, "do not answer"));
    CHECK(out->booted, out->memory_right);
}
TEST(another_processor_lets_no_bad_chunk_through)
{
    struct outcome *out = in_child(helper_and_damage);
    CHECK(!out->booted);
    CHECK(strstr(out->transcript, "[S16]") || strstr(out->transcript, "[P04]"));
}

TEST_MAIN(T(another_processor_makes_digests), T(a_processor_that_stands_still_is_done_without),
          T(a_processor_that_never_comes_costs_nothing), T(another_processor_lets_no_bad_chunk_through))
