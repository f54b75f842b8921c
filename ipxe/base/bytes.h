// SPDX-License-Identifier: MPL-2.0
// Loads and stores of fixed-width integers at any alignment, in a named byte order.
// Every byte that comes from or goes to a wire, a disk or a header passes through these.
#pragma once
#include "base/base.h"

static inline bool all_zero(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}
static inline uint16_t load16_le(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t load32_le(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t load64_le(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)load32_le(b) | (uint64_t)load32_le(b + 4) << 32;
}
static inline uint16_t load16_be(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t load32_be(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}
static inline uint64_t load64_be(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)load32_be(b) << 32 | (uint64_t)load32_be(b + 4);
}
static inline void store16_le(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}
static inline void store32_le(void *p, uint32_t v)
{
    store16_le(p, (uint16_t)v);
    store16_le((uint8_t *)p + 2, (uint16_t)(v >> 16));
}
static inline void store64_le(void *p, uint64_t v)
{
    store32_le(p, (uint32_t)v);
    store32_le((uint8_t *)p + 4, (uint32_t)(v >> 32));
}
static inline void store16_be(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}
static inline void store32_be(void *p, uint32_t v)
{
    store16_be(p, (uint16_t)(v >> 16));
    store16_be((uint8_t *)p + 2, (uint16_t)v);
}
static inline void store64_be(void *p, uint64_t v)
{
    store32_be(p, (uint32_t)(v >> 32));
    store32_be((uint8_t *)p + 4, (uint32_t)v);
}

// Nonces, tags and the like, which are compared for every frame: no call, no loop.
static inline bool equal8(const void *a, const void *b)
{
    return load64_le(a) == load64_le(b);
}

// The sum of the bytes modulo 256: structures of the PC's firmware carry a byte that makes it 0.
static inline uint8_t byte_sum(const void *p, size_t len)
{
    const uint8_t *b = p;
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + b[i]);
    return sum;
}
