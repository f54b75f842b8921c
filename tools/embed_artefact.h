// SPDX-License-Identifier: MPL-2.0
// One artefact with a slot for script and trust anchors (doc/embed-format.md), in memory.
#pragma once
#include "image/embed.h"
#include "image/romfile.h"
#include "tool.h"

struct artefact {
    const char *name; // for messages
    uint8_t *data;    // the caller's, as are the next two
    size_t len;
    bool fixed;       // a file whose size stays: what is made of it has `len` bytes as well
    struct romfile rom; // an option ROM: the program in data; else all zero
    uint8_t *slot;    // in data
    uint32_t kind, base, capacity;
    uint32_t flags;   // EMBED_FLAG_*: those that it has, and that artefact_build gives it
    uint8_t *blob;    // in data, NULL when there is none
    size_t blob_len;
    struct embed now; // what it holds
};

// Finds the slot in a->data and reads what it holds. With `clear` that is not looked at, so that damage there does not
// matter. 0, or -1 after a message.
int artefact_parse(struct artefact *a, bool clear);

// Whether an artefact that shall be installed, or is, can boot anything: it holds a trust anchor, or `none_allowed`. 0, or -1 after a message
// (also for what is no artefact, or a damaged one).
int artefact_check_anchors(const char *name, const uint8_t *data, size_t len, bool none_allowed);

// Whether a file is a boot area, whose stage the MBR starts, and not another kind of Signet. 0, or -1 after a message.
int artefact_check_boot_area(const char *name, uint8_t *data, size_t len);

// The artefact with this blob in place of what it holds. Allocated, NULL after a message. *ret_signed: it had an Authenticode
// signature, which is gone.
uint8_t *artefact_build(struct artefact *a, const uint8_t *blob, size_t blob_len, size_t *ret_len, bool *ret_signed);
