// SPDX-License-Identifier: MPL-2.0
// A menu on a terminal: which line is chosen, and how it looks. Pure: bytes of the keyboard and the time go in, what to draw goes to
// the screen's write().
// Keys: up and down (also ctrl-P, ctrl-N), page up and down, home and end (also ctrl-A, ctrl-E), enter; a line's own key chooses it at
// once; another letter or digit goes to the next line that begins with it; escape and ctrl-C leave.
#pragma once
#include "script/keys.h"
#include "script/menu.h"
#include "script/screen.h"

struct menu_view {
    const struct menus *menus;
    const char *name;
    const struct screen *screen;
    struct keys keys;
    unsigned count, chosen; // lines, and the one that is marked
    unsigned top, lines;    // the first one shown, and how many
    uint64_t end_us;        // when the marked one is taken; UINT64_MAX: never
    uint32_t again_ms;      // how long after a key it is taken; 0: a key ends that
    uint32_t seconds;       // left, as shown
};

// Marks the line `preset` (a label; NULL or unknown: the one that the menu presets, else the first), and draws. `timeout_ms` 0: waits for
// a person; so it does once a key was pressed, unless `again_ms` says for how long. ERR_NOT_FOUND: no such menu, or nothing in it to
// choose. Nothing of the menu and the screen may change until the end.
int menu_view_start(struct menu_view *v, const struct menus *menus, const char *name, const struct screen *screen, const char *preset,
                    uint32_t timeout_ms, uint32_t again_ms, uint64_t now_us);
// The next byte of the keyboard (-1: none came) and the time. PENDING; 0: the marked line is taken; ERR_CANCELLED. *wake: when to be called again
// though no byte comes, if that is earlier.
int menu_view_step(struct menu_view *v, int byte, uint64_t now_us, uint64_t *wake);
// All of it once more: something else was on the screen.
void menu_view_draw(const struct menu_view *v);
// The label of the marked line.
const char *menu_view_label(const struct menu_view *v);
// How many rows a menu wants, for a screen that can have more; 0: there is no such menu.
unsigned menu_view_rows(const struct menus *menus, const char *name);
