// SPDX-License-Identifier: MPL-2.0
// See lineedit.h. The terminal is only asked to move left by backspaces: that works on every console.
#include "script/lineedit.h"

enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET };
#define CTRL(c) ((c)&0x1f)

struct echo {
    char *buf;
    size_t len;
};

static void show(struct echo *o, const char *text, size_t len)
{
    len = MIN(len, LINEEDIT_ECHO_MAX - o->len);
    memcpy(o->buf + o->len, text, len);
    o->len += len;
}

static void show_times(struct echo *o, char c, size_t n)
{
    for (; n > 0; n--)
        show(o, &c, 1);
}

// Shows the line from `from` on again, blanks `gone` old columns behind it, and puts the cursor back.
static void redraw(const struct lineedit *e, struct echo *o, size_t from, size_t gone)
{
    show(o, e->line + from, e->len - from);
    show_times(o, ' ', gone);
    show_times(o, '\b', e->len - e->cursor + gone);
}

// Removes [from, to) and leaves the cursor at `from`, wherever it was.
static void cut(struct lineedit *e, struct echo *o, size_t from, size_t to)
{
    if (from >= to)
        return;
    if (e->cursor > from)
        show_times(o, '\b', e->cursor - from);
    else
        show(o, e->line + e->cursor, from - e->cursor);
    memmove(e->line + from, e->line + to, e->len - to);
    e->len -= to - from;
    e->line[e->len] = 0;
    e->cursor = from;
    redraw(e, o, from, to - from);
}

static void insert(struct lineedit *e, struct echo *o, char c)
{
    if (e->len + 1 >= LINEEDIT_MAX)
        return;
    memmove(e->line + e->cursor + 1, e->line + e->cursor, e->len - e->cursor);
    e->line[e->cursor] = c;
    e->line[++e->len] = 0;
    e->cursor++;
    redraw(e, o, e->cursor - 1, 0);
}

static void move_to(struct lineedit *e, struct echo *o, size_t to)
{
    if (to < e->cursor)
        show_times(o, '\b', e->cursor - to);
    else
        show(o, e->line + e->cursor, to - e->cursor);
    e->cursor = to;
}

static void replace(struct lineedit *e, struct echo *o, const char *text)
{
    size_t old = e->len;
    move_to(e, o, 0);
    e->len = e->cursor = strnlen(text, LINEEDIT_MAX - 1);
    memcpy(e->line, text, e->len);
    e->line[e->len] = 0;
    show(o, e->line, e->len);
    size_t gone = old > e->len ? old - e->len : 0;
    show_times(o, ' ', gone);
    show_times(o, '\b', gone);
}

// The line `back` steps back: 1 is the newest.
static const char *history_at(const struct lineedit *e, unsigned back)
{
    return e->history[(e->history_next + LINEEDIT_HISTORY - back) % LINEEDIT_HISTORY];
}

static void browse(struct lineedit *e, struct echo *o, int step)
{
    if (step < 0 ? e->browse == 0 : e->browse >= e->history_count)
        return;
    if (e->browse == 0)
        memcpy(e->typed, e->line, e->len + 1);
    e->browse += (unsigned)step;
    replace(e, o, e->browse ? history_at(e, e->browse) : e->typed);
}

static void remember(struct lineedit *e)
{
    if (e->len == 0 || (e->history_count > 0 && strcmp(history_at(e, 1), e->line) == 0))
        return;
    memcpy(e->history[e->history_next], e->line, e->len + 1);
    e->history_next = (e->history_next + 1) % LINEEDIT_HISTORY;
    if (e->history_count < LINEEDIT_HISTORY)
        e->history_count++;
}

static void cut_word(struct lineedit *e, struct echo *o)
{
    size_t from = e->cursor;
    while (from > 0 && e->line[from - 1] == ' ')
        from--;
    while (from > 0 && e->line[from - 1] != ' ')
        from--;
    cut(e, o, from, e->cursor);
}

// Turns the keys of an ANSI sequence into control keys. Returns a key, 0 while inside a sequence.
static int decode(struct lineedit *e, int key)
{
    if (e->escape == ESCAPE_SEEN) {
        e->escape = key == '[' || key == 'O' ? ESCAPE_BRACKET : ESCAPE_NONE;
        e->escape_digit = 0;
        return 0;
    }
    if (e->escape == ESCAPE_BRACKET) {
        if ((key >= '0' && key <= '9') || key == ';') {
            e->escape_digit = (char)key;
            return 0;
        }
        e->escape = ESCAPE_NONE;
        switch (key) {
        case 'A': return CTRL('P');
        case 'B': return CTRL('N');
        case 'C': return CTRL('F');
        case 'D': return CTRL('B');
        case 'H': return CTRL('A');
        case 'F': return CTRL('E');
        case '~':
            switch (e->escape_digit) {
            case '1': case '7': return CTRL('A');
            case '4': case '8': return CTRL('E');
            case '3': return 0x100; // delete
            }
        }
        return 0;
    }
    if (key == 0x1b) {
        e->escape = ESCAPE_SEEN;
        return 0;
    }
    return key;
}

void lineedit_init(struct lineedit *e)
{
    memset(e, 0, sizeof *e);
}

void lineedit_start(struct lineedit *e, const char *text)
{
    e->len = e->cursor = text ? strnlen(text, LINEEDIT_MAX - 1) : 0;
    if (e->len)
        memcpy(e->line, text, e->len);
    e->line[e->len] = 0;
    e->browse = 0;
    e->escape = ESCAPE_NONE;
}

static void edit(struct lineedit *e, struct echo *o, int key)
{
    switch (key) {
    case CTRL('A'): move_to(e, o, 0); break;
    case CTRL('E'): move_to(e, o, e->len); break;
    case CTRL('B'): move_to(e, o, e->cursor - (e->cursor > 0)); break;
    case CTRL('F'): move_to(e, o, e->cursor + (e->cursor < e->len)); break;
    case CTRL('H'):
    case 0x7f: cut(e, o, e->cursor - (e->cursor > 0), e->cursor); break;
    case 0x100:
    case CTRL('D'): cut(e, o, e->cursor, e->cursor + (e->cursor < e->len)); break;
    case CTRL('K'): cut(e, o, e->cursor, e->len); break;
    case CTRL('U'): cut(e, o, 0, e->cursor); break;
    case CTRL('W'): cut_word(e, o); break;
    case CTRL('P'): browse(e, o, 1); break;
    case CTRL('N'): browse(e, o, -1); break;
    default:
        if (key >= 0x20 && key < 0x7f)
            insert(e, o, (char)key);
    }
}

enum lineedit_event lineedit_key(struct lineedit *e, int key, char echo[LINEEDIT_ECHO_MAX], size_t *ret_echo)
{
    struct echo o = { .buf = echo };
    enum lineedit_event event = LINEEDIT_MORE;
    key = decode(e, key);
    if (key == '\r' || key == '\n') {
        move_to(e, &o, e->len);
        show(&o, "\n", 1);
        remember(e);
        event = LINEEDIT_DONE;
    } else if (key == CTRL('C')) {
        show(&o, "^C\n", 3);
        e->len = e->cursor = 0;
        e->line[0] = 0;
        event = LINEEDIT_CANCEL;
    } else if (key == CTRL('D') && e->len == 0) {
        show(&o, "\n", 1);
        event = LINEEDIT_END;
    } else if (key > 0) {
        edit(e, &o, key);
    }
    *ret_echo = o.len;
    return event;
}
