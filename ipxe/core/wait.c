// SPDX-License-Identifier: MPL-2.0
// Time passes here: every loop that waits for something turns through core_turn, so that frames, timers, the lease and the
// keyboard go on whatever is being waited for.
#include "core/session.h"
#include "net/net.h"

#define KEY_INTERVAL_US 50000
#define KEY_CTRL_C 3

uint64_t core_now(struct core *core)
{
    return core->platform->now_us(core->platform->ctx);
}

// One reading of the clock for a round of frames: a second one for each of them is no more exact.
static unsigned take_frames(struct core *core)
{
    core->turn_us = core_now(core);
    return net_poll();
}

// What is looked at now and then.
static int take_keys(struct core *core)
{
    const struct platform *p = core->platform;
    if (core->turn_us < core->next_key_us)
        return 0;
    core->next_key_us = core->turn_us + KEY_INTERVAL_US;
    if (core->renew)
        core->renew_us = core->renew(core);
    int key = p->console_getkey(p->ctx);
    if (key == KEY_CTRL_C)
        return ERR_CANCELLED;
    if (key >= 0)
        core->key = key;
    return 0;
}

// Of the caller, the stack and the lease the first one. A key ends a sleep by itself.
static void idle(struct core *core, uint64_t deadline)
{
    if (SLEEPS_BY_DEADLINE)
        deadline = MIN(deadline, net_deadline());
    if (SLEEPS_BY_DEADLINE && core->renew)
        deadline = MIN(deadline, MAX(core->renew_us, core->next_key_us)); // when it is looked after
    core->platform->idle(core->platform->ctx, deadline);
}

int core_turn_until(struct core *core, uint64_t deadline)
{
    if (take_frames(core) == 0)
        idle(core, deadline);
    return take_keys(core);
}

int core_glance(struct core *core)
{
    (void)take_frames(core);
    return take_keys(core);
}

int core_drive(struct core *core, core_step *step, void *ctx)
{
    int result, turned = 0;
    do {
        uint64_t wake = UINT64_MAX;
        result = step(ctx, &wake);
        if (result == PENDING)
            turned = wake == WAKE_AT_ONCE ? core_glance(core) : core_turn(core, wake);
    } while (result == PENDING && !turned);
    return turned ? turned : result;
}

int core_take_key(struct core *core)
{
    int key = core->key;
    core->key = -1;
    core->next_key_us = 0; // the next one of a sequence is likely there already
    return key;
}

int core_sleep(struct core *core, uint64_t us, bool any_key)
{
    uint64_t end = core_now(core) + us;
    while (core_now(core) < end) {
        int err = core_turn(core, end);
        if (err)
            return err;
        if (any_key && core->key >= 0)
            return 1;
    }
    return 0;
}
