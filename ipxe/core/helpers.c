// SPDX-License-Identifier: MPL-2.0
// See helpers.h.
#include "core/helpers.h"

#include "core/session.h"

#define PATIENCE_US 10000000u // for one job: 4 MiB at 1 MB/s and more

static struct {
    struct hashboard board;
    unsigned count;    // processors that work now; 0: none, and nothing may be given
    uint64_t heard_us; // when one of them last brought something back, or could have begun
    unsigned jobs;     // that came back, of this download
    bool unreliable;   // one did not come back in time: not asked again
} helpers;

void core_helpers_init(void)
{
    memset(&helpers, 0, sizeof helpers);
}

void core_helpers_start(struct core *core)
{
    const struct platform *p = core->platform;
    helpers.jobs = 0;
    if (!p->helpers_start || helpers.unreliable || helpers.count)
        return;
    helpers.count = p->helpers_start(p->ctx, &helpers.board);
    helpers.heard_us = core_now(core);
    if (helpers.count)
        console_say("digest", "%u more processor%s hashing", helpers.count, helpers.count == 1 ? "" : "s");
}

void core_helpers_stop(struct core *core)
{
    const struct platform *p = core->platform;
    if (!helpers.count)
        return;
    hashboard_close(&helpers.board);
    uint64_t end = core_now(core) + PATIENCE_US;
    while (hashboard_busy(&helpers.board) && core_now(core) < end)
        ;
    helpers.unreliable |= hashboard_busy(&helpers.board);
    helpers.count = 0;
    p->helpers_stop(p->ctx);
}

struct hash_job *core_helpers_free(void)
{
    return helpers.count ? hashboard_free(&helpers.board) : NULL;
}

void core_helpers_give(struct core *core, struct hash_job *job)
{
    if (helpers.board.under_way == 0)
        helpers.heard_us = core_now(core);
    hashboard_give(&helpers.board, job);
}

struct hash_job *core_helpers_done(struct core *core)
{
    struct hash_job *job = helpers.count ? hashboard_done(&helpers.board) : NULL;
    if (job)
        helpers.heard_us = core_now(core);
    return job;
}

void core_helpers_release(struct hash_job *job)
{
    helpers.jobs++;
    hashboard_release(&helpers.board, job);
}

bool core_helpers_busy(void)
{
    return helpers.count && helpers.board.under_way;
}

unsigned core_helpers_jobs(void)
{
    return helpers.jobs;
}

bool core_helpers_work(void)
{
    return helpers.count && hashboard_work(&helpers.board);
}

bool core_helpers_lost(struct core *core)
{
    if (!core_helpers_busy() || core_now(core) - helpers.heard_us < PATIENCE_US)
        return false;
    console_say("digest", "the other processors do not answer; going on without them");
    helpers.unreliable = true;
    core_helpers_stop(core);
    return true;
}
