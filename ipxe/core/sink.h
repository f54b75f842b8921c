// SPDX-License-Identifier: MPL-2.0
// Where the bytes of a file transport (HTTP, TFTP) go: what they begin with decides whether they are a signed
// image, which is verified as it arrives, or a script, which is run when it is whole. Where images.asked says so, they are a detached
// seal, or the file of one of its parts, and nothing else.
// An image of which the way brought a part goes on behind that, and chunks that are at hand are passed over: each byte is verified
// by the seal, so it does not matter that the file may have changed meanwhile. A script does not, for it would be made of two.
#pragma once
#include "base/range.h"
#include "core/session.h"
#include "phase2/stream.h"

#define SINK_SCRIPT_MAX (64 * 1024)
#define SINK_TRIES_MAX 5       // of one place in an image: 0, 1, 3 and 6 s after the first one failed
#define SINK_TRIES_SILENT 3    // silence has taken its time already, and counts for so many of them
#define SINK_PAUSE_US 1000000u
#define SINK_GAIN (256 * 1024) // bytes further on there is another place; a server that always cuts after less has an end
#define SINK_SNIFF 8 // bytes that tell a script from an image: SEAL_MAGIC, or "#!ipxe\n"

struct core_sink {
    struct core *core;
    struct uri uri; // where it comes from: the base of relative URIs in a script
    enum { SINK_SNIFFING, SINK_IMAGE, SINK_SCRIPT } kind;
    unsigned asked;           // images.asked, as it was when the fetch began
    struct core_image *image; // whose part it is, for ASKED_PART
    uint32_t part;
    size_t head_len;
    bool begun;
    bool local;         // some of the image may be at hand: its front is asked for, then what is missing
    unsigned tries;     // of the place
    uint64_t place;     // in the file
    uint64_t started, digest_us;
    struct meter meter;
    struct stream stream;
    char from[URI_TEXT_MAX];       // the URI as text, for a script
    uint8_t head[SINK_SCRIPT_MAX]; // the first bytes, then the script
};

// Makes a sink on the platform's heap. ERR_NO_MEMORY.
int core_sink_open(struct core_sink **ret, struct core *core, const struct uri *uri);

// Which bytes of the file are to be asked for, in *range, once more after those that it named came to `err` (0: to their end, or
// core_sink_enough): 0, and the transport asks and gives them to core_sink_bytes; or 1, nothing is wanted any more; or the error that
// the transfer ends with. A transport that was given all of the file sets range->to to RANGE_END. Before the second and further tries
// of one place it waits. Nothing may be on its way: what is at hand is read meanwhile.
int core_sink_next(struct core_sink *sink, int err, struct range *range);

// Need no more come now? To be asked in each turn; then core_sink_next.
bool core_sink_enough(const struct core_sink *sink);

// Is it a detached seal that was asked for, which does not lie there? Says so.
bool core_sink_no_seal(const struct core *core, const struct uri *uri, int err);

// The next bytes, in order. An error ends the transfer and is what core_sink_close will say again.
int core_sink_data(struct core_sink *sink, const uint8_t *data, size_t len);

// Bytes of the file from `at` on: those that are taken in already are passed over.
int core_sink_bytes(struct core_sink *sink, uint64_t at, const uint8_t *data, size_t len);

// All bytes are there (err 0), or the transport failed with `err`. Says on the console what came of it, runs a
// script, and frees the sink. An image is images.done when 0 is returned.
int core_sink_close(struct core_sink *sink, int err);
