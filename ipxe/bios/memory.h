// SPDX-License-Identifier: MPL-2.0
// The firmware's own heap, which Mbed TLS shares, the memory that network cards reach, and where the firmware lies.
#pragma once
#include "bios/layout.h"
#include "image/place.h"

void memory_init(void);
void *memory_alloc(size_t len); // NULL when there is no room
void memory_free(void *ptr);    // or NULL

// Memory for a card and its native driver, apart from the heap: page-aligned, zeroed. NULL when there is no room.
void *memory_dma_alloc(size_t len);
void memory_dma_free(void *ptr);

// All that Signet takes above 1 MiB, both included.
struct mem_region memory_own(void);
