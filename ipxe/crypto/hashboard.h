// SPDX-License-Identifier: MPL-2.0
// SHA-256 on other processors: jobs lie on a board, from which workers take them and where the results stay until they
// are fetched. One giver, any number of workers that share its memory; no locks, and nobody waits for anybody.
#pragma once
#include "crypto/digest.h"

#define HASH_JOB_PIECES 4
#define HASHBOARD_JOBS 16
#define HASHBOARD_EACH 4 // jobs under way for each worker, so that none waits while the giver has hundreds of frames to read

// From the giver's hand to the board and back. Until it is back, job and bytes must stay as they are.
struct hash_job {
    struct sha256 sha; // initialized, or already fed with what comes before
    struct digest_piece pieces[HASH_JOB_PIECES];
    uint32_t piece_count;
    uint32_t number; // the giver's, untouched
    uint8_t digest[SHA256_SIZE]; // the result
    uint32_t state; // the board's
};

// Makes its digest, here and now: what a worker does with it.
void hash_job_run(struct hash_job *job);

struct hashboard {
    uint32_t limit;     // jobs that may be under way
    uint32_t under_way; // given and not released
    uint32_t closed;
    uint32_t news;      // changes with each job that is given, and when the board is closed
    struct hash_job jobs[HASHBOARD_JOBS];
};

// --- the giver ---

void hashboard_open(struct hashboard *b, unsigned workers);
// A job to fill in; NULL when as many are under way as the workers can use.
struct hash_job *hashboard_free(struct hashboard *b);
void hashboard_give(struct hashboard *b, struct hash_job *job);
// A job that is done, or NULL; it lies on the board until it is released.
struct hash_job *hashboard_done(struct hashboard *b);
void hashboard_release(struct hashboard *b, struct hash_job *job);
// No worker begins anything from here on, and those that ask are told to leave. What was not begun is dropped.
void hashboard_close(struct hashboard *b);
// Is a worker still at something? After close and once false, no worker touches job or bytes any more.
bool hashboard_busy(const struct hashboard *b);

// --- a worker ---

// Does one job, if there is one. The giver may do that, too.
bool hashboard_work(struct hashboard *b);
// The same, and a second one with it by sha256_update_two, if there is one.
bool hashboard_work_two(struct hashboard *b);
// May it go?
bool hashboard_closed(const struct hashboard *b);
// All that a worker does: jobs, and `rest` when there is none, until the board is closed. A rest may be as short as it likes;
// it may be as long as *news is still what was `seen`, and not longer.
void hashboard_serve(struct hashboard *b, void (*rest)(const uint32_t *news, uint32_t seen));
