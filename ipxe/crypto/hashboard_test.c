// SPDX-License-Identifier: MPL-2.0
// The board by itself, and with threads for workers.
#include <pthread.h>
#include <sched.h>

#include "base/test.h"
#include "crypto/hashboard.h"

#define ROUNDS 2000
#define WORKERS 3
#define LENGTH 5000

static struct hashboard board;
static uint8_t data[LENGTH];

static void data_fill(void)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + i / 256);
}

// Bytes [0, len) of the data from the middle of a context, in two pieces.
static void job_fill(struct hash_job *job, uint32_t len)
{
    uint32_t before = len / 3, half = (len - before) / 2;
    sha256_init(&job->sha);
    sha256_update(&job->sha, data, before);
    job->pieces[0] = (struct digest_piece){ data + before, half };
    job->pieces[1] = (struct digest_piece){ data + before + half, len - before - half };
    job->piece_count = 2;
    job->number = len;
}

static bool job_right(const struct hash_job *job)
{
    uint8_t digest[SHA256_SIZE];
    sha256(data, job->number, digest);
    return memcmp(digest, job->digest, sizeof digest) == 0;
}

TEST(one_after_the_other)
{
    data_fill();
    hashboard_open(&board, 1);
    CHECK(!hashboard_work(&board));
    CHECK(!hashboard_done(&board));
    struct hash_job *job = hashboard_free(&board);
    CHECK(job);
    job_fill(job, 1000);
    hashboard_give(&board, job);
    CHECK(!hashboard_done(&board));
    CHECK(hashboard_work(&board));
    CHECK(!hashboard_work(&board));
    CHECK(hashboard_done(&board) == job);
    CHECK(job_right(job));
    hashboard_release(&board, job);
    CHECK(!hashboard_done(&board));
}

// Of different lengths, also none, in pieces that end elsewhere.
TEST(two_together)
{
    static const uint32_t lengths[] = { 0, 1, 700, 1000, 1000, 4500 };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
            hashboard_open(&board, 1);
            CHECK(!hashboard_work_two(&board));
            struct hash_job *jobs[3];
            for (unsigned k = 0; k < 3; k++) {
                jobs[k] = hashboard_free(&board);
                job_fill(jobs[k], k == 0 ? lengths[i] : k == 1 ? lengths[j] : 900);
                hashboard_give(&board, jobs[k]);
            }
            CHECK(hashboard_work_two(&board), job_right(jobs[0]), job_right(jobs[1]));
            CHECK(jobs[2]->state != jobs[1]->state); // the third is nobody's yet
            CHECK(hashboard_work_two(&board), job_right(jobs[2]), !hashboard_work_two(&board));
        }
    }
    hashboard_open(&board, 1);
    struct hash_job *none = hashboard_free(&board), *some;
    job_fill(none, 900);
    none->piece_count = 0;
    sha256_update(&none->sha, data + 300, 600);
    hashboard_give(&board, none);
    some = hashboard_free(&board);
    job_fill(some, 900);
    hashboard_give(&board, some);
    CHECK(hashboard_work_two(&board), job_right(none), job_right(some));
}

TEST(no_more_than_the_workers_can_use)
{
    static const struct { unsigned workers, jobs; } cases[] = { { 0, 0 }, { 1, 4 }, { 3, 12 }, { 4, 16 }, { 8, 16 }, { 255, 16 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned given = 0;
        struct hash_job *job, *last = NULL;
        hashboard_open(&board, cases[i].workers);
        for (; (job = hashboard_free(&board)); given++) {
            job_fill(job, 10);
            hashboard_give(&board, job);
            last = job;
        }
        CHECK_EQ(given, cases[i].jobs);
        if (!last)
            continue;
        while (hashboard_work(&board))
            CHECK(!hashboard_free(&board)); // done is not yet fetched
        hashboard_release(&board, last);
        CHECK(hashboard_free(&board) == last);
    }
}

TEST(closed_board_drops_what_was_not_begun)
{
    hashboard_open(&board, 2);
    for (uint32_t i = 0; i < 3; i++) {
        struct hash_job *job = hashboard_free(&board);
        job_fill(job, 100 + i);
        hashboard_give(&board, job);
    }
    CHECK(hashboard_work(&board));
    CHECK(!hashboard_closed(&board));
    hashboard_close(&board);
    CHECK(hashboard_closed(&board));
    CHECK(!hashboard_work(&board));
    CHECK(!hashboard_busy(&board));
    CHECK_EQ(board.under_way, 1); // the one that is done can still be fetched
    CHECK(job_right(hashboard_done(&board)));
}

// As long as a rest may be: a change of the news that is not said leaves the worker here for good.
static void rest(const uint32_t *news, uint32_t seen)
{
    while (__atomic_load_n(news, __ATOMIC_ACQUIRE) == seen)
        sched_yield();
}

static void *worker(void *arg)
{
    hashboard_serve(&board, rest);
    return NULL;
}

TEST(with_threads)
{
    pthread_t threads[WORKERS];
    hashboard_open(&board, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, worker, NULL), 0);
    unsigned given = 0, done = 0, wrong = 0;
    while (done < ROUNDS) {
        struct hash_job *job;
        while (given < ROUNDS && (job = hashboard_free(&board))) {
            job_fill(job, given++ * 7 % LENGTH);
            hashboard_give(&board, job);
        }
        while ((job = hashboard_done(&board))) {
            wrong += !job_right(job);
            done++;
            hashboard_release(&board, job);
        }
        sched_yield();
    }
    hashboard_close(&board);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(board.under_way, 0);
}

// Closed while they work: once nobody is busy, nobody touches a byte. The threads are still there then.
TEST(closed_under_way)
{
    for (int round = 0; round < 50; round++) {
        pthread_t threads[WORKERS];
        uint8_t *bytes = malloc(64 * 1024);
        memset(bytes, round, 64 * 1024);
        hashboard_open(&board, WORKERS);
        for (int i = 0; i < WORKERS; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, worker, NULL), 0);
        for (struct hash_job *job; (job = hashboard_free(&board));) {
            job->pieces[0] = (struct digest_piece){ bytes, 64 * 1024 };
            job->piece_count = 1;
            sha256_init(&job->sha);
            hashboard_give(&board, job);
        }
        for (int i = 0; i < round; i++)
            sched_yield();
        hashboard_close(&board);
        while (hashboard_busy(&board))
            sched_yield();
        free(bytes); // AddressSanitizer sees who reads on
        for (int i = 0; i < WORKERS; i++)
            pthread_join(threads[i], NULL);
    }
}

TEST_MAIN(T(one_after_the_other), T(two_together), T(no_more_than_the_workers_can_use), T(closed_board_drops_what_was_not_begun),
          T(with_threads), T(closed_under_way))
