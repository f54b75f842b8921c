// SPDX-License-Identifier: MPL-2.0
// A general heap over one arena: first fit, neighbours that are free become one. Pure: the arena is the caller's.
#pragma once
#include "base/base.h"

#define HEAP_ALIGN 16

struct heap_block;
struct heap {
    struct heap_block *first, *end;
    struct heap_block *hint; // no free block lies before it
    size_t used, peak;       // bytes in use, heads included
};

// Takes [memory, memory+len): 16-byte aligned and at least 64 bytes.
void heap_init(struct heap *heap, void *memory, size_t len);

// len bytes, 16-byte aligned; NULL when no gap is large enough. A length of 0 gives a pointer of its own.
void *heap_alloc(struct heap *heap, size_t len);

// Gives back what heap_alloc gave; NULL is allowed.
void heap_free(struct heap *heap, void *ptr);

// Walks all blocks: false when a head was overwritten or the sums do not agree.
bool heap_check(const struct heap *heap);
