// SPDX-License-Identifier: MPL-2.0
// What a terminal does with ECMA-48's control sequences, for screens that know none: whoever draws writes the few of a VT100 that are
// named here, a serial line takes them as they are, and the consoles of BIOS and UEFI make calls of them. Pure.
//
//   ESC [ row ; column H   the cursor's place, from 1
//   ESC [ 2 J              clears, with the background that is set
//   ESC [ n ; ... m        0 plain, 1 bright, 30-37 and 40-47 the colours, 39 and 49 the plain ones
//   ESC [ ? 25 h, l        the cursor shows, or does not
// Every other sequence is taken and does nothing.
#pragma once
#include "base/base.h"

#define ANSI_NUMBERS 6     // of a sequence; further ones are dropped
#define ANSI_NUMBER_MAX 9999
#define ANSI_PLAIN 0x07    // grey on black

struct ansi_screen {
    void *ctx;
    void (*text)(void *ctx, const char *text, size_t len); // no ESC in it; never of length 0
    void (*move)(void *ctx, unsigned row, unsigned column); // from 0, up to ANSI_NUMBER_MAX
    void (*clear)(void *ctx);                               // in the attribute that was set; the cursor is in the corner then
    void (*attribute)(void *ctx, uint8_t attribute);        // as VGA has it: background << 4, 8 bright, foreground
    void (*cursor)(void *ctx, bool visible);
};

struct ansi {
    uint8_t state;
    bool private; // the sequence began with a mark of its own (`?`)
    uint8_t count;
    uint16_t numbers[ANSI_NUMBERS];
    uint8_t foreground, background; // ANSI's, 0-7
    bool bright, known; // known: set once, else plain
};

// All zero is a terminal that was just switched on. A sequence may lie in several texts.
void ansi_write(struct ansi *a, const struct ansi_screen *screen, const char *text, size_t len);
