// SPDX-License-Identifier: MPL-2.0
// See menu.h. The arena holds records end to end: of each menu one that begins it, with name and title, and those of its lines, which may
// lie among others'.
#include "script/menu.h"

struct record {
    uint16_t size;   // of all of it, a multiple of 8
    uint16_t menu;   // whose: a number that one menu has
    uint16_t second; // where the second text begins
    int16_t key;
    uint8_t begins, gap, preset, secret;
    char texts[]; // two, each with its NUL
};

static struct record *at(const struct menus *m, size_t pos)
{
    return (struct record *)(void *)((uint8_t *)(uintptr_t)m->arena + pos);
}

static const struct record *find(const struct menus *m, const char *name)
{
    for (size_t pos = 0; pos < m->used; pos += at(m, pos)->size)
        if (at(m, pos)->begins && strcmp(at(m, pos)->texts, name) == 0)
            return at(m, pos);
    return NULL;
}

static int append(struct menus *m, struct record head, const char *first, const char *second)
{
    size_t first_len = strlen(first) + 1, second_len = strlen(second) + 1;
    if (first_len > MENUS_TEXT_MAX || second_len > MENUS_TEXT_MAX)
        return ERR_TOO_LARGE;
    size_t size = (offsetof(struct record, texts) + first_len + second_len + 7) / 8 * 8;
    if (size > MENUS_ARENA - m->used)
        return ERR_NO_MEMORY;
    struct record *r = at(m, m->used);
    head.size = (uint16_t)size;
    head.second = (uint16_t)first_len;
    memcpy(r, &head, sizeof head);
    memcpy(r->texts, first, first_len);
    memcpy(r->texts + first_len, second, second_len);
    m->used += size;
    return 0;
}

int menus_delete(struct menus *m, const char *name)
{
    const struct record *menu = find(m, name);
    if (!menu)
        return ERR_NOT_FOUND;
    uint16_t number = menu->menu;
    size_t to = 0;
    for (size_t pos = 0, size; pos < m->used; pos += size) {
        size = at(m, pos)->size;
        if (at(m, pos)->menu == number)
            continue;
        memmove(at(m, to), at(m, pos), size);
        to += size;
    }
    m->used = to;
    return 0;
}

static bool number_taken(const struct menus *m, uint16_t number)
{
    for (size_t pos = 0; pos < m->used; pos += at(m, pos)->size)
        if (at(m, pos)->menu == number)
            return true;
    return false;
}

int menus_begin(struct menus *m, const char *name, const char *title)
{
    (void)menus_delete(m, name);
    struct record head = { .begins = 1 };
    while (number_taken(m, head.menu))
        head.menu++;
    return append(m, head, name, title);
}

int menus_add(struct menus *m, const char *name, const struct menu_line *line)
{
    const struct record *menu = find(m, name);
    struct menu_line last;
    if (!menu)
        return ERR_NOT_FOUND;
    if (menus_line(m, name, MENUS_LINES_MAX - 1, &last))
        return ERR_NO_MEMORY;
    struct record head = { .menu = menu->menu, .key = (int16_t)line->key, .gap = line->gap, .preset = line->preset, .secret = line->secret };
    return append(m, head, line->label, line->text);
}

const char *menus_title(const struct menus *m, const char *name)
{
    const struct record *menu = find(m, name);
    return menu ? menu->texts + menu->second : NULL;
}

bool menus_line(const struct menus *m, const char *name, unsigned i, struct menu_line *ret)
{
    const struct record *menu = find(m, name), *r;
    for (size_t pos = 0; menu && pos < m->used; pos += r->size) {
        r = at(m, pos);
        if (r->menu != menu->menu || r->begins || i-- > 0)
            continue;
        *ret = (struct menu_line){ .label = r->texts, .text = r->texts + r->second, .key = r->key, .gap = r->gap, .preset = r->preset,
                                   .secret = r->secret };
        return true;
    }
    return false;
}
