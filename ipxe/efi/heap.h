// SPDX-License-Identifier: MPL-2.0
// The firmware's pool as the core's heap, 16-byte aligned. Every block is on a list, so that leaving Signet gives
// everything back whoever forgot what.
#pragma once
#include "base/base.h"

void *heap_alloc(size_t len); // NULL when the firmware has no memory left
void heap_free(void *ptr);    // NULL is allowed
void heap_free_all(void);

// Mbed TLS allocates through these (config/mbedtls_config.h declares them).
void *calloc(size_t count, size_t size);
void free(void *ptr);
