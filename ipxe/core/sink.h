// SPDX-License-Identifier: MPL-2.0
// Where the bytes of a file transport (HTTP, TFTP) go: what they begin with decides whether they are a signed
// image, which is verified as it arrives, or a script, which is run when it is whole.
#pragma once
#include "core/state.h"
#include "phase2/stream.h"

#define SINK_SCRIPT_MAX (64 * 1024)
#define SINK_SNIFF 8 // bytes that tell a script from an image: SEAL_MAGIC, or "#!ipxe\n"

struct core_sink {
    struct core *core;
    struct uri uri; // where it comes from: the base of relative URIs in a script
    enum { SINK_SNIFFING, SINK_IMAGE, SINK_SCRIPT } kind;
    size_t head_len;
    uint64_t started, digest_us;
    struct meter meter;
    struct stream stream;
    char from[URI_TEXT_MAX];       // the URI as text, for a script
    uint8_t head[SINK_SCRIPT_MAX]; // the first bytes, then the script
};

// Makes a sink on the platform's heap. ERR_NO_MEMORY.
int core_sink_open(struct core_sink **ret, struct core *core, const struct uri *uri);

// The next bytes, in order. An error ends the transfer and is what core_sink_end will say again.
int core_sink_data(struct core_sink *sink, const uint8_t *data, size_t len);

// All bytes are there (err 0), or the transport failed with `err`. Says on the console what came of it, runs a
// script, and frees the sink. The image is in core->image when 0 is returned and it was one.
int core_sink_close(struct core_sink *sink, int err);
