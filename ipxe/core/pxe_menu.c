// SPDX-License-Identifier: MPL-2.0
// A PXE server's menu as a person sees it (network.h; PXE 2.1, options 43.9 and 43.10).
#include "core/network.h"

#define SECOND_US 1000000u
// A menu that shall wait for a person does not wait longer than this for a key: a stray byte on a serial line, or whoever answers DHCP, must not
// keep a machine for good.
#define UNATTENDED_US 300000000u
#define ITEMS_MAX 26 // a small letter each: no terminal sends one within the bytes of an arrow or of F8

static struct {
    bool shown;    // the items
    unsigned left; // whole seconds behind this one, until the first item is taken
    uint64_t tick; // when this one ends
    uint64_t alone; // when nobody counts as being there
} state;

void core_pxe_menu_start(struct core *core, const struct dhcp_lease *menu)
{
    char text[DHCP_MENU_TEXT_MAX];
    state.shown = false;
    state.left = dhcp_menu_prompt(menu, text);
    state.tick = core_now(core);
    state.alone = state.tick + UNATTENDED_US;
    core->key = -1; // meant for something else
}

static void draw(const struct dhcp_lease *menu, const char *text)
{
    struct dhcp_menu_item item;
    console_print("\n%s\n", text);
    for (unsigned i = 0; i < ITEMS_MAX && dhcp_menu_item(menu, i, &item); i++)
        console_print("  %c  %s\n", (int)('a' + i), item.text);
}

static int first_by_time(const struct dhcp_lease *menu, struct dhcp_menu_item *ret)
{
    return dhcp_menu_item(menu, 0, ret) ? PXE_MENU_BY_TIME : ERR_INTERNAL;
}

int core_pxe_menu_step(struct core *core, const struct dhcp_lease *menu, struct dhcp_menu_item *ret, uint64_t *wake)
{
    char text[DHCP_MENU_TEXT_MAX];
    int key = core_take_key(core);
    uint8_t seconds = dhcp_menu_prompt(menu, text);
    if (key >= 0)
        state.alone = core_now(core) + UNATTENDED_US;
    if (state.shown) {
        unsigned i = key == '\r' ? 0 : (unsigned)key - 'a';
        if (i < ITEMS_MAX && dhcp_menu_item(menu, i, ret))
            return PXE_MENU_BY_KEY;
        if (core_now(core) >= state.alone)
            return first_by_time(menu, ret);
        *wake = MIN(*wake, state.alone);
        return PENDING;
    }
    if (seconds == DHCP_MENU_WAITS || key >= 0) {
        draw(menu, text);
        state.shown = true;
    } else if (core_now(core) >= state.tick) {
        if (!state.left)
            return first_by_time(menu, ret);
        console_print("\r%.70s %u s ", text, state.left--);
        state.tick += SECOND_US;
    }
    *wake = MIN(*wake, state.tick);
    return PENDING;
}
