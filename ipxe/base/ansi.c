// SPDX-License-Identifier: MPL-2.0
// See ansi.h.
#include "base/ansi.h"

enum { PLAIN, ESCAPE, SEQUENCE };
#define ESC 0x1b

// ANSI counts red, green, blue from the lowest bit on, VGA the other way round.
static uint8_t vga(unsigned colour)
{
    return (uint8_t)((colour & 2) | (colour & 1) << 2 | (colour & 4) >> 2);
}

static void colours(struct ansi *a, const struct ansi_screen *screen)
{
    for (unsigned i = 0; i < a->count; i++) {
        unsigned n = a->numbers[i];
        if (!a->known || n == 0) {
            a->foreground = 7;
            a->background = 0;
            a->bright = false;
            a->known = true;
        }
        if (n == 1)
            a->bright = true;
        else if (n == 39)
            a->foreground = 7;
        else if (n == 49)
            a->background = 0;
        else if (n >= 30 && n <= 37)
            a->foreground = (uint8_t)(n - 30);
        else if (n >= 40 && n <= 47)
            a->background = (uint8_t)(n - 40);
    }
    screen->attribute(screen->ctx, (uint8_t)(vga(a->background) << 4 | (a->bright ? 8 : 0) | vga(a->foreground)));
}

static void end_sequence(struct ansi *a, const struct ansi_screen *screen, char final)
{
    unsigned row = MAX(a->numbers[0], 1), column = MAX(a->numbers[1], 1);
    a->count = (uint8_t)MIN(a->count + 1, ANSI_NUMBERS);
    if (a->private) {
        if (a->numbers[0] == 25 && (final == 'h' || final == 'l'))
            screen->cursor(screen->ctx, final == 'h');
    } else if (final == 'H') {
        screen->move(screen->ctx, row - 1, column - 1);
    } else if (final == 'J' && a->numbers[0] == 2) {
        screen->clear(screen->ctx);
    } else if (final == 'm') {
        colours(a, screen);
    }
}

static void take(struct ansi *a, const struct ansi_screen *screen, char c)
{
    if (a->state == ESCAPE) {
        a->state = c == '[' ? SEQUENCE : PLAIN;
        a->count = 0;
        a->private = false;
        memset(a->numbers, 0, sizeof a->numbers);
    } else if (c >= '0' && c <= '9') {
        if (a->count < ANSI_NUMBERS)
            a->numbers[a->count] = (uint16_t)MIN(a->numbers[a->count] * 10 + (c - '0'), ANSI_NUMBER_MAX);
    } else if (c == ';') {
        a->count = (uint8_t)MIN(a->count + 1, ANSI_NUMBERS);
    } else if (c >= 0x20 && c < 0x40) {
        a->private = true;
    } else {
        a->state = PLAIN;
        if (c >= 0x40)
            end_sequence(a, screen, c);
    }
}

void ansi_write(struct ansi *a, const struct ansi_screen *screen, const char *text, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        bool apart = i == len || a->state != PLAIN || text[i] == ESC;
        if (!apart)
            continue;
        if (i > start)
            screen->text(screen->ctx, text + start, i - start);
        start = i + 1;
        if (i == len)
            break;
        if (text[i] == ESC)
            a->state = ESCAPE;
        else
            take(a, screen, text[i]);
    }
}
