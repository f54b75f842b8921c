// SPDX-License-Identifier: MPL-2.0
// Control sequences, whole and byte by byte: a screen is told the same both ways, and no text holds an escape.
#include "base/ansi.h"
#include "base/fuzz.h"

static uint32_t sum;

static void add(uint32_t a, uint32_t b)
{
    sum = (sum ^ a) * 16777619u + b;
}
static void text(void *ctx, const char *t, size_t len)
{
    if (len == 0 || memchr(t, 0x1b, len))
        __builtin_trap();
    for (size_t i = 0; i < len; i++)
        add(1, (uint8_t)t[i]);
}
static void move(void *ctx, unsigned row, unsigned column)
{
    if (row > ANSI_NUMBER_MAX || column > ANSI_NUMBER_MAX)
        __builtin_trap();
    add(row, column);
}
static void clear(void *ctx)
{
    add(2, 2);
}
static void attribute(void *ctx, uint8_t a)
{
    if (a & 0x80)
        __builtin_trap(); // blinks
    add(3, a);
}
static void cursor(void *ctx, bool visible)
{
    add(4, visible);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ansi_screen screen = { NULL, text, move, clear, attribute, cursor };
    struct ansi whole = { 0 }, pieces = { 0 };
    sum = 0;
    ansi_write(&whole, &screen, (const char *)data, size);
    uint32_t at_once = sum;
    sum = 0;
    for (size_t i = 0; i < size; i++)
        ansi_write(&pieces, &screen, (const char *)data + i, 1);
    if (sum != at_once)
        __builtin_trap();
    return 0;
}
