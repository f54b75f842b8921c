// SPDX-License-Identifier: MPL-2.0
// Text under construction in a caller's buffer. What does not fit is dropped and remembered; text_finish says so.
#pragma once
#include "base/ascii.h"
#include "base/err.h"

struct text {
    char *buf;
    size_t cap, len; // len < cap always, so that the NUL has its place
    bool full;
};

static inline void text_char(struct text *t, char c)
{
    if (t->len + 1 < t->cap)
        t->buf[t->len++] = c;
    else
        t->full = true;
}

static inline void text_bytes(struct text *t, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_char(t, bytes[i]);
}

static inline void text_string(struct text *t, const char *string)
{
    text_bytes(t, string, strlen(string));
}

// Two digits, lower case.
static inline void text_hex(struct text *t, uint8_t v)
{
    static const char digits[] = "0123456789abcdef";
    text_char(t, digits[v >> 4]);
    text_char(t, digits[v & 15]);
}

// "%2F": RFC 3986 section 2.1 wants its digits in upper case.
static inline void text_percent(struct text *t, uint8_t v)
{
    static const char digits[] = "0123456789ABCDEF";
    text_char(t, '%');
    text_char(t, digits[v >> 4]);
    text_char(t, digits[v & 15]);
}

// Ends the text with a NUL: its length, or ERR_TOO_LARGE (the buffer is then not a string).
static inline int text_finish(struct text *t)
{
    if (t->full || t->cap == 0)
        return ERR_TOO_LARGE;
    t->buf[t->len] = 0;
    return (int)t->len;
}
