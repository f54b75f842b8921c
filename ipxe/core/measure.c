// SPDX-License-Identifier: MPL-2.0
// Measured boot (doc/measurements.md). A TPM that fails must not keep a rack from coming up, and what was not measured
// must not look as if it had been. So the first failure is the last ordinary measurement of this boot: from then on
// each PCR of ours gets one event that no sound boot has, as soon as the TPM takes it, and nothing else. If it never takes
// it, PCR 9 stays without the image, which is measured last of all: neither can be taken for a sound boot. There is one
// case where it could, and only there nothing is started: PCR 9 holds an earlier image of this boot, which came back.
#include "core/policy.h"

#include "options.h"
#include "phase2/event.h"

static struct event event; // the one that is being measured
static const uint32_t pcrs[] = { EVENT_PCR_STEPS, EVENT_PCR_IMAGE, EVENT_PCR_POLICY };
#define SPOILT_IMAGE (1u << 1)
static struct {
    bool unmeasured;     // a measurement failed
    uint8_t spoilt;      // bit n: the nth PCR shows it
    bool image_measured; // PCR 9 holds an image
} state; // of this start

static bool measures(const struct core *core)
{
    return TPM_AND_VARIABLES && core->platform->measure;
}

static void spoil(struct core *core)
{
    const struct platform *p = core->platform;
    for (unsigned i = 0; i < ARRAY_SIZE(pcrs); i++) {
        if (state.spoilt & 1u << i)
            continue;
        event_broken(&event, pcrs[i]);
        if (p->measure(p->ctx, pcrs[i], event.text, event.len) == 0)
            state.spoilt |= (uint8_t)(1u << i);
    }
}

// Measures the event, which was made with the result `err`.
static void measure(struct core *core, int err)
{
    const struct platform *p = core->platform;
    if (!err && !state.unmeasured)
        err = p->measure(p->ctx, event.pcr, event.text, event.len);
    if (err && !state.unmeasured) {
        console_error("tpm", err, "the boot goes on, and its measurements are spoilt");
        state.unmeasured = true;
    }
    if (state.unmeasured)
        spoil(core);
}

void core_measure_policy(struct core *core)
{
    memset(&state, 0, sizeof state);
    if (!measures(core))
        return;
    console_say("tpm", "what decides and what is started is measured into PCRs %u, %u and %u", pcrs[0], pcrs[1], pcrs[2]);
    measure(core, event_policy(&event, &core->embed.trust));
}

void core_measure_script(struct core *core, const char *from, const char *text, size_t len)
{
    if (measures(core))
        measure(core, event_script(&event, from, text, len));
}

void core_measure_text(struct core *core, const char *kind, const char *text)
{
    if (measures(core))
        measure(core, event_text(&event, kind, text));
}

void core_measure_decision(struct core *core, const char *kind, const struct seal *seal, uint64_t floor)
{
    if (measures(core))
        measure(core, event_decision(&event, kind, seal, floor));
}

void core_measure_floor(struct core *core, const char *kind, const char *product, uint64_t floor)
{
    if (measures(core))
        measure(core, event_floor(&event, kind, product, floor));
}

// Nothing of the image has been used so far but the seal, to find its place: a download that was given up leaves no trace.
int core_measure_start(struct core *core, const struct seal *seal, const char *cmdline)
{
    uint64_t floor = floor_of(&core->floor, seal->product);
    core_measure_decision(core, "accepted", seal, floor);
    if (core->platform->vouches)
        core_measure_decision(core, "vouched", seal, floor);
    core_measure_text(core, "cmdline", cmdline);
    if (!measures(core))
        return 0;
    measure(core, event_image(&event, seal));
    if (state.unmeasured && state.image_measured && !(state.spoilt & SPOILT_IMAGE)) {
        console_error("tpm", ERR_TPM, "what it says is true of an earlier image; the machine must be restarted");
        return ERR_TPM;
    }
    state.image_measured |= !state.unmeasured;
    return 0;
}
