// SPDX-License-Identifier: MPL-2.0
// Line editing for the shell: key bytes go in, echo bytes come out. Pure.
// Keys: printable ASCII, backspace (08, 7f), delete, left/right, home/end (also ctrl-A/E), ctrl-U, ctrl-K, ctrl-W,
// up/down through a history of LINEEDIT_HISTORY lines (also ctrl-P/N), enter, ctrl-C, ctrl-D on an empty line.
// Arrows arrive as ANSI sequences (ESC [ A), which every platform's console delivers.
#pragma once
#include "base/base.h"

#define LINEEDIT_MAX 256      // one line, with NUL
#define LINEEDIT_HISTORY 8
#define LINEEDIT_ECHO_MAX (2 * LINEEDIT_MAX + 16) // bytes of echo one key can cause

enum lineedit_event {
    LINEEDIT_MORE,   // go on
    LINEEDIT_DONE,   // enter: the line is in `line`; echo holds the new line
    LINEEDIT_CANCEL, // ctrl-C: the line is dropped
    LINEEDIT_END,    // ctrl-D on an empty line
};

struct lineedit {
    char line[LINEEDIT_MAX];
    size_t len, cursor;
    char history[LINEEDIT_HISTORY][LINEEDIT_MAX];
    unsigned history_count, history_next; // a ring
    unsigned browse;                      // 0: the line being typed, n: n lines back
    char typed[LINEEDIT_MAX];             // what was typed before browsing
    uint8_t escape;                       // state inside an ANSI sequence
    char escape_digit;
};

// Whole start (history too) and start of the next line (history is kept; `text` may be NULL or a line to edit).
void lineedit_init(struct lineedit *e);
void lineedit_start(struct lineedit *e, const char *text);

// Takes one key byte. `echo` gets what must be shown (no NUL), *ret_echo its length; the caller has shown
// its prompt before. On DONE the line is added to the history unless empty or equal to the last.
enum lineedit_event lineedit_key(struct lineedit *e, int key, char echo[LINEEDIT_ECHO_MAX], size_t *ret_echo);
