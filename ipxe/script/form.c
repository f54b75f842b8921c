// SPDX-License-Identifier: MPL-2.0
// See form.h.
#include "script/form.h"

#include "base/err.h"
#include "base/fmt.h"

#define TITLE_ROW 1
#define FIRST_ROW 4
#define HINT_ROW 22
#define LABEL_COLUMN 3
#define LABEL_WIDTH 24
#define FIELD_COLUMN 29
#define FIELD_WIDTH 46
_Static_assert(FIRST_ROW + FORM_FIELDS_MAX < HINT_ROW && HINT_ROW < SCREEN_ROWS - 1, "a form fits the smallest screen");
_Static_assert(FIELD_COLUMN + FIELD_WIDTH < SCREEN_COLUMNS, "a field fits the smallest screen");

void form_init(struct form *f, const char *title)
{
    memset(f, 0, sizeof *f);
    f->title = title;
    lineedit_init(&f->edit);
}

int form_add(struct form *f, const char *name, const char *text, bool secret, bool gap, const char *value)
{
    if (f->count == FORM_FIELDS_MAX)
        return ERR_TOO_LARGE;
    struct form_field *field = &f->fields[f->count++];
    *field = (struct form_field){ .name = name, .text = text, .secret = secret, .gap = gap };
    fmt_snprintf(field->value, sizeof field->value, "%s", value);
    return 0;
}

// The part of the value in which the cursor is, and the cursor behind it.
static void draw_value(struct form *f, unsigned i)
{
    const struct form_field *field = &f->fields[i];
    char shown[LINEEDIT_MAX];
    bool here = i == f->at;
    const char *value = here ? f->edit.line : field->value;
    size_t len = strlen(value), cursor = here ? f->edit.cursor : 0, from = cursor >= FIELD_WIDTH ? cursor - FIELD_WIDTH + 1 : 0;
    memcpy(shown, value, len);
    if (field->secret)
        memset(shown, '*', len);
    screen_part(f->screen, FIRST_ROW + i, FIELD_COLUMN, FIELD_WIDTH, PAIR_EDIT, shown + from, len - from, '_');
    if (here)
        screen_cursor(f->screen, FIRST_ROW + i, FIELD_COLUMN + (unsigned)(cursor - from));
}

void form_draw(struct form *f)
{
    screen_open(f->screen);
    for (unsigned row = 0; row <= HINT_ROW; row++)
        screen_row(f->screen, row, PAIR_NORMAL, "", "");
    screen_row(f->screen, TITLE_ROW, PAIR_TITLE, f->title, "");
    screen_row(f->screen, HINT_ROW, PAIR_SEPARATOR, "Enter: next    Ctrl-X: take all    Esc: leave all as it was", "");
    for (unsigned i = 0; i < f->count; i++) {
        const struct form_field *field = &f->fields[i];
        const char *text = field->text[0] || field->gap ? field->text : field->name;
        if (field->gap) {
            screen_row(f->screen, FIRST_ROW + i, PAIR_SEPARATOR, text, "");
            continue;
        }
        screen_part(f->screen, FIRST_ROW + i, LABEL_COLUMN, LABEL_WIDTH, PAIR_NORMAL, text, strlen(text), ' ');
        if (i != f->at)
            draw_value(f, i);
    }
    draw_value(f, f->at); // the last one: the cursor stays in it
}

// Keeps what was typed, and goes to the next field by `step`. False: there is none.
static bool go(struct form *f, int step)
{
    unsigned to = f->at + (unsigned)step;
    memcpy(f->fields[f->at].value, f->edit.line, f->edit.len + 1);
    while (to < f->count && f->fields[to].gap)
        to += (unsigned)step;
    if (to >= f->count)
        return false;
    unsigned old = f->at;
    f->at = to;
    lineedit_start(&f->edit, f->fields[to].value);
    draw_value(f, old);
    draw_value(f, to);
    return true;
}

int form_start(struct form *f, const struct screen *screen)
{
    f->screen = screen;
    while (f->at < f->count && f->fields[f->at].gap)
        f->at++;
    if (f->at == f->count)
        return ERR_NOT_FOUND;
    lineedit_start(&f->edit, f->fields[f->at].value);
    form_draw(f);
    return 0;
}

// As the line editor has its control keys.
static int plain_key(int key)
{
    switch (key) {
    case KEY_LEFT: return KEY_CTRL('B');
    case KEY_RIGHT: return KEY_CTRL('F');
    case KEY_HOME: return KEY_CTRL('A');
    case KEY_END: return KEY_CTRL('E');
    case KEY_DELETE: return KEY_CTRL('D');
    default: return key;
    }
}

int form_step(struct form *f, int byte, uint64_t now_us, uint64_t *wake)
{
    char echo[LINEEDIT_ECHO_MAX];
    size_t echo_len;
    int key = keys_take(&f->keys, byte, now_us);
    switch (key) {
    case KEY_NONE: *wake = MIN(*wake, keys_deadline(&f->keys)); break;
    case KEY_ESCAPE: case KEY_CTRL('C'): return ERR_CANCELLED;
    case KEY_UP: case KEY_CTRL('P'): (void)go(f, -1); break;
    case KEY_DOWN: case KEY_CTRL('N'): case '\t': (void)go(f, 1); break;
    case KEY_CTRL('X'): (void)go(f, 0); return 0;
    case '\r': case '\n':
        if (!go(f, 1))
            return 0;
        break;
    default:
        key = plain_key(key);
        if (key < 0x100)
            (void)lineedit_key(&f->edit, key, echo, &echo_len);
        draw_value(f, f->at);
    }
    return PENDING;
}
