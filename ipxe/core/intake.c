// SPDX-License-Identifier: MPL-2.0
// See intake.h.
#include "core/intake.h"

#include "core/disks.h"
#include "core/helpers.h"

int core_intake_plan(struct core *core, const struct seal *seal, const char *from)
{
    console_say("seal", "%s counter %llu verified, %u MiB in %u chunks%s", seal->name, (unsigned long long)seal->counter,
                (unsigned)((seal->payload_size + MIB - 1) >> 20), seal->chunk_count, from);
    int err = core_image_plan(core, seal);
    if (!err && !seal->detached)
        core_helpers_start(core);
    return err;
}

static void say_reused(const struct intake *in, const char *part, uint64_t bytes, const char *where)
{
    if (bytes)
        console_say(part, "%u of %u KiB are %s already and are not fetched", (unsigned)(bytes >> 10),
                    (unsigned)(in->seal.payload_size >> 10), where);
}

// Which of the chunks in memory are good was not kept, since it takes no longer to hash them.
static int reuse_memory(struct core *core, core_keep_judge *judge, void *ctx)
{
    uint64_t turned = core_now(core);
    int err = 0;
    uint32_t count = core->images.partial ? core->images.partial->seal.chunk_count : 0; // it is the one that comes
    for (uint32_t chunk = 0; !err && chunk < count; chunk++) {
        (void)judge(ctx, chunk);
        err = core_disk_turn(core, &turned);
    }
    core->images.partial = NULL;
    return err;
}

int core_intake_reuse(struct core *core, const struct intake *in, core_keep_judge *judge, void *ctx)
{
    int err = reuse_memory(core, judge, ctx);
    uint64_t memory = in->bytes_local;
    say_reused(in, "seal", memory, "in memory");
    if (!err)
        err = core_keep_reuse(core, judge, ctx);
    say_reused(in, "keep", in->bytes_local - memory, "on the disk");
    return err;
}

bool core_intake_share(struct core *core, struct intake *in)
{
    struct hash_job *job;
    bool moved = false;
    while ((job = core_helpers_done(core))) {
        intake_job_done(in, job);
        core_helpers_release(job);
        moved = true;
    }
    while ((job = core_helpers_free()) && intake_job(in, job)) {
        core_helpers_give(core, job);
        moved = true;
    }
    if (core_helpers_lost(core))
        intake_jobs_lost(in);
    return moved;
}
