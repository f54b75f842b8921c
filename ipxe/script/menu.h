// SPDX-License-Identifier: MPL-2.0
// Menus and forms as scripts describe them (`menu`, `form`, `item`): a title and lines in their order, by name. Pure; nothing is shown here
// (menu_view.h, form.h). All of them share the caller's one arena of MENUS_ARENA bytes.
#pragma once
#include "base/err.h"

#define MENUS_ARENA 32768     // some 500 lines
#define MENUS_TEXT_MAX 512    // bytes of a title, a label or a text, with NUL
#define MENUS_LINES_MAX 1000  // of one menu

struct menu_line {
    const char *label, *text; // never NULL; in the arena until the next change
    int key;                  // a byte that chooses it, -1: none
    bool gap;                 // shown, and never chosen
    bool preset;              // chosen where nobody chooses
    bool secret;              // of a form: what is typed shows as stars
};

struct menus {
    uint64_t arena[MENUS_ARENA / 8];
    size_t used; // bytes
};

// Begins the menu of that name ("": the one without), in place of the one that had it. ERR_NO_MEMORY: the arena is full, and no
// menu of that name is there; ERR_TOO_LARGE: a text is.
int menus_begin(struct menus *m, const char *name, const char *title);
// A line at its end. ERR_NOT_FOUND: no such menu; ERR_NO_MEMORY, ERR_TOO_LARGE.
int menus_add(struct menus *m, const char *name, const struct menu_line *line);
int menus_delete(struct menus *m, const char *name); // ERR_NOT_FOUND

// The title; NULL: no such menu.
const char *menus_title(const struct menus *m, const char *name);
// Line `i`, from 0. False: it has not so many.
bool menus_line(const struct menus *m, const char *name, unsigned i, struct menu_line *ret);
