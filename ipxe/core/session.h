// SPDX-License-Identifier: MPL-2.0
// What a start of the core knows and more than one of its files needs; nothing outside core/ sees it. What one file alone needs is that
// file's, and begins anew with the start. Beside it, by topic: network.h, vars.h (settings), policy.h (measurements, the floor),
// commands.h, scripts.h.
#pragma once
#include "base/addr.h"
#include "core/console.h"
#include "core/images.h"
#include "core/platform.h"
#include "image/embed.h"
#include "options.h"
#include "phase2/floor.h"
#include "proto/dhcp.h"
#include "proto/uri.h"
#include "script/script.h"
#include "script/settings.h"

#define CORE_CMDLINE_MAX (SEAL_CMDLINE_MAX + 512) // the verified one and what Signet appends

struct core {
    const struct platform *platform;
    uint64_t entry_us;      // when core_main was entered
    struct embed embed;
    struct settings settings;
    struct core_images images;
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

// Plans memory for a verified seal, whose bytes are in images.seal, beside what other images hold: images.coming has its map then. Says
// why when it cannot be.
int core_image_plan(struct core *core, const struct seal *seal);
// Its source failed.
void core_image_fail(struct core *core);
// It is verified, and takes the place of the one that had its name.
void core_image_done(struct core *core);
// A detached seal and its list are verified: the image is images.done, with all of its parts missing.
void core_image_sealed(struct core *core);
// Says that no image is called so, and which there are: ERR_BOOT_NO_IMAGE.
int core_image_unknown(struct core *core, const char *part, const char *name);
// Its memory is given back.
void core_image_free(struct core *core, struct core_image *image);
// That of all of them, whatever has come of them yet.
void core_image_free_all(struct core *core);
// Starts the image. Returns on failure, and with 0 when it was an application that ended well; it is not in memory any more then, and
// the others are. A network bootstrap program had all memory to itself: when one has run, no image is there.
int core_image_start(struct core *core, struct core_image *image);

// --- the local copy (keep.c, keep_reuse.c) ---

// At the start of a payload from the network: reads the chunks that a copy on the disk has, where the setting `keep`
// names one, into their places; `judge` says of each whether it is right. 0 or ERR_CANCELLED.
typedef bool core_keep_judge(void *ctx, uint32_t chunk);
bool core_keep_wanted(struct core *core); // does the setting name a place?
int core_keep_reuse(struct core *core, core_keep_judge *judge, void *ctx);
// Before a verified image starts: writes it to the disk, when it came from the network and `keep` is set. What goes wrong
// is said and ends nothing. 0 or ERR_CANCELLED.
int core_keep_image(struct core *core, struct core_image *image);

// --- fetching (fetch.c) ---

// Fetches what a URI names: an image, which is called `name` from then on (NULL: as the URI's path ends, or else as the seal has it), or a
// script, which is run; or the first file of the detached seal beside it. `boot` starts an image, with `arguments` ("": those that are sealed).
int core_chain(struct core *core, const char *uri_text, const char *name, const char *arguments, bool boot);
// The two halves of it, for those that ask for something else. The transport of a URI, relative ones resolved; says what is wrong.
struct core_transport;
int core_fetch_find(struct core *core, const char *uri_text, struct uri *ret, const struct core_transport **ret_transport);
// Asks for what images.asked says; what came is images.done. `name` as for core_chain.
int core_fetch(struct core *core, const struct core_transport *transport, const struct uri *uri, const char *name);

// --- detached seals (detached.c) ---

// `seal URI`: an image of files that come one by one. `name` may be NULL.
int core_seal(struct core *core, const char *uri_text, const char *name);
// `kernel URI`: the first part of the seal that was named before, or else of NAME.seal beside it; or a whole image. `arguments` may be "".
// What came is images.done.
int core_kernel(struct core *core, const char *uri_text, const char *name, const char *arguments);
// The first part of NAME.seal beside it. ERR_NOT_FOUND: there is none, which is said already.
int core_kernel_of_file(struct core *core, const char *uri_text, const char *name, const char *arguments);
// `initrd URI`: the next part of the image that came last. `path`: "/where", a word, the file is to be in the
// initial file system, or NULL.
int core_part(struct core *core, const char *uri_text, const char *path);
// The command line that a script gives, judged by the seal; "" is the sealed one. What does not fit is said, and leaves the sealed one.
int core_image_arguments(struct core *core, struct core_image *image, const char *text);

// Runs a script one level deeper, measured as coming `from` there, which its messages name (scripts.c). Both texts must stay.
// ERR_SCRIPT_DEPTH, said, or what the script ended with.
int core_run_script(struct core *core, const char *from, const char *text, size_t len);

// A transport is one row of core_transports (conf.c).
struct core_transport {
    const char *scheme;
    // Fetches `uri`, which is not looked at any more once a script runs. An image that was loaded and verified is
    // images.done; a script is run. 0 or an error, with everything that a person needs to know said already.
    int (*fetch)(struct core *core, const struct uri *uri);
    bool remote; // from the network: what the setting `keep` is about
    bool names;  // its paths end with the name of what is there
    bool files;  // single files lie there, and seals beside them
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
