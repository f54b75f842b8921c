// SPDX-License-Identifier: MPL-2.0
// The firmware's own heap, which Mbed TLS shares, and where the firmware lies.
#pragma once
#include "bios/layout.h"
#include "image/place.h"

void memory_init(void);
void *memory_alloc(size_t len); // NULL when there is no room
void memory_free(void *ptr);    // or NULL

// All that Signet takes above 1 MiB, its heap included.
struct mem_region memory_own(void);
