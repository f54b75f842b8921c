// SPDX-License-Identifier: MPL-2.0
// The payload of an image that is being made: input files laid end to end, each on PAYLOAD_ALIGN, hashed
// and written chunk by chunk. Memory: one chunk and the chunk list, whatever the size of the image. That of a detached seal
// (seal->detached) is only hashed: each file starts on a chunk, and bytes may stand in front of it.
#pragma once
#include "file.h"
#include "phase2/seal.h"

struct payload {
    struct payload_file {
        char *path;
        int fd;
        struct file_extent holes;
    } files[SEAL_PARTS_MAX];
    struct seal *seal; // parts[] run beside files[]
    uint8_t *fronts;   // seal->bytes
    uint32_t front_len;
};

void payload_init(struct payload *p, struct seal *seal);

// Opens a file and appends it as a part of that kind; the part's name comes from the file's. The part, for
// further facts to be filled in (its size is set), or NULL after a message.
struct seal_part *payload_add(struct payload *p, uint32_t kind, const char *path);

// Puts another file in the place of the last part's: an unpacked one. Takes the descriptor over. 0, or -1 after a message.
int payload_replace(struct payload *p, int fd, uint64_t size);

// Puts bytes in front of the last part's file. The seal is detached.
void payload_front(struct payload *p, const uint8_t *bytes, uint32_t len);

// Fixes the parts' places, chunk size and count. 0, or -1 after a message when there would be too many chunks.
int payload_chunks(struct payload *p, uint32_t chunk_size, const char *output);

// Writes the payload at `offset` of the output and its digests to `list` (chunk_count * SHA256_SIZE bytes).
// Runs of zeros become holes. Of a detached seal nothing is written, `out` is NULL, and seal->files is filled in. 0, or -1 after a message.
int payload_write(struct payload *p, struct file_out *out, uint64_t offset, uint8_t *list);

void payload_close(struct payload *p);
