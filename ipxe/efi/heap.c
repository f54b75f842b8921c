// SPDX-License-Identifier: MPL-2.0
// See heap.h. AllocatePool aligns to 8 only: each block has a head of 32 bytes before it, placed where 16 fits.
#include "efi/heap.h"

#include "efi/efi.h"

#define HEAP_ALIGN 16

struct head {
    struct head *next, **before; // `before` points at what points here
    void *pool;                  // what AllocatePool gave
    uint64_t spare;
};
_Static_assert(sizeof(struct head) % HEAP_ALIGN == 0, "the block behind the head stays aligned");

static struct head *blocks;

void *heap_alloc(size_t len)
{
    void *pool;
    if (len > SIZE_MAX - sizeof(struct head) - HEAP_ALIGN)
        return NULL;
    if (efi_failed(efi_boot->allocate_pool(EFI_LOADER_DATA, len + sizeof(struct head) + HEAP_ALIGN, &pool)))
        return NULL;
    struct head *head = (void *)(((uintptr_t)pool + HEAP_ALIGN - 1) & ~(uintptr_t)(HEAP_ALIGN - 1));
    *head = (struct head){ .next = blocks, .before = &blocks, .pool = pool };
    if (blocks)
        blocks->before = &head->next;
    blocks = head;
    return head + 1;
}

void heap_free(void *ptr)
{
    if (!ptr)
        return;
    struct head *head = (struct head *)ptr - 1;
    *head->before = head->next;
    if (head->next)
        head->next->before = head->before;
    (void)efi_boot->free_pool(head->pool);
}

void heap_free_all(void)
{
    while (blocks)
        heap_free(blocks + 1);
}

void *calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *p = heap_alloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void free(void *ptr)
{
    heap_free(ptr);
}
