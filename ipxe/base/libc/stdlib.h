// SPDX-License-Identifier: MPL-2.0
// What lwIP and Mbed TLS ask of <stdlib.h>. calloc and free are the core's, over the platform's heap.
#pragma once
#include <stddef.h>

void *calloc(size_t count, size_t size);
void free(void *memory);
int atoi(const char *s);
