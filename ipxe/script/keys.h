// SPDX-License-Identifier: MPL-2.0
// Keys out of the bytes of a terminal: a VT100's and VT220's sequences (ECMA-48's CSI, and SS3) become one number each. Pure.
#pragma once
#include "base/base.h"

#define KEYS_ESCAPE_US 300000u // an ESC behind which nothing comes for so long is the key; a sequence over a slow network takes less
#define KEY_CTRL(c) ((c)&0x1f)
#define KEY_ESCAPE 0x1b

// A key is a byte, or one of these. KEY_OTHER: a key that has no meaning here (F8).
enum { KEY_NONE = -1, KEY_UP = 0x100, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_DELETE, KEY_OTHER };

struct keys {
    uint8_t state;
    uint16_t number;   // the sequence's first one
    uint64_t since_us; // when its last byte came
};

// The next byte, or -1: none came. Returns the key that it ends, or that the time has ended; KEY_NONE: none. All zero to begin with.
int keys_take(struct keys *k, int byte, uint64_t now_us);
// When it wants to be called again though no byte comes; UINT64_MAX: never.
uint64_t keys_deadline(const struct keys *k);
