// SPDX-License-Identifier: MPL-2.0
// Menus and forms on the console: what the commands of menu_commands.c and form_commands.c share.
#pragma once
#include "core/session.h"
#include "script/form.h"
#include "script/menu.h"
#include "script/menu_view.h"

extern struct menus core_menus; // those that scripts have described
void core_menus_start(void);    // for each start: none, and the colours as they were
struct screen_colours *core_colours(void);

// A screen of as many rows as the console can have, up to `rows` where it has to change for that.
struct screen core_screen(struct core *core, unsigned rows);

// A machine on a screen: menu_view_step or form_step, and what draws all of it. Keys and time go in until it has ended; the network is served
// meanwhile, and the screen is cleared in the end. What the machine ended with.
struct core_dialogue {
    int (*step)(void *machine, int byte, uint64_t now_us, uint64_t *wake);
    void (*draw)(void *machine);
    void *machine;
};
int core_dialogue_run(struct core *core, const struct screen *screen, const struct core_dialogue *d);

// Shows a menu of core_menus until a line is chosen, whose label is *ret_label until the menus change.
int core_menu_run(struct core *core, const char *name, const char *preset, uint32_t timeout_ms, uint32_t again_ms, const char **ret_label);

// One byte of the keyboard, as it comes from the console, ctrl-C among them; -1 when `deadline` has come, or something else.
int core_key_byte(struct core *core, uint64_t deadline);
