// SPDX-License-Identifier: MPL-2.0
// See menu_view.h.
#include "script/menu_view.h"

#include "base/fmt.h"

#define TITLE_ROW 1
#define FIRST_ROW 3 // of the lines; in the row in front of it and in the one behind the last there are marks where more follow
#define ROWS_BESIDE (FIRST_ROW + 2)
#define MORE "..."
#define SECOND_US 1000000u
#define NO_LINE UINT32_MAX

static struct menu_line line_at(const struct menu_view *v, unsigned i)
{
    struct menu_line line = { .label = "", .text = "", .key = -1, .gap = true };
    (void)menus_line(v->menus, v->name, i, &line);
    return line;
}

static bool can_choose(const struct menu_view *v, unsigned i)
{
    return i < v->count && !line_at(v, i).gap;
}

// The first line from `i` on, by `step`, that can be chosen, or NO_LINE.
static unsigned seek(const struct menu_view *v, unsigned i, int step)
{
    while (i < v->count && !can_choose(v, i))
        i += (unsigned)step;
    return i < v->count ? i : NO_LINE;
}

static void draw_line(const struct menu_view *v, unsigned i)
{
    char left[16] = "";
    struct menu_line line = line_at(v, i);
    bool marked = i == v->chosen;
    if (marked && v->end_us != UINT64_MAX)
        fmt_snprintf(left, sizeof left, "(%u)", v->seconds);
    screen_row(v->screen, FIRST_ROW + i - v->top, marked ? PAIR_SELECT : line.gap ? PAIR_SEPARATOR : PAIR_NORMAL,
               line.text[0] || line.gap ? line.text : line.label, left);
}

static void draw_lines(const struct menu_view *v)
{
    screen_row(v->screen, FIRST_ROW - 1, PAIR_SEPARATOR, v->top > 0 ? MORE : "", "");
    for (unsigned i = v->top; i < v->top + v->lines; i++)
        if (i < v->count)
            draw_line(v, i);
        else
            screen_row(v->screen, FIRST_ROW + i - v->top, PAIR_NORMAL, "", "");
    screen_row(v->screen, FIRST_ROW + v->lines, PAIR_SEPARATOR, v->top + v->lines < v->count ? MORE : "", "");
}

void menu_view_draw(const struct menu_view *v)
{
    screen_open(v->screen);
    screen_row(v->screen, 0, PAIR_NORMAL, "", "");
    screen_row(v->screen, TITLE_ROW, PAIR_TITLE, menus_title(v->menus, v->name), "");
    draw_lines(v);
}

// Shows the marked line, and with the first and the last one what is in front and behind.
static unsigned top_for(const struct menu_view *v)
{
    unsigned first = v->chosen, last = v->chosen;
    while (first > 0 && !can_choose(v, first - 1))
        first--;
    while (last + 1 < v->count && !can_choose(v, last + 1))
        last++;
    first = first == 0 && v->chosen < v->lines ? 0 : v->chosen;
    last = last + 1 == v->count && last - v->chosen < v->lines ? last : v->chosen;
    if (first < v->top)
        return first;
    return last >= v->top + v->lines ? last + 1 - v->lines : v->top;
}

static void mark(struct menu_view *v, unsigned i)
{
    unsigned old = v->chosen;
    if (i == NO_LINE || i == old)
        return;
    v->chosen = i;
    unsigned top = top_for(v);
    if (top != v->top) {
        v->top = top;
        draw_lines(v);
        return;
    }
    draw_line(v, old);
    draw_line(v, i);
}

static void page(struct menu_view *v, int step)
{
    unsigned to = v->chosen;
    if (step < 0)
        to = to > v->lines ? to - v->lines : 0;
    else
        to = MIN(to + v->lines, v->count - 1);
    unsigned found = seek(v, to, step);
    mark(v, found != NO_LINE ? found : seek(v, to, -step));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_word(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

// The next line, round about, that begins with this letter.
static unsigned by_letter(const struct menu_view *v, char letter)
{
    for (unsigned n = 1; n <= v->count; n++) {
        unsigned i = (v->chosen + n) % v->count;
        struct menu_line line = line_at(v, i);
        const char *text = line.text[0] ? line.text : line.label;
        while (*text && !is_word(*text))
            text++;
        if (!line.gap && lower(*text) == lower(letter))
            return i;
    }
    return NO_LINE;
}

static unsigned by_key(const struct menu_view *v, int key)
{
    for (unsigned i = 0; i < v->count; i++)
        if (can_choose(v, i) && line_at(v, i).key == key)
            return i;
    return NO_LINE;
}

static int press(struct menu_view *v, int key)
{
    unsigned own = by_key(v, key);
    if (own != NO_LINE) {
        v->chosen = own;
        return 0;
    }
    switch (key) {
    case '\r': case '\n': return 0;
    case KEY_ESCAPE: case KEY_CTRL('C'): return ERR_CANCELLED;
    case KEY_UP: case KEY_CTRL('P'): mark(v, seek(v, v->chosen - 1, -1)); break;
    case KEY_DOWN: case KEY_CTRL('N'): mark(v, seek(v, v->chosen + 1, 1)); break;
    case KEY_PAGE_UP: page(v, -1); break;
    case KEY_PAGE_DOWN: page(v, 1); break;
    case KEY_HOME: case KEY_CTRL('A'): mark(v, seek(v, 0, 1)); break;
    case KEY_END: case KEY_CTRL('E'): mark(v, seek(v, v->count - 1, -1)); break;
    default:
        if (key < 0x80 && is_word((char)key))
            mark(v, by_letter(v, (char)key));
    }
    return PENDING;
}

static void count_from(struct menu_view *v, uint32_t ms, uint64_t now_us)
{
    v->end_us = ms ? now_us + (uint64_t)ms * 1000 : UINT64_MAX;
    v->seconds = ms / 1000 + (ms % 1000 > 0);
}

// When fewer whole seconds are left than it shows.
static uint64_t next_second(const struct menu_view *v)
{
    return v->end_us - (uint64_t)(v->seconds - 1) * SECOND_US;
}

int menu_view_start(struct menu_view *v, const struct menus *menus, const char *name, const struct screen *screen, const char *preset,
                    uint32_t timeout_ms, uint32_t again_ms, uint64_t now_us)
{
    struct menu_line line;
    *v = (struct menu_view){ .menus = menus, .name = name, .screen = screen, .lines = screen->rows - ROWS_BESIDE, .chosen = NO_LINE };
    if (!menus_title(menus, name))
        return ERR_NOT_FOUND;
    unsigned by_menu = NO_LINE, by_name = NO_LINE;
    for (; menus_line(menus, name, v->count, &line); v->count++) {
        if (line.gap)
            continue;
        if (line.preset)
            by_menu = v->count;
        if (by_name == NO_LINE && preset && strcmp(line.label, preset) == 0)
            by_name = v->count;
    }
    v->chosen = by_name != NO_LINE ? by_name : by_menu != NO_LINE ? by_menu : seek(v, 0, 1);
    if (v->chosen == NO_LINE)
        return ERR_NOT_FOUND;
    v->top = top_for(v);
    v->again_ms = again_ms;
    count_from(v, timeout_ms, now_us);
    menu_view_draw(v);
    return 0;
}

int menu_view_step(struct menu_view *v, int byte, uint64_t now_us, uint64_t *wake)
{
    if (byte >= 0 && v->end_us != UINT64_MAX) {
        count_from(v, v->again_ms, now_us);
        draw_line(v, v->chosen);
    }
    int key = keys_take(&v->keys, byte, now_us);
    int result = key == KEY_NONE ? PENDING : press(v, key);
    if (result != PENDING)
        return result;
    *wake = MIN(*wake, keys_deadline(&v->keys));
    if (v->end_us == UINT64_MAX)
        return PENDING;
    if (now_us >= v->end_us)
        return 0;
    bool less = now_us >= next_second(v);
    while (now_us >= next_second(v))
        v->seconds--;
    if (less)
        draw_line(v, v->chosen);
    *wake = MIN(*wake, next_second(v));
    return PENDING;
}

const char *menu_view_label(const struct menu_view *v)
{
    return line_at(v, v->chosen).label;
}

unsigned menu_view_rows(const struct menus *menus, const char *name)
{
    struct menu_line line;
    unsigned count = 0;
    while (menus_line(menus, name, count, &line))
        count++;
    return menus_title(menus, name) ? count + ROWS_BESIDE : 0;
}
