// SPDX-License-Identifier: MPL-2.0
// A terminal of 80 by 25 for tests: what is written is played by base/ansi.h, and shows.
#pragma once
#include "base/ansi.h"
#include "base/test.h"
#include "script/screen.h"

#define TERM_ROWS 25
#define TERM_COLUMNS 80
static struct {
    struct ansi ansi;
    char cells[TERM_ROWS][TERM_COLUMNS + 1];
    uint8_t attributes[TERM_ROWS][TERM_COLUMNS];
    unsigned row, column;
    uint8_t attribute;
    bool visible, wrong; // wrong: something left the screen
    size_t written;
} term;
static struct screen_colours term_colours;

static void term_text(void *ctx, const char *text, size_t len)
{
    if (len == 0)
        term.wrong = true;
    for (; len > 0; text++, len--) {
        if (*text == '\r' || *text == '\n' || *text == '\b') { // lines of the console itself
            term.column = *text == '\b' && term.column > 0 ? term.column - 1 : 0;
            term.row += *text == '\n' && term.row < TERM_ROWS - 1;
            continue;
        }
        if (term.row >= TERM_ROWS || term.column >= TERM_COLUMNS) {
            term.wrong = true;
            continue;
        }
        term.cells[term.row][term.column] = *text;
        term.attributes[term.row][term.column++] = term.attribute;
    }
}
static void term_move(void *ctx, unsigned row, unsigned column)
{
    term.row = row;
    term.column = column;
}
static void term_clear(void *ctx)
{
    memset(term.cells, ' ', sizeof term.cells);
    memset(term.attributes, term.attribute, sizeof term.attributes);
    term.row = term.column = 0;
}
static void term_attribute(void *ctx, uint8_t attribute)
{
    term.attribute = attribute;
}
static void term_cursor(void *ctx, bool visible)
{
    term.visible = visible;
}
static const struct ansi_screen term_screen = { NULL, term_text, term_move, term_clear, term_attribute, term_cursor };

static void term_write(void *ctx, const char *text, size_t len)
{
    term.written += len;
    ansi_write(&term.ansi, &term_screen, text, len);
}

__attribute__((unused)) static struct screen term_on(void)
{
    memset(&term, 0, sizeof term);
    term.attribute = ANSI_PLAIN;
    term.visible = true;
    term_clear(NULL);
    screen_colours_init(&term_colours);
    return (struct screen){ .write = term_write, .rows = TERM_ROWS, .columns = TERM_COLUMNS, .colours = &term_colours };
}

// The row without the blanks around its text.
__attribute__((unused)) static const char *term_row(unsigned row)
{
    static char text[TERM_COLUMNS + 1];
    size_t start = 0, end = TERM_COLUMNS;
    while (end > 0 && term.cells[row][end - 1] == ' ')
        end--;
    while (start < end && term.cells[row][start] == ' ')
        start++;
    memcpy(text, term.cells[row] + start, end - start);
    text[end - start] = 0;
    return text;
}

// The row that has this attribute at its beginning, or -1.
__attribute__((unused)) static int term_row_in(uint8_t attribute)
{
    for (int row = 0; row < TERM_ROWS; row++)
        if (term.attributes[row][5] == attribute)
            return row;
    return -1;
}
