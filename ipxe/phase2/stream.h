// SPDX-License-Identifier: MPL-2.0
// A phase-2 image that comes as a file from front to back (HTTP, TFTP, a disk), carried into an intake: verified as it arrives,
// each byte in its final place, by the same rules as over the native protocol. Pure; memory is the caller's.
#pragma once
#include "phase2/intake.h"

enum stream_state {
    STREAM_SEAL,     // collecting the seal
    STREAM_LIST,
    STREAM_PADDING,  // between list and payload: must be zero
    STREAM_PAYLOAD,
    STREAM_DIGESTS,  // all bytes are here, not all of them judged: only with digests elsewhere
    STREAM_VERIFIED, // every chunk matched
    STREAM_FAILED,
};

struct stream_ops {
    void *ctx;
    // in->seal is verified: makes room for it and calls intake_accept. An error ends the stream with it.
    int (*plan)(void *ctx, struct intake *in);
};

struct stream {
    struct intake intake;
    struct intake_slot slots[HASHBOARD_JOBS + 2];
    struct stream_ops ops;
    enum stream_state state;
    int error;
    size_t seal_have, seal_want;
    uint64_t at;       // of the file: so much is taken in
    uint64_t position; // in the current space
    uint64_t padding;
};

// seal_buf: SEAL_MAX bytes.
void stream_init(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf);

// Takes the next bytes of the file. 0, or the error that ended it (the same again from then on): any ERR_SEAL_*,
// what plan() said, ERR_SEAL_TRAILING for bytes behind the image.
int stream_input(struct stream *s, const uint8_t *data, size_t len);

// Digests elsewhere, for a caller with other processors: intake_job and its like of s->intake. Chunks that are whole wait from the first
// call of it on until it gives them out, until this hashes one here (false: there was none), or until there is no slot for the next
// one. The error of a bad chunk is s->error.
bool stream_work(struct stream *s);

// The file has ended: 0 when the image is whole and verified, the earlier error or ERR_TRUNCATED otherwise (ERR_SEAL_VERSION
// for the beginning of another version's head).
// With digests elsewhere STREAM_DIGESTS must have passed.
int stream_end(struct stream *s);
