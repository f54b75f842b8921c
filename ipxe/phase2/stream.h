// SPDX-License-Identifier: MPL-2.0
// A phase-2 image that comes as a file from front to back (HTTP, TFTP, a disk), carried into an intake: verified as it arrives,
// each byte in its final place, by the same rules as over the native protocol. Chunks that are at hand already are passed over, and
// who can ask for ranges is told which ones. A detached seal comes as such a file, and each of its parts as one more.
// Pure; memory is the caller's.
#pragma once
#include "base/range.h"
#include "phase2/intake.h"

#define STREAM_FRONT 4096        // bytes of the file asked for first where little may be missing: a seal, and some list
#define STREAM_GAP (64 * 1024)   // what is here between two ranges is asked for with them, up to so much: a request costs more

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
    bool hold;         // set by the caller: what comes behind the list is dropped, until stream_go
    uint64_t at;       // of the file: so much is taken in, or passed over
    uint64_t payload_at; // in the file
    uint64_t position; // in the current space
    // In the payload: where the bytes of the file begin and end, and up to where zeros follow them. Of an image all of it.
    uint64_t file_start, file_end, end;
    const uint8_t *front_end; // of what stands in front of the file
    uint32_t wanted;   // chunks that are verified when the file is
    uint64_t padding;
};

// seal_buf: SEAL_MAX bytes.
void stream_init(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf);

// The same for a detached seal, which is verified when its list is.
void stream_init_detached(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf);
// The file of a part of a verified detached seal, whose list lies there; of its chunks some may be verified, or given to intake_local before
// stream_go, which must come before the first byte. ERR_INVALID, ERR_SEAL_LIST.
int stream_init_part(struct stream *s, const struct seal *seal, uint32_t part, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits);

// Takes the next bytes of the file. 0, or the error that ended it (the same again from then on): any ERR_SEAL_*,
// what plan() said, ERR_SEAL_TRAILING for bytes behind the image.
int stream_input(struct stream *s, const uint8_t *data, size_t len);

// What is at hand of the payload was given to intake_local: the rest is taken from here on.
void stream_go(struct stream *s);

// Which bytes of the file are wanted next: in front of the payload STREAM_FRONT, or all that is known of; in it, a run of missing
// chunks. From s->at on. Not to be asked from STREAM_DIGESTS on.
struct range stream_wants(const struct stream *s);

// Digests elsewhere, for a caller with other processors: intake_job and its like of s->intake. Chunks that are whole wait from the first
// call of it on until it gives them out, until this hashes one here (false: there was none), or until there is no slot for the next
// one. The error of a bad chunk is s->error.
bool stream_work(struct stream *s);

// The file has ended: 0 when the image is whole and verified, the earlier error or ERR_TRUNCATED otherwise (ERR_SEAL_VERSION
// for the beginning of another version's head).
// With digests elsewhere STREAM_DIGESTS must have passed.
int stream_end(struct stream *s);
