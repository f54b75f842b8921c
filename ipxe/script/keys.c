// SPDX-License-Identifier: MPL-2.0
// See keys.h.
#include "script/keys.h"

enum { PLAIN, ESCAPE, FIRST, FURTHER };
#define NUMBER_MAX 999

static int by_number(unsigned number)
{
    switch (number) {
    case 1: case 7: return KEY_HOME;
    case 3: return KEY_DELETE;
    case 4: case 8: return KEY_END;
    case 5: return KEY_PAGE_UP;
    case 6: return KEY_PAGE_DOWN;
    default: return KEY_OTHER;
    }
}

static int by_letter(int letter)
{
    switch (letter) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'F': return KEY_END;
    case 'H': return KEY_HOME;
    default: return KEY_OTHER;
    }
}

static int in_sequence(struct keys *k, int byte)
{
    if (byte >= '0' && byte <= '9') {
        if (k->state == FIRST)
            k->number = (uint16_t)MIN(k->number * 10 + (byte - '0'), NUMBER_MAX);
        return KEY_NONE;
    }
    if (byte >= 0x20 && byte < 0x40) {
        k->state = FURTHER;
        return KEY_NONE;
    }
    k->state = PLAIN;
    return byte == '~' ? by_number(k->number) : by_letter(byte);
}

int keys_take(struct keys *k, int byte, uint64_t now_us)
{
    if (byte < 0) {
        if (k->state == PLAIN || now_us < k->since_us + KEYS_ESCAPE_US)
            return KEY_NONE;
        int key = k->state == ESCAPE ? KEY_ESCAPE : KEY_OTHER;
        k->state = PLAIN;
        return key;
    }
    k->since_us = now_us;
    if (byte == KEY_ESCAPE) {
        int key = k->state == ESCAPE ? KEY_ESCAPE : KEY_NONE; // pressed twice
        k->state = ESCAPE;
        return key;
    }
    if (k->state == ESCAPE) {
        k->state = byte == '[' || byte == 'O' ? FIRST : PLAIN;
        k->number = 0;
        return k->state == PLAIN ? KEY_OTHER : KEY_NONE;
    }
    return k->state == PLAIN ? byte : in_sequence(k, byte);
}

uint64_t keys_deadline(const struct keys *k)
{
    return k->state == PLAIN ? UINT64_MAX : k->since_us + KEYS_ESCAPE_US;
}
