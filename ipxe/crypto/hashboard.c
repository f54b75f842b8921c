// SPDX-License-Identifier: MPL-2.0
// See hashboard.h. Each job has a state, which giver and workers hand to each other: whoever moves it on owns the job.
#include "crypto/hashboard.h"

enum { JOB_FREE, JOB_READY, JOB_TAKEN, JOB_DONE };

static uint32_t state_of(const struct hash_job *job)
{
    return __atomic_load_n(&job->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct hash_job *job, uint32_t state)
{
    __atomic_store_n(&job->state, state, __ATOMIC_RELEASE);
}

// False when somebody else was faster.
static bool move_state(struct hash_job *job, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&job->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

void hashboard_open(struct hashboard *b, unsigned workers)
{
    memset(b, 0, sizeof *b);
    b->limit = workers < HASHBOARD_JOBS / HASHBOARD_EACH ? workers * HASHBOARD_EACH : HASHBOARD_JOBS;
}

static struct hash_job *find(struct hashboard *b, uint32_t state)
{
    for (unsigned i = 0; i < HASHBOARD_JOBS; i++)
        if (state_of(&b->jobs[i]) == state)
            return &b->jobs[i];
    return NULL;
}

struct hash_job *hashboard_free(struct hashboard *b)
{
    return b->under_way < b->limit ? find(b, JOB_FREE) : NULL;
}

// Behind what they are news of: who sees them sees that, too.
static void say_news(struct hashboard *b)
{
    (void)__atomic_fetch_add(&b->news, 1, __ATOMIC_RELEASE);
}

void hashboard_give(struct hashboard *b, struct hash_job *job)
{
    b->under_way++;
    set_state(job, JOB_READY);
    say_news(b);
}

struct hash_job *hashboard_done(struct hashboard *b)
{
    return find(b, JOB_DONE);
}

void hashboard_release(struct hashboard *b, struct hash_job *job)
{
    b->under_way--;
    set_state(job, JOB_FREE);
}

void hashboard_close(struct hashboard *b)
{
    __atomic_store_n(&b->closed, 1, __ATOMIC_RELEASE);
    say_news(b);
    for (unsigned i = 0; i < HASHBOARD_JOBS; i++)
        if (move_state(&b->jobs[i], JOB_READY, JOB_FREE))
            b->under_way--;
}

bool hashboard_busy(const struct hashboard *b)
{
    for (unsigned i = 0; i < HASHBOARD_JOBS; i++)
        if (state_of(&b->jobs[i]) == JOB_TAKEN)
            return true;
    return false;
}

void hash_job_run(struct hash_job *job)
{
    for (uint32_t i = 0; i < job->piece_count; i++)
        sha256_update(&job->sha, job->pieces[i].data, job->pieces[i].len);
    sha256_final(&job->sha, job->digest);
}

// Feeds two jobs together, as far as the first pieces of both go, and leaves them the rest.
static void front_of_both(struct hash_job *job, struct hash_job *other)
{
    struct digest_piece *x = &job->pieces[0], *y = &other->pieces[0];
    size_t len = job->piece_count && other->piece_count ? MIN(x->len, y->len) : 0;
    if (len == 0)
        return;
    sha256_update_two(&job->sha, x->data, &other->sha, y->data, len);
    *x = (struct digest_piece){ (const uint8_t *)x->data + len, x->len - len };
    *y = (struct digest_piece){ (const uint8_t *)y->data + len, y->len - len };
}

// A job that is this worker's now, or NULL.
static struct hash_job *take(struct hashboard *b)
{
    struct hash_job *job = find(b, JOB_READY);
    return job && move_state(job, JOB_READY, JOB_TAKEN) ? job : NULL;
}

bool hashboard_work(struct hashboard *b)
{
    struct hash_job *job = take(b);
    if (!job)
        return false;
    hash_job_run(job);
    set_state(job, JOB_DONE);
    return true;
}

bool hashboard_work_two(struct hashboard *b)
{
    struct hash_job *job = take(b), *other = job ? take(b) : NULL;
    if (!job)
        return false;
    if (other)
        front_of_both(job, other);
    hash_job_run(job);
    set_state(job, JOB_DONE);
    if (!other)
        return true;
    hash_job_run(other);
    set_state(other, JOB_DONE);
    return true;
}

bool hashboard_closed(const struct hashboard *b)
{
    return __atomic_load_n(&b->closed, __ATOMIC_ACQUIRE) != 0;
}

void hashboard_serve(struct hashboard *b, void (*rest)(const uint32_t *news, uint32_t seen))
{
    for (;;) {
        // Read before anything is looked at: what comes after a look in vain is news.
        uint32_t seen = __atomic_load_n(&b->news, __ATOMIC_ACQUIRE);
        if (hashboard_closed(b))
            return;
        if (!hashboard_work(b))
            rest(&b->news, seen);
    }
}
