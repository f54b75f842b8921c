// SPDX-License-Identifier: MPL-2.0
// See helpers.h.
#include "core/helpers.h"

#include "core/session.h"

#define PATIENCE_US 10000000u // for one job: 4 MiB at 1 MB/s and more

void core_helpers_start(struct core *core)
{
    const struct platform *p = core->platform;
    struct core_helpers *h = &core->helpers;
    h->jobs = 0;
    if (!p->helpers_start || h->unreliable || h->count)
        return;
    h->count = p->helpers_start(p->ctx, &h->board);
    h->heard_us = core_now(core);
    if (h->count)
        console_say("digest", "%u more processor%s hashing", h->count, h->count == 1 ? "" : "s");
}

void core_helpers_stop(struct core *core)
{
    const struct platform *p = core->platform;
    struct core_helpers *h = &core->helpers;
    if (!h->count)
        return;
    hashboard_close(&h->board);
    uint64_t end = core_now(core) + PATIENCE_US;
    while (hashboard_busy(&h->board) && core_now(core) < end)
        ;
    h->unreliable |= hashboard_busy(&h->board);
    h->count = 0;
    p->helpers_stop(p->ctx);
}

struct hash_job *core_helpers_free(struct core *core)
{
    return core->helpers.count ? hashboard_free(&core->helpers.board) : NULL;
}

void core_helpers_give(struct core *core, struct hash_job *job)
{
    struct core_helpers *h = &core->helpers;
    if (h->board.under_way == 0)
        h->heard_us = core_now(core);
    hashboard_give(&h->board, job);
}

struct hash_job *core_helpers_done(struct core *core)
{
    struct core_helpers *h = &core->helpers;
    struct hash_job *job = h->count ? hashboard_done(&h->board) : NULL;
    if (job)
        h->heard_us = core_now(core);
    return job;
}

void core_helpers_release(struct core *core, struct hash_job *job)
{
    core->helpers.jobs++;
    hashboard_release(&core->helpers.board, job);
}

bool core_helpers_work(struct core *core)
{
    return core->helpers.count && hashboard_work(&core->helpers.board);
}

bool core_helpers_lost(struct core *core)
{
    struct core_helpers *h = &core->helpers;
    if (!h->count || h->board.under_way == 0 || core_now(core) - h->heard_us < PATIENCE_US)
        return false;
    console_say("digest", "the other processors do not answer; going on without them");
    h->unreliable = true;
    core_helpers_stop(core);
    return true;
}
