// SPDX-License-Identifier: MPL-2.0
#include "bios/memory.h"

#include "bios/heap.h"

#define PAGE 4096u

extern char heap_start[], heap_end[], own_end[]; // bios.lds.S
static struct heap heap, dma;

void memory_init(void)
{
    heap_init(&heap, heap_start, (size_t)(heap_end - heap_start));
    heap_init(&dma, heap_end, (size_t)(own_end - heap_end));
}

void *memory_alloc(size_t len)
{
    return heap_alloc(&heap, len);
}

void memory_free(void *ptr)
{
    heap_free(&heap, ptr);
}

// In front of the first page lies what heap_alloc gave.
void *memory_dma_alloc(size_t len)
{
    char *piece = len < DMA_SIZE ? heap_alloc(&dma, len + sizeof piece + PAGE - 1) : NULL;
    if (!piece)
        return NULL;
    char *page = (char *)(((uint32_t)piece + sizeof piece + PAGE - 1) & ~(PAGE - 1));
    memcpy(page - sizeof piece, &piece, sizeof piece);
    return memset(page, 0, len);
}

void memory_dma_free(void *ptr)
{
    char *piece;
    memcpy(&piece, (char *)ptr - sizeof piece, sizeof piece);
    heap_free(&dma, piece);
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
    return (struct mem_region){ .base = HIGH_BASE, .length = (uint32_t)own_end - HIGH_BASE };
}
