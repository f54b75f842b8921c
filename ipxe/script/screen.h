// SPDX-License-Identifier: MPL-2.0
// Drawing on a terminal, by the sequences of base/ansi.h: rows, colours in pairs. Pure: what is drawn goes to the caller's write().
//
// A row is written as a whole, so that the background is right on terminals as well that clear to their own; but for a margin, since some
// begin a new line in their last column.
#pragma once
#include "base/base.h"

#define SCREEN_ROWS 25 // where nobody says more; of these the last one is never drawn on: many terminals have 24
#define SCREEN_COLUMNS 80
#define SCREEN_COLUMNS_MAX 160

#define SCREEN_COLOURS 16
#define SCREEN_BASIC_DEFAULT 9 // the terminal's own

// As iPXE numbers them (`cpair`).
enum screen_pair { PAIR_DEFAULT, PAIR_NORMAL, PAIR_SELECT, PAIR_SEPARATOR, PAIR_EDIT, PAIR_ALERT, PAIR_URL, PAIR_PXE, SCREEN_PAIRS,
                   PAIR_TITLE = SCREEN_PAIRS }; // the last one: the normal one, bright

struct screen_colours {
    uint8_t basic[SCREEN_COLOURS]; // 0-7: black, red, green, yellow, blue, magenta, cyan, white; SCREEN_BASIC_DEFAULT
    struct {
        uint8_t foreground, background; // below SCREEN_COLOURS: in basic[]
    } pairs[SCREEN_PAIRS];
};
void screen_colours_init(struct screen_colours *c);
// The basic colour nearest to 0xRRGGBB.
uint8_t screen_basic(uint32_t rgb);

struct screen {
    void *ctx;
    void (*write)(void *ctx, const char *text, size_t len);
    unsigned rows, columns; // at least SCREEN_ROWS and SCREEN_COLUMNS; what is beyond SCREEN_COLUMNS_MAX stays empty
    const struct screen_colours *colours;
};

void screen_open(const struct screen *s);  // cleared in normal colours, without a cursor
void screen_close(const struct screen *s); // cleared in the terminal's own, the cursor is in the corner

// A row, from 0, in one pair: `text` at the left, a title in the middle, `right` (of a few characters, or "") at the right. Bytes that are no
// printable ASCII show as '?', what does not fit is cut.
void screen_row(const struct screen *s, unsigned row, enum screen_pair pair, const char *text, const char *right);
// The same for a part of a row, with `fill` behind the text.
void screen_part(const struct screen *s, unsigned row, unsigned column, unsigned width, enum screen_pair pair, const char *text, size_t len,
                 char fill);
void screen_cursor(const struct screen *s, unsigned row, unsigned column); // is there, and shows
