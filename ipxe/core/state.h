// SPDX-License-Identifier: MPL-2.0
// What the core knows, in one place. Files of core/ share it; nothing outside core/ sees it.
#pragma once
#include "base/addr.h"
#include "core/console.h"
#include "core/helpers.h"
#include "core/platform.h"
#include "image/embed.h"
#include "image/place.h"
#include "phase2/floor.h"
#include "proto/dhcp.h"
#include "proto/uri.h"
#include "script/lineedit.h"
#include "script/script.h"
#include "script/settings.h"

#define CORE_CHAIN_DEPTH_MAX 8
#define CORE_CMDLINE_MAX (SEAL_CMDLINE_MAX + 512) // the verified one and what Signet appends

// The image in memory: nothing of it is used before `verified`.
struct core_image {
    bool planned, verified;
    struct seal seal;
    struct place_plan plan;
    struct scatter map;
    uint8_t *list;       // chunk list, in the plan's memory
    uint8_t *chunk_bits; // one bit a verified chunk, in the plan's work memory
    bool remote;         // it comes from the network
    bool starts;         // it is fetched to be started at once
    uint8_t seal_bytes[SEAL_MAX]; // the seal as it was verified
};

struct core {
    const struct platform *platform;
    const struct script_command *commands; // conf.c's tables
    size_t command_count;
    const struct core_transport *transports;
    size_t transport_count;
    uint64_t entry_us;      // when core_main was entered
    uint64_t first_read_us; // when the first READ went out, 0: not yet
    struct embed embed;
    struct settings settings;
    unsigned lease_nic;     // the card that got a lease last, plus 1; 0: none yet
    uint32_t silent;        // bit n: on the nth card no DHCP server answered
    uint8_t settings_arena[SETTINGS_ARENA_DEFAULT];
    struct core_image image;
    struct core_helpers helpers;
    struct script scripts[CORE_CHAIN_DEPTH_MAX]; // one a nesting level
    unsigned depth;
    bool exited;            // the script that ended last did so by `exit`
    const struct uri *base; // what relative URIs are relative to; NULL: nothing
    struct lineedit edit;
    uint64_t turn_us;       // when frames were looked for last: the time of those that came
    uint64_t next_key_us;   // the keyboard is looked at now and then only: that is a BIOS call
    int key;                // pressed and not taken yet, -1 none
    struct script *shell;   // the one whose lines are typed, NULL while there is none
    struct floor floor;     // as kept by the platform
    bool floor_unreadable;  // something is kept and cannot be read
    bool unmeasured;        // a measurement failed in this boot
    uint8_t spoilt;         // bit n: the nth PCR shows it
    bool image_measured;    // PCR 9 holds an image
};

// --- time and keys (wait.c) ---

uint64_t core_now(struct core *core);

// One turn of everything: frames, timers, keyboard; idles when nothing came. ERR_CANCELLED on ctrl-C.
int core_turn(struct core *core);

// The same in the midst of work: never idles, which may take as long as the firmware's timer tick.
int core_glance(struct core *core);

// The key that was pressed, or -1.
int core_take_key(struct core *core);

// Turns for so many microseconds. ERR_CANCELLED on ctrl-C. With `any_key`, ends early with 1 at a key, which stays
// to be taken.
int core_sleep(struct core *core, uint64_t us, bool any_key);

// --- settings (vars.c) ---

extern const struct script_ops core_script_ops; // ctx is the struct core
void core_settings_init(struct core *core);
// Sets what a lease says, under "netN.dhcp", and what a proxy said, if any (NULL, or packet_len 0: none), under "proxydhcp";
// makes it the card that unscoped names mean, and applies it.
void core_settings_lease(struct core *core, unsigned nic, const struct dhcp_lease *lease, const struct dhcp_lease *proxy);
// Forgets what DHCP said to a card.
void core_settings_forget(struct core *core, unsigned nic);

// Gives the network stack the addresses, routes, MTUs, name servers and search list that the settings name now (address.c).
// To be called when these or the open cards have changed.
void core_apply_addresses(struct core *core);

// --- images (image.c) ---

// Plans memory for a verified seal and fills core->image.map. Says why when it does not fit.
int core_image_plan(struct core *core, const struct seal *seal);
void core_image_forget(struct core *core);
// Starts the verified image. Returns on failure, and with 0 when it was an application that ended well.
int core_image_start(struct core *core);

// --- the local copy (keep.c, keep_reuse.c) ---

// At the start of a payload from the network: reads the chunks that a copy on the disk has, where the setting `keep`
// names one, into their places; `judge` says of each whether it is right. 0 or ERR_CANCELLED.
typedef bool core_keep_judge(void *ctx, uint32_t chunk);
int core_keep_reuse(struct core *core, core_keep_judge *judge, void *ctx);
// Before a verified image starts: writes it to the disk, when it came from the network and `keep` is set. What goes wrong
// is said and ends nothing. 0 or ERR_CANCELLED.
int core_keep_image(struct core *core);
void core_keep_forget(void);

// --- measured boot (measure.c) ---

// The events of phase2/event.h, each to be measured before what it tells of is used. Nothing happens without a TPM, and a
// failure never ends a boot, see measure.c.
void core_measure_policy(struct core *core); // first of all
void core_measure_script(struct core *core, const char *from, const char *text, size_t len);
void core_measure_text(struct core *core, const char *kind, const char *text);
void core_measure_decision(struct core *core, const char *kind, const struct seal *seal, uint64_t floor);
void core_measure_floor(struct core *core, const char *kind, const char *product, uint64_t floor);
// The image is about to be started with this command line. ERR_TPM: it must not be.
int core_measure_start(struct core *core, const char *cmdline);

// --- the kept anti-rollback floor (floor.c) ---

// Reads it, and raises it by what the last boot has reported. Before any script.
void core_floor_start(struct core *core);
// May this verified image boot? ERR_SEAL_ROLLED_BACK, said and measured.
int core_floor_check(struct core *core, const struct seal *seal);
// The image is about to be started: lets it report success. core_floor_forget when it came back.
void core_floor_expect(struct core *core, const struct seal *seal);
void core_floor_forget(struct core *core);

// --- fetching (fetch.c) ---

// Fetches what a URI names: an image into core->image, or a script, which is run. `boot` starts an image.
int core_chain(struct core *core, const char *uri_text, bool boot);

// Runs a script one level deeper, measured as coming `from` there, which its messages name. Both texts must stay.
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

int core_disk_fetch(struct core *core, const struct uri *uri);
int core_file_fetch(struct core *core, const struct uri *uri);
int core_p2_fetch(struct core *core, const struct uri *uri);
int core_http_fetch(struct core *core, const struct uri *uri);
int core_tftp_fetch(struct core *core, const struct uri *uri);

// Whether file: would find the file. Says nothing.
bool core_file_is_there(struct core *core, const char *uri_text);

// --- the network (dhcp.c) ---

// Configures a card by DHCP: the ROM's cached answer where it is enough, our own DHCP otherwise.
int core_dhcp(struct core *core, unsigned nic, bool force);
// Any card: in turn until one has an address, those that get no link behind those that do.
int core_dhcp_any(struct core *core, bool force);
// Opens the cards that are not open yet, and waits a little for the first link. ERR_NET_NO_CARD when none could be.
int core_open_network(struct core *core);

// --- commands (commands*.c, conf.c) ---

extern const struct script_command core_commands[];
extern const size_t core_command_count;
int core_shell(struct core *core);

#define CORE_COMMAND(name) int command_##name(struct script *s, int argc, char **argv)
CORE_COMMAND(boot);
CORE_COMMAND(cat);
CORE_COMMAND(chain);
CORE_COMMAND(dhcp);
CORE_COMMAND(floor);
CORE_COMMAND(ifclose);
CORE_COMMAND(ifopen);
CORE_COMMAND(ifstat);
CORE_COMMAND(imgfetch);
CORE_COMMAND(imgfree);
CORE_COMMAND(imgstat);
CORE_COMMAND(ls);
CORE_COMMAND(poweroff);
CORE_COMMAND(prompt);
CORE_COMMAND(reboot);
CORE_COMMAND(shell);
CORE_COMMAND(sleep);
