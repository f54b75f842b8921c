// SPDX-License-Identifier: MPL-2.0
// A payload whose pieces land in different places of memory: DATA is written, and digests are taken, through
// this map, so that every byte is verified where it will be used. Ranges that no piece covers do not exist.
#pragma once
#include "base/base.h"

struct scatter_piece {
    uint64_t offset, length; // in the payload
    uint8_t *memory;         // where its first byte lies
};

#define SCATTER_PIECES_MAX 40

// Pieces ascend by offset and lie end to end, from 0 to `size`.
struct scatter {
    uint64_t size;
    uint32_t count;
    struct scatter_piece pieces[SCATTER_PIECES_MAX];
};

// The memory at `offset` and, in *ret_len, how many bytes lie contiguous from there (at most `want`).
// NULL when offset is not below size.
uint8_t *scatter_at(const struct scatter *map, uint64_t offset, size_t want, size_t *ret_len);

// Copies len bytes out. False, with nothing read, when the range is not inside the map.
bool scatter_read(const struct scatter *map, uint64_t offset, void *dst, size_t len);

// Copies len bytes in. False, with nothing written, when the range is not inside the map.
bool scatter_write(const struct scatter *map, uint64_t offset, const void *src, size_t len);
