// SPDX-License-Identifier: MPL-2.0
// See intake.h.
#include "core/intake.h"

int core_intake_plan(struct core *core, const struct seal *seal, const char *from)
{
    console_say("seal", "%s counter %llu verified, %u MiB in %u chunks%s", seal->name, (unsigned long long)seal->counter,
                (unsigned)((seal->payload_size + MIB - 1) >> 20), seal->chunk_count, from);
    int err = core_image_plan(core, seal);
    if (!err)
        core_helpers_start(core);
    return err;
}

bool core_intake_share(struct core *core, struct intake *in)
{
    struct hash_job *job;
    bool moved = false;
    while ((job = core_helpers_done(core))) {
        intake_job_done(in, job);
        core_helpers_release(core, job);
        moved = true;
    }
    while ((job = core_helpers_free(core)) && intake_job(in, job)) {
        core_helpers_give(core, job);
        moved = true;
    }
    if (core_helpers_lost(core))
        intake_jobs_lost(in);
    return moved;
}
