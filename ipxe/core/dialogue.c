// SPDX-License-Identifier: MPL-2.0
// See menus.h.
#include "core/menus.h"

struct menus core_menus;
static struct screen_colours colours;

void core_menus_start(void)
{
    core_menus.used = 0;
    screen_colours_init(&colours);
}

struct screen_colours *core_colours(void)
{
    return &colours;
}

static void draw(void *ctx, const char *text, size_t len)
{
    console_draw(text, len);
}

struct screen core_screen(struct core *core, unsigned rows)
{
    const struct platform *p = core->platform;
    struct screen screen = { .write = draw, .rows = SCREEN_ROWS, .columns = SCREEN_COLUMNS, .colours = &colours };
    if (p->console_size)
        p->console_size(p->ctx, rows, &screen.rows, &screen.columns);
    screen.rows = MAX(screen.rows, SCREEN_ROWS);
    screen.columns = MAX(screen.columns, SCREEN_COLUMNS);
    return screen;
}

int core_key_byte(struct core *core, uint64_t deadline)
{
    // A key may be several bytes, the further ones of which are there: no sleep then.
    int err = core->next_key_us == 0 ? core_glance(core) : 0;
    if (!err && core->key < 0)
        err = core_turn(core, deadline);
    if (err == ERR_CANCELLED)
        return KEY_CTRL('C');
    return core->key < 0 ? -1 : core_take_key(core);
}

int core_dialogue_run(struct core *core, const struct screen *screen, const struct core_dialogue *d)
{
    int result, byte = -1;
    console_forget();
    unsigned said = console_count();
    for (;;) {
        uint64_t wake = UINT64_MAX;
        result = d->step(d->machine, byte, core_now(core), &wake);
        if (result != PENDING)
            break;
        if (console_count() != said)
            d->draw(d->machine); // somebody else has said something
        said = console_count();
        byte = core_key_byte(core, wake);
    }
    screen_close(screen);
    return result;
}

static int view_step(void *machine, int byte, uint64_t now_us, uint64_t *wake)
{
    return menu_view_step(machine, byte, now_us, wake);
}

static void view_draw(void *machine)
{
    menu_view_draw(machine);
}

int core_menu_run(struct core *core, const char *name, const char *preset, uint32_t timeout_ms, uint32_t again_ms, const char **ret_label)
{
    static struct menu_view view;
    struct screen screen = core_screen(core, menu_view_rows(&core_menus, name));
    int err = menu_view_start(&view, &core_menus, name, &screen, preset, timeout_ms, again_ms, core_now(core));
    if (!err)
        err = core_dialogue_run(core, &screen, &(struct core_dialogue){ view_step, view_draw, &view });
    if (!err)
        *ret_label = menu_view_label(&view);
    return err;
}
