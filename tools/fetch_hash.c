// SPDX-License-Identifier: MPL-2.0
// See fetch_hash.h.
#include "fetch_hash.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// One thread hashes faster than one receives. As many jobs as the board has, so that it does not run dry while the main
// thread reads a long row of datagrams.
#define BOARD_WORKERS (HASHBOARD_JOBS / HASHBOARD_EACH)

static void *serve(void *arg)
{
    struct fetch_hash *h = arg;
    for (;;) {
        // Read before the look, so that a job given after a look in vain ends the wait.
        uint32_t seen = __atomic_load_n(&h->board.news, __ATOMIC_ACQUIRE);
        if (hashboard_closed(&h->board))
            return NULL;
        if (hashboard_work_two(&h->board))
            (void)eventfd_write(h->news, 1);
        else
            (void)syscall(SYS_futex, &h->board.news, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
}

static void wake(struct fetch_hash *h)
{
    (void)syscall(SYS_futex, &h->board.news, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void fetch_hash_start(struct fetch_hash *h)
{
    const char *by;
    (void)sha256_accelerate(&by);
    hashboard_open(&h->board, BOARD_WORKERS);
    h->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->running = h->news >= 0 && pthread_create(&h->thread, NULL, serve, h) == 0;
    if (!h->running && h->news >= 0) {
        close(h->news);
        h->news = -1;
    }
}

void fetch_hash_turn(struct fetch_hash *h, struct p2_client *client)
{
    struct hash_job *job;
    bool given = false;
    if (!h->running)
        return;
    while ((job = hashboard_done(&h->board))) {
        intake_job_done(&client->intake, job);
        hashboard_release(&h->board, job);
    }
    while ((job = hashboard_free(&h->board)) && intake_job(&client->intake, job)) {
        hashboard_give(&h->board, job);
        given = true;
    }
    if (given)
        wake(h);
}

bool fetch_hash_help(struct fetch_hash *h)
{
    return h->running && !hashboard_free(&h->board) && hashboard_work_two(&h->board);
}

void fetch_hash_stop(struct fetch_hash *h)
{
    if (!h->running)
        return;
    hashboard_close(&h->board);
    wake(h);
    pthread_join(h->thread, NULL);
    close(h->news);
    h->news = -1;
    h->running = false;
}
