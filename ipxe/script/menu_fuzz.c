// SPDX-License-Identifier: MPL-2.0
// A menu's lines and a person's keys. Input: lines `label text`, each behind a byte that says what it is ('g' a gap, 'd' the default, 'k' with its
// first letter as key, 's' secret); an empty line; then bytes of the keyboard, 0xfe for half a second without one. The same lines as a form.
#include "base/fuzz.h"
#include "script/form.h"
#include "script/menu_view.h"
#include "script/testscreen.h"

#define HALF_US 500000u

static struct menus menus;

// Returns where the keys begin.
static size_t read_lines(const uint8_t *data, size_t size)
{
    char text[2 * MENUS_TEXT_MAX];
    size_t at = 0;
    menus.used = 0;
    (void)menus_begin(&menus, "", "A title");
    (void)menus_begin(&menus, "other", "");
    while (at < size) {
        size_t len = 0;
        while (at < size && data[at] != '\n' && len < sizeof text - 1)
            text[len++] = (char)data[at++];
        at++;
        text[len] = 0;
        if (len == 0)
            break;
        char *blank = strchr(text, ' ');
        if (blank)
            *blank = 0;
        struct menu_line line = { .label = text + 1, .text = blank ? blank + 1 : "", .key = text[0] == 'k' ? (uint8_t)text[1] : -1,
                                  .gap = text[0] == 'g', .preset = text[0] == 'd', .secret = text[0] == 's' };
        (void)menus_add(&menus, text[0] == 'o' ? "other" : "", &line);
    }
    return MIN(at, size);
}

static void check_screen(void)
{
    if (term.wrong || (term.row >= TERM_ROWS - 1 && term.column > 0))
        __builtin_trap();
}

static void play_menu(const uint8_t *data, size_t size)
{
    struct screen screen = term_on();
    struct menu_view v;
    struct menu_line line;
    uint64_t now = 0, wake;
    if (menu_view_start(&v, &menus, "", &screen, "x", 2000, size % 2 ? 3000 : 0, now) != 0)
        return;
    for (size_t i = 0; i < size; i++) {
        wake = UINT64_MAX;
        now += data[i] == 0xfe ? HALF_US : 1;
        int step = menu_view_step(&v, data[i] == 0xfe ? -1 : data[i], now, &wake);
        check_screen();
        if (!menus_line(&menus, "", v.chosen, &line) || line.gap || strcmp(menu_view_label(&v), line.label) != 0)
            __builtin_trap(); // a line that cannot be chosen
        if (v.chosen < v.top || v.chosen >= v.top + v.lines)
            __builtin_trap(); // or does not show
        if (step != PENDING)
            break;
        if (wake < now)
            __builtin_trap(); // it would never sleep
    }
}

static void play_form(const uint8_t *data, size_t size)
{
    static struct form form;
    struct screen screen = term_on();
    struct menu_line line;
    uint64_t now = 0, wake = UINT64_MAX;
    form_init(&form, menus_title(&menus, ""));
    for (unsigned i = 0; menus_line(&menus, "", i, &line); i++)
        (void)form_add(&form, line.label, line.text, line.secret, line.gap, line.text);
    if (form_start(&form, &screen))
        return;
    for (size_t i = 0; i < size; i++) {
        now += data[i] == 0xfe ? HALF_US : 1;
        if (form_step(&form, data[i] == 0xfe ? -1 : data[i], now, &wake) != PENDING)
            break;
        check_screen();
        if (form.at >= form.count || form.fields[form.at].gap || strlen(form.edit.line) != form.edit.len)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t keys = read_lines(data, size);
    play_menu(data + keys, size - keys);
    play_form(data + keys, size - keys);
    return 0;
}
