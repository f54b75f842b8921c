// SPDX-License-Identifier: MPL-2.0
// The kept anti-rollback floor (doc/floor.md): which images are too old for this machine, how a boot gets to report
// success, and the command that shows the floor and lets a person take it away.
//
// A store that cannot be read, or is full, is said and does not keep the machine down: who can damage what only firmware
// can reach could remove it as well.
#include "core/commands.h"
#include "core/policy.h"

#include "options.h"

#define NAME_FLOOR "SignetFloor"         // ROOM_FIRMWARE
#define NAME_PENDING "SignetPending"     // ROOM_FIRMWARE
#define NAME_TOKEN "SignetBootToken"     // ROOM_SYSTEM: for the system to read
#define NAME_SUCCESS "SignetBootSuccess" // ROOM_SYSTEM: the system's answer
#define REPORT_MAX (FLOOR_TOKEN_TEXT + 1)

static bool unreadable; // something is kept and cannot be read

// NULL where nothing is kept: where the platform has no variables, and in a firmware that is built without all this.
static const struct platform_nvram *nvram_of(const struct core *core)
{
    return TPM_AND_VARIABLES ? core->platform->nvram : NULL;
}

static int load(struct core *core, enum platform_room room, const char *name, void *buf, size_t cap)
{
    return nvram_of(core)->load(core->platform->ctx, room, name, buf, cap);
}

static int store(struct core *core, enum platform_room room, const char *name, const void *data, size_t len)
{
    return nvram_of(core)->store(core->platform->ctx, room, name, data, len);
}

static const char *product_name(const char *product)
{
    return product[0] ? product : "(none)";
}

static int keep(struct core *core, const struct floor *floor)
{
    uint8_t bytes[FLOOR_SIZE_MAX];
    int err = store(core, ROOM_FIRMWARE, NAME_FLOOR, bytes, floor->count ? floor_write(floor, bytes) : 0);
    if (!err)
        core->floor = *floor;
    return err;
}

static void read_floor(struct core *core)
{
    uint8_t bytes[FLOOR_SIZE_MAX];
    int len = load(core, ROOM_FIRMWARE, NAME_FLOOR, bytes, sizeof bytes);
    if (len == ERR_NOT_FOUND)
        return;
    int err = len < 0 ? len : floor_read(bytes, (size_t)len, &core->floor);
    if (!err)
        return;
    unreadable = true;
    console_error("floor", err, "what is kept cannot be read; images are held against the embedded floor alone");
    core_measure_text(core, "unreadable", NAME_FLOOR);
}

// The last boot was of this image. True when nothing is left to be done about it.
static bool settle(struct core *core, const struct floor_pending *pending)
{
    uint8_t report[REPORT_MAX];
    int len = load(core, ROOM_SYSTEM, NAME_SUCCESS, report, sizeof report);
    if (len < 0 || !floor_reported(pending, report, (size_t)len) || unreadable)
        return true;
    struct floor raised = core->floor;
    int err = floor_raise(&raised, pending->product, pending->counter);
    if (!err)
        err = keep(core, &raised);
    if (err) {
        console_error("floor", err, "product %s cannot be raised to %llu", product_name(pending->product),
                      (unsigned long long)pending->counter);
        return false;
    }
    console_say("floor", "the last boot reported success: product %s is at %llu from now on", product_name(pending->product),
                (unsigned long long)pending->counter);
    core_measure_floor(core, "raised", pending->product, pending->counter);
    return true;
}

void core_floor_start(struct core *core)
{
    uint8_t bytes[FLOOR_PENDING_SIZE];
    struct floor_pending pending;
    unreadable = false;
    if (!nvram_of(core))
        return;
    read_floor(core);
    int len = load(core, ROOM_FIRMWARE, NAME_PENDING, bytes, sizeof bytes);
    // What could not be raised is tried again at the next start, unless another boot comes in between.
    if (len < 0 || floor_pending_read(bytes, (size_t)len, &pending) != 0 || settle(core, &pending))
        core_floor_forget(core);
}

int core_floor_check(struct core *core, const struct seal *seal)
{
    uint64_t floor = floor_of(&core->floor, seal->product);
    if (seal->counter >= floor)
        return 0;
    core_measure_decision(core, "refused", seal, floor);
    console_error("floor", ERR_SEAL_ROLLED_BACK, "%s has counter %llu, product %s is at %llu here; refused before the download",
                  seal->name, (unsigned long long)seal->counter, product_name(seal->product), (unsigned long long)floor);
    return ERR_SEAL_ROLLED_BACK;
}

void core_floor_expect(struct core *core, const struct seal *seal)
{
    const struct platform *p = core->platform;
    struct floor_pending pending = { .counter = seal->counter };
    uint8_t bytes[FLOOR_PENDING_SIZE];
    char token[FLOOR_TOKEN_TEXT];
    // Nothing is written where nothing can rise: that is every boot but the first few of a new image.
    if (!nvram_of(core) || unreadable || seal->counter <= floor_of(&core->floor, seal->product))
        return;
    memcpy(pending.product, seal->product, sizeof pending.product);
    p->random(p->ctx, pending.token, sizeof pending.token);
    floor_pending_write(&pending, bytes);
    floor_token_text(&pending, token);
    // In this order: a token that nothing is pending for would be of no use.
    int err = store(core, ROOM_FIRMWARE, NAME_PENDING, bytes, sizeof bytes);
    if (!err)
        err = store(core, ROOM_SYSTEM, NAME_TOKEN, token, sizeof token);
    if (err)
        console_error("floor", err, "this boot cannot report success, the floor stays");
}

void core_floor_forget(struct core *core)
{
    if (!nvram_of(core))
        return;
    (void)store(core, ROOM_SYSTEM, NAME_TOKEN, NULL, 0);
    (void)store(core, ROOM_FIRMWARE, NAME_PENDING, NULL, 0);
    (void)store(core, ROOM_SYSTEM, NAME_SUCCESS, NULL, 0);
}

static int show(struct core *core, struct script *s)
{
    for (uint32_t i = 0; i < core->floor.count; i++)
        script_printf(s, "product %s: %llu\n", product_name(core->floor.entries[i].product),
                      (unsigned long long)core->floor.entries[i].counter);
    if (core->floor.count == 0)
        script_printf(s, "%s\n", unreadable ? "what is kept cannot be read" : "no floor is kept");
    return 0;
}

static int clear(struct core *core, struct script *s, const char *product)
{
    struct floor rest = core->floor;
    if (!product)
        memset(&rest, 0, sizeof rest);
    else if (!floor_forget(&rest, product))
        return ERR_NOT_FOUND;
    struct floor before = core->floor;
    int err = keep(core, &rest);
    if (err)
        return err;
    unreadable = false;
    for (uint32_t i = 0; i < before.count; i++) {
        const struct floor_entry *entry = &before.entries[i];
        if (floor_of(&rest, entry->product) == 0)
            core_measure_floor(core, "cleared", entry->product, entry->counter);
    }
    return show(core, s);
}

CORE_COMMAND(floor)
{
    const char *wanted = NULL;
    const struct script_option options[] = { { 'c', "clear", false, &wanted } };
    struct core *core = s->ctx;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, 1);
    if (first < 0)
        return first;
    if (!wanted && first < argc)
        return script_usage(s, "a product is named with --clear");
    int err = nvram_of(core) ? 0 : ERR_UNSUPPORTED;
    // A script, wherever it comes from, is not a person: only a line typed into the shell clears.
    if (!err && wanted && (s != core->shell || !FLOOR_CLEAR_AT_SHELL))
        err = ERR_SCRIPT_TYPED;
    if (!err)
        err = wanted ? clear(core, s, first < argc ? argv[first] : NULL) : show(core, s);
    if (err)
        console_error("floor", err, wanted ? "not cleared" : "no floor is kept on this kind of machine");
    return err;
}
