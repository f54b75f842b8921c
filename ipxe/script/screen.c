// SPDX-License-Identifier: MPL-2.0
// See screen.h.
#include "script/screen.h"

#include "base/fmt.h"

#define MARGIN 1 // on both sides, of a row
#define INDENT 2 // of its text

void screen_colours_init(struct screen_colours *c)
{
    static const uint8_t pairs[SCREEN_PAIRS][2] = { { 9, 9 }, { 7, 4 }, { 7, 1 }, { 6, 4 }, { 0, 6 }, { 7, 1 }, { 6, 4 }, { 7, 0 } };
    for (unsigned i = 0; i < SCREEN_COLOURS; i++)
        c->basic[i] = (uint8_t)(i < 8 ? i : SCREEN_BASIC_DEFAULT);
    memcpy(c->pairs, pairs, sizeof pairs);
}

uint8_t screen_basic(uint32_t rgb)
{
    return (uint8_t)((rgb >> 23 & 1) | (rgb >> 15 & 1) << 1 | (rgb >> 7 & 1) << 2);
}

static void PRINTF_LIKE(2, 3) put(const struct screen *s, const char *format, ...)
{
    char text[48]; // the longest sequence
    va_list args;
    va_start(args, format);
    int len = fmt_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->write(s->ctx, text, (size_t)len);
}

static void colour(const struct screen *s, enum screen_pair pair)
{
    const struct screen_colours *c = s->colours;
    const char *bright = pair == PAIR_TITLE || pair == PAIR_SELECT ? ";1" : "";
    if (pair == PAIR_TITLE)
        pair = PAIR_NORMAL;
    put(s, "\x1b[0%s;3%u;4%um", bright, c->basic[c->pairs[pair].foreground], c->basic[c->pairs[pair].background]);
}

void screen_open(const struct screen *s)
{
    colour(s, PAIR_NORMAL);
    put(s, "\x1b[2J\x1b[?25l");
}

void screen_close(const struct screen *s)
{
    put(s, "\x1b[0m\x1b[2J\x1b[H\x1b[?25h");
}

static void move(const struct screen *s, unsigned row, unsigned column)
{
    put(s, "\x1b[%u;%uH", row + 1, column + 1);
}

void screen_cursor(const struct screen *s, unsigned row, unsigned column)
{
    move(s, row, column);
    put(s, "\x1b[?25h");
}

void screen_part(const struct screen *s, unsigned row, unsigned column, unsigned width, enum screen_pair pair, const char *text, size_t len,
                 char fill)
{
    char line[SCREEN_COLUMNS_MAX];
    width = MIN(width, (unsigned)sizeof line);
    memset(line, fill, width);
    for (size_t i = 0; i < MIN(len, width); i++)
        line[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
    move(s, row, column);
    colour(s, pair);
    s->write(s->ctx, line, width);
}

void screen_row(const struct screen *s, unsigned row, enum screen_pair pair, const char *text, const char *right)
{
    char line[SCREEN_COLUMNS_MAX];
    size_t width = MIN(s->columns - 2 * MARGIN, (unsigned)sizeof line), end = width - INDENT, len = strlen(text), right_len = strlen(right);
    size_t start = pair == PAIR_TITLE && len < end ? (width - len) / 2 : INDENT;
    memset(line, ' ', width);
    memcpy(line + start, text, MIN(len, end - start));
    memcpy(line + end - right_len, right, right_len);
    screen_part(s, row, MARGIN, (unsigned)width, pair, line, width, ' ');
}
