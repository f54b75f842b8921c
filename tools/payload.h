// SPDX-License-Identifier: MPL-2.0
// The payload of an image that is being made: input files laid end to end, each on PAYLOAD_ALIGN, hashed
// and written chunk by chunk. Memory: one chunk and the chunk list, whatever the size of the image.
#pragma once
#include "file.h"
#include "phase2/seal.h"

struct payload {
    struct payload_file {
        const char *path;
        int fd;
        struct file_extent holes;
    } files[SEAL_PARTS_MAX];
    struct seal *seal; // parts[] run beside files[]; payload_size is kept up to date
};

void payload_init(struct payload *p, struct seal *seal);

// Opens a file and appends it as a part of that kind; the part's name comes from the file's. The part, for
// further facts to be filled in (its size and place are set), or NULL after a message.
struct seal_part *payload_add(struct payload *p, uint32_t kind, const char *path);

// Puts another file in the place of the last part's: an unpacked one. Takes the descriptor over. 0, or -1 after a message.
int payload_replace(struct payload *p, int fd, uint64_t size);

// Fixes chunk size and count. 0, or -1 after a message when there would be too many chunks.
int payload_chunks(struct payload *p, uint32_t chunk_size, const char *output);

// Writes the payload at `offset` of the output and its digests to `list` (chunk_count * SHA256_SIZE bytes).
// Runs of zeros become holes. 0, or -1 after a message.
int payload_write(struct payload *p, struct file_out *out, uint64_t offset, uint8_t *list);

void payload_close(struct payload *p);
