// SPDX-License-Identifier: MPL-2.0
#include "bios/memory.h"

#include "bios/heap.h"

extern char heap_start[], heap_end[]; // bios.lds.S
static struct heap heap;

void memory_init(void)
{
    heap_init(&heap, heap_start, (size_t)(heap_end - heap_start));
}

void *memory_alloc(size_t len)
{
    return heap_alloc(&heap, len);
}

void memory_free(void *ptr)
{
    heap_free(&heap, ptr);
}

// Mbed TLS allocates through these (config/mbedtls_config.h declares them).
void *calloc(size_t count, size_t size);
void free(void *ptr);

void *calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        return NULL;
    void *p = heap_alloc(&heap, count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void free(void *ptr)
{
    heap_free(&heap, ptr);
}

struct mem_region memory_own(void)
{
    return (struct mem_region){ .base = HIGH_BASE, .length = (uint32_t)heap_end - HIGH_BASE };
}
