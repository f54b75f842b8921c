// SPDX-License-Identifier: MPL-2.0
// Blocks lie end to end, each with a head that knows its own size and that of the block before it; a block of size
// 0 closes the arena. Heads carry a magic number, so that an overrun is found when the block is given back.
#include "bios/heap.h"

struct heap_block {
    uint32_t size;     // whole block, multiple of HEAP_ALIGN; 0 for the end mark
    uint32_t previous; // size of the block before, 0 for the first
    uint32_t magic;
    uint32_t reserved;
};
_Static_assert(sizeof(struct heap_block) == HEAP_ALIGN, "what follows a head is aligned");

#define MAGIC_FREE 0x46524545u
#define MAGIC_USED 0x55534544u
#define MAGIC_END 0x454e4421u
#define SPLIT_MIN (sizeof(struct heap_block) + HEAP_ALIGN)

static struct heap_block *next_of(struct heap_block *b)
{
    return (struct heap_block *)(void *)((uint8_t *)b + b->size);
}

static struct heap_block *previous_of(struct heap_block *b)
{
    return (struct heap_block *)(void *)((uint8_t *)b - b->previous);
}

void heap_init(struct heap *heap, void *memory, size_t len)
{
    len &= ~(size_t)(HEAP_ALIGN - 1);
    struct heap_block *b = memory;
    *b = (struct heap_block){ .size = (uint32_t)(len - sizeof *b), .magic = MAGIC_FREE };
    struct heap_block *end = next_of(b);
    *end = (struct heap_block){ .previous = b->size, .magic = MAGIC_END };
    *heap = (struct heap){ .first = b, .end = end, .hint = b };
}

void *heap_alloc(struct heap *heap, size_t len)
{
    if (len > UINT32_MAX / 2)
        return NULL;
    uint32_t size = (uint32_t)((len + sizeof(struct heap_block) + HEAP_ALIGN - 1) & ~(size_t)(HEAP_ALIGN - 1));
    if (len == 0)
        size = SPLIT_MIN;
    bool passed_free = false;
    for (struct heap_block *b = heap->hint; b != heap->end; b = next_of(b)) {
        if (b->magic != MAGIC_FREE)
            continue;
        if (b->size < size) {
            if (!passed_free)
                heap->hint = b;
            passed_free = true;
            continue;
        }
        if (b->size - size >= SPLIT_MIN) {
            struct heap_block *rest = (struct heap_block *)(void *)((uint8_t *)b + size);
            *rest = (struct heap_block){ .size = b->size - size, .previous = size, .magic = MAGIC_FREE };
            next_of(rest)->previous = rest->size;
            b->size = size;
        }
        b->magic = MAGIC_USED;
        if (!passed_free)
            heap->hint = next_of(b);
        heap->used += b->size;
        heap->peak = MAX(heap->peak, heap->used);
        return b + 1;
    }
    return NULL;
}

void heap_free(struct heap *heap, void *ptr)
{
    if (!ptr)
        return;
    struct heap_block *b = (struct heap_block *)ptr - 1;
    if (b->magic != MAGIC_USED)
        __builtin_trap(); // freed twice, or overwritten: going on would corrupt what is still in use
    heap->used -= b->size;
    b->magic = MAGIC_FREE;
    struct heap_block *next = next_of(b);
    if (next->magic == MAGIC_FREE) {
        b->size += next->size;
        next->magic = 0;
    }
    if (b->previous != 0 && previous_of(b)->magic == MAGIC_FREE) {
        struct heap_block *before = previous_of(b);
        before->size += b->size;
        b->magic = 0;
        b = before;
    }
    next_of(b)->previous = b->size;
    if (b < heap->hint)
        heap->hint = b;
}

bool heap_check(const struct heap *heap)
{
    uint32_t previous = 0;
    size_t used = 0;
    bool was_free = false;
    for (struct heap_block *b = heap->first; b != heap->end; b = next_of(b)) {
        bool is_free = b->magic == MAGIC_FREE;
        if ((!is_free && b->magic != MAGIC_USED) || b->previous != previous || b->size < HEAP_ALIGN ||
            b->size > (size_t)((uint8_t *)heap->end - (uint8_t *)b) || (is_free && (was_free || b < heap->hint)))
            return false;
        if (!is_free)
            used += b->size;
        was_free = is_free;
        previous = b->size;
    }
    return heap->end->magic == MAGIC_END && heap->end->previous == previous && used == heap->used;
}
