// SPDX-License-Identifier: MPL-2.0
// What a start of the core knows and more than one of its files needs; nothing outside core/ sees it. What one file alone needs is that
// file's, and begins anew with the start. Beside it, by topic: network.h, vars.h (settings), policy.h (measurements, the floor),
// commands.h, scripts.h.
#pragma once
#include "base/addr.h"
#include "core/console.h"
#include "core/platform.h"
#include "image/embed.h"
#include "image/place.h"
#include "options.h"
#include "phase2/floor.h"
#include "proto/dhcp.h"
#include "proto/uri.h"
#include "script/script.h"
#include "script/settings.h"

#define CORE_CMDLINE_MAX (SEAL_CMDLINE_MAX + 512) // the verified one and what Signet appends

// The image in memory: nothing of it is used before `verified`.
struct core_image {
    bool planned, verified;
    bool partial;        // a source failed: what it brought lies in the plan's memory, for the next one if it has the same image
    struct seal seal;
    struct place_plan plan;
    struct scatter map;
    uint8_t *list;       // chunk list, in the plan's memory
    uint8_t *chunk_bits; // one bit a verified chunk, in the plan's work memory
    bool remote;         // it comes from the network
    bool starts;         // it is fetched to be started at once
    enum { KEEP_UNSOUGHT, KEEP_OPEN, KEEP_NONE } keep; // the place for its copy on a disk (keep.c), which is sought once
    uint8_t seal_bytes[SEAL_MAX]; // the seal as it was verified
};

struct core {
    const struct platform *platform;
    uint64_t entry_us;      // when core_main was entered
    struct embed embed;
    struct settings settings;
    struct core_image image;
    const struct uri *base; // what relative URIs are relative to; NULL: nothing
    uint64_t turn_us;       // when frames were looked for last: the time of those that came
    uint64_t next_key_us;   // the keyboard is looked at now and then only: that is a BIOS call
    int key;                // pressed and not taken yet, -1 none
    struct script *shell;   // the one whose lines are typed, NULL while there is none
    struct floor floor;     // as kept by the platform
    // Looks after the lease now and then, and says when it has to again; NULL: there is none to be kept.
    uint64_t (*renew)(struct core *core);
    uint64_t renew_us;      // what it said
};

// --- time and keys (wait.c) ---

uint64_t core_now(struct core *core);

// One turn of everything: frames, timers, keyboard. When nothing came it may sleep until something comes, or until `deadline`, when the
// caller has something to do of itself: 0 does not sleep, UINT64_MAX waits for frames and keys alone. ERR_CANCELLED on ctrl-C.
int core_turn_until(struct core *core, uint64_t deadline);
#define core_turn(core, deadline) core_turn_until(core, SLEEPS_BY_DEADLINE ? (deadline) : UINT64_MAX) // which is then not worked out

// The same in the midst of work: never idles, which may take as long as the firmware's timer tick.
int core_glance(struct core *core);

// A step of what is waited for: sends what is due, and says how it stands: PENDING, or how it has ended. `wake`: when the next step is
// due though nothing comes, of core_now's clock; at first never, WAKE_AT_ONCE: there is work left.
typedef int core_step(void *ctx, uint64_t *wake);
#define WAKE_AT_ONCE 0
// Steps and turns until that has ended: with its result, or ERR_CANCELLED.
int core_drive(struct core *core, core_step *step, void *ctx);

// The key that was pressed, or -1.
int core_take_key(struct core *core);

// Turns for so many microseconds. ERR_CANCELLED on ctrl-C. With `any_key`, ends early with 1 at a key, which stays
// to be taken.
int core_sleep(struct core *core, uint64_t us, bool any_key);

// --- images (image.c) ---

// Plans memory for a verified seal and fills core->image.map. Says why when it does not fit.
int core_image_plan(struct core *core, const struct seal *seal);
void core_image_forget(struct core *core);
// Its source failed.
void core_image_fail(struct core *core);
// Starts the verified image. Returns on failure, and with 0 when it was an application that ended well.
int core_image_start(struct core *core);

// --- the local copy (keep.c, keep_reuse.c) ---

// At the start of a payload from the network: reads the chunks that a copy on the disk has, where the setting `keep`
// names one, into their places; `judge` says of each whether it is right. 0 or ERR_CANCELLED.
typedef bool core_keep_judge(void *ctx, uint32_t chunk);
bool core_keep_wanted(struct core *core); // does the setting name a place?
int core_keep_reuse(struct core *core, core_keep_judge *judge, void *ctx);
// Before a verified image starts: writes it to the disk, when it came from the network and `keep` is set. What goes wrong
// is said and ends nothing. 0 or ERR_CANCELLED.
int core_keep_image(struct core *core);

// --- fetching (fetch.c) ---

// Fetches what a URI names: an image into core->image, or a script, which is run. `boot` starts an image.
int core_chain(struct core *core, const char *uri_text, bool boot);

// Runs a script one level deeper, measured as coming `from` there, which its messages name (scripts.c). Both texts must stay.
// ERR_SCRIPT_DEPTH, said, or what the script ended with.
int core_run_script(struct core *core, const char *from, const char *text, size_t len);

// A transport is one row of core_transports (conf.c).
struct core_transport {
    const char *scheme;
    // Fetches `uri`, which is not looked at any more once a script runs. An image that was loaded and verified is in
    // core->image; a script is run. 0 or an error,
    // with everything that a person needs to know said already.
    int (*fetch)(struct core *core, const struct uri *uri);
    bool remote; // from the network: what the setting `keep` is about
};
extern const struct core_transport core_transports[];
extern const size_t core_transport_count;
void core_fetch_start(const struct core_transport *table, size_t count); // for each start: these there are

int core_disk_fetch(struct core *core, const struct uri *uri);
int core_file_fetch(struct core *core, const struct uri *uri);
int core_p2_fetch(struct core *core, const struct uri *uri);
int core_http_fetch(struct core *core, const struct uri *uri);
int core_tftp_fetch(struct core *core, const struct uri *uri);

// Whether file: would find the file. Says nothing.
bool core_file_is_there(struct core *core, const char *uri_text);
