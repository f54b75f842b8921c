// SPDX-License-Identifier: MPL-2.0
// The client machine with a real thread that hashes beside it.
#include "fetch_hash.h"
#include "phase2/testclient.h"
#include <sched.h>
#include <sys/eventfd.h>

static struct fetch_hash hash;
static uint32_t most_out;

// While the thread has jobs the machine's clock stands still.
static bool beside(void)
{
    fetch_hash_turn(&hash, &client);
    most_out = MAX(most_out, hash.board.under_way);
    if (hash.board.under_way)
        sched_yield();
    return hash.board.under_way > 0;
}

static void setup_beside(const struct testimage *image)
{
    setup();
    server_start(0, image, 1);
    start();
    elsewhere = beside;
    most_out = 0;
    memset(&hash, 0, sizeof hash);
    hash.news = -1;
}

static void leave(struct testimage *image)
{
    fetch_hash_stop(&hash);
    fetch_hash_stop(&hash);
    CHECK_EQ(hash.news, -1);
    cleanup(image, NULL);
}

TEST(image_is_verified_by_the_thread)
{
    struct testimage image;
    testimage_make(&image, "beside", 300000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    fetch_hash_start(&hash);
    CHECK(hash.running);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK(most_out > 0);
    CHECK_EQ(hash.board.under_way, 0);
    eventfd_t told = 0;
    CHECK_EQ(eventfd_read(hash.news, &told), 0);
    CHECK(told > 0, told <= image.seal.chunk_count);
    leave(&image);
}

// Later chunks have arrived by then: they stay, the wrong one is fetched again.
TEST(wrong_chunk_is_found_by_the_thread)
{
    struct testimage image;
    testimage_make(&image, "badbeside", 100000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    fetch_hash_start(&hash);
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK(most_out > 0);
    CHECK_EQ(progress().bad_chunks, 1);
    leave(&image);
}

TEST(server_that_has_only_wrong_bytes)
{
    struct testimage image;
    testimage_make(&image, "liar", 100000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    fetch_hash_start(&hash);
    spoil(P2_SPACE_PAYLOAD, 20 * 4096 + 100, UINT32_MAX);
    CHECK(!boot(now + 90000000));
    CHECK(client.phase != P2_VERIFIED);
    CHECK(progress().bytes_verified < image.seal.payload_size);
    CHECK(progress().bad_chunks > 0);
    leave(&image);
}

// It has jobs when the caller gives up and takes the memory away.
TEST(stopped_with_jobs_under_way)
{
    struct testimage image;
    testimage_make(&image, "stopped", 300000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    fetch_hash_start(&hash);
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    for (unsigned i = 0; i < 1000 && !most_out; i++)
        (void)run_until(P2_VERIFIED, now + 1000);
    CHECK(most_out > 0);
    leave(&image);
}

// A thread that never gets a processor: when its board is full the caller takes jobs by twos, and before that none.
static unsigned helped;
static bool beside_nobody(void)
{
    (void)beside();
    if (!hash.board.under_way)
        return false;
    bool full = !hashboard_free(&hash.board), took = fetch_hash_help(&hash);
    if (took != full)
        abort();
    helped += took;
    return took; // nothing more comes before the board is full: the caller hashes what lies there by itself
}
TEST(help_where_the_board_is_full)
{
    struct testimage image;
    testimage_make(&image, "help", 300000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    hashboard_open(&hash.board, HASHBOARD_JOBS / HASHBOARD_EACH);
    elsewhere = beside_nobody;
    hash.running = true;
    helped = 0;
    CHECK(!fetch_hash_help(&hash));
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    (void)run_until(P2_VERIFIED, now + 5000000);
    CHECK(helped > 0);
    CHECK(progress().bytes_verified >= helped * 2 * 4096 - 16 * 4096, progress().bad_chunks == 0);
    hash.running = false;
    leave(&image);
}

TEST(no_thread)
{
    struct testimage image;
    testimage_make(&image, "alone", 100000, 1, TESTKEY_P256_A);
    setup_beside(&image);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(most_out, 0);
    leave(&image);
}

TEST_MAIN(T(image_is_verified_by_the_thread), T(wrong_chunk_is_found_by_the_thread), T(server_that_has_only_wrong_bytes),
          T(stopped_with_jobs_under_way), T(help_where_the_board_is_full),
          T(no_thread))
