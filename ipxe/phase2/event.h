// SPDX-License-Identifier: MPL-2.0
// What Signet measures into a TPM: the text of each event, which is what is hashed and what lies in the event log
// (doc/measurements.md is normative).
//
//   event = "signet " kind { " " key "=" value }        ASCII, no NUL, no line feed
//
// A byte of a value outside of '!'..'~', and '%', is written as "%" and two upper-case hexadecimal digits; in the
// values of `from` and `text`, which come last, a blank stands for itself. So every event can be read back exactly.
#pragma once
#include "crypto/trust.h"
#include "phase2/seal.h"

#define EVENT_MAX (16 * 1024) // bytes: the longest command line and the longest URI fit, whatever is in them

// PCRs by what a verifier wants to know apart from the rest.
enum event_pcr {
    EVENT_PCR_STEPS = 8,   // how it came to this boot: scripts, typed lines, decisions, the command line
    EVENT_PCR_IMAGE = 9,   // what was started
    EVENT_PCR_POLICY = 14, // what is trusted
};

struct event {
    uint32_t pcr;
    size_t len;
    char text[EVENT_MAX];
};

// All of these return 0, or ERR_TOO_LARGE, which leaves an event that must not be used.

// The policy in force: threshold, embedded counter floor, product, key ids in ascending order.
int event_policy(struct event *ret, const struct trust_store *trust);

// A script that is about to run. `from` is a URI, or a name for people.
int event_script(struct event *ret, const char *from, const char *text, size_t len);

// A line typed into the shell, or the kernel's whole command line (kind "line", "cmdline").
int event_text(struct event *ret, const char *kind, const char *text);

// A decision about a verified image and the floor that it was held against: kind "accepted" or "refused" by the floor,
// "vouched" for before a firmware that would refuse it.
int event_decision(struct event *ret, const char *kind, const struct seal *seal, uint64_t floor);

// The kept floor of a product was changed (kind "raised", "cleared": the floor that was).
int event_floor(struct event *ret, const char *kind, const char *product, uint64_t floor);

// The image that is about to be started.
int event_image(struct event *ret, const struct seal *seal);

// For all three PCRs: from here on measurements are missing.
void event_broken(struct event *ret, uint32_t pcr);

// --- reading them back ---

// True for a well-formed event of this kind (NULL: of any), just as the functions above would write it.
bool event_is(const char *event, size_t len, const char *kind);

// The value of a key, decoded, with a NUL behind it: its length. ERR_NOT_FOUND, ERR_INVALID (malformed), ERR_TOO_LARGE.
int event_value(const char *event, size_t len, const char *key, char *value, size_t cap);
