// SPDX-License-Identifier: MPL-2.0
// Reading and writing wire bytes through one cursor that goes bad, and stays bad, on the first error.
//
// A parser reads field after field without looking, then asks once (`cursor_ok`). After an error the
// cursor is empty: reads give 0 or NULL, so no path can act on bytes that were not there.
#pragma once
#include "base/bytes.h"

struct cursor {
    const uint8_t *data; // next byte
    size_t len;          // bytes left
    bool bad;            // sticky
};

static inline struct cursor cursor_make(const void *data, size_t len)
{
    // An empty input may come as NULL; inside, the pointer always is one, so that NULL means failure.
    return (struct cursor){ .data = data ? data : (const uint8_t *)"", .len = data ? len : 0, .bad = false };
}
static inline bool cursor_ok(const struct cursor *c)
{
    return !c->bad;
}
static inline void cursor_fail(struct cursor *c)
{
    c->len = 0;
    c->bad = true;
}
// The next n bytes, or NULL (and a bad cursor) when fewer are left. Points into the input.
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
    if (c->bad || n > c->len) {
        cursor_fail(c);
        return NULL;
    }
    const uint8_t *p = c->data;
    c->data += n;
    c->len -= n;
    return p;
}
static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 1);
    return p ? *p : 0;
}
#define CURSOR_READ(bits, end)                                                                                         \
    static inline uint##bits##_t cursor_u##bits##_##end(struct cursor *c)                                              \
    {                                                                                                                  \
        const uint8_t *p = cursor_bytes(c, bits / 8);                                                                  \
        return p ? load##bits##_##end(p) : 0;                                                                          \
    }
CURSOR_READ(16, le)
CURSOR_READ(32, le)
CURSOR_READ(64, le)
CURSOR_READ(16, be)
CURSOR_READ(32, be)
CURSOR_READ(64, be)
#undef CURSOR_READ

// The writing twin: `len` grows up to `cap`; on overflow it goes bad and `len` stays where it was.
struct builder {
    uint8_t *data;
    size_t len, cap;
    bool bad;
};

static inline struct builder builder_make(void *data, size_t cap)
{
    return (struct builder){ .data = data, .cap = cap };
}
// Room for n bytes to be filled by the caller, or NULL.
static inline uint8_t *builder_room(struct builder *b, size_t n)
{
    if (b->bad || n > b->cap - b->len) {
        b->bad = true;
        return NULL;
    }
    uint8_t *p = b->data + b->len;
    b->len += n;
    return p;
}
static inline void builder_bytes(struct builder *b, const void *src, size_t n)
{
    uint8_t *p = builder_room(b, n);
    if (p && n)
        memcpy(p, src, n);
}
static inline void builder_u8(struct builder *b, uint8_t v)
{
    builder_bytes(b, &v, 1);
}
static inline void builder_zeros(struct builder *b, size_t n)
{
    uint8_t *p = builder_room(b, n);
    if (p && n)
        memset(p, 0, n);
}
#define BUILDER_WRITE(bits, end)                                                                                       \
    static inline void builder_u##bits##_##end(struct builder *b, uint##bits##_t v)                                    \
    {                                                                                                                  \
        uint8_t *p = builder_room(b, bits / 8);                                                                        \
        if (p)                                                                                                         \
            store##bits##_##end(p, v);                                                                                 \
    }
BUILDER_WRITE(16, le)
BUILDER_WRITE(32, le)
BUILDER_WRITE(64, le)
BUILDER_WRITE(16, be)
BUILDER_WRITE(32, be)
BUILDER_WRITE(64, be)
#undef BUILDER_WRITE
