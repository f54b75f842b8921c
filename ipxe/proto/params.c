// SPDX-License-Identifier: MPL-2.0
// See params.h. A record is four texts with their NULs: kind, list, key, value.
#include "proto/params.h"

#include "base/text.h"

enum { LIST = 'l', FIELD = 'f', HEADER = 'h' };

struct record {
    const char *kind, *list, *key, *value;
};

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

// The record at *pos, which is moved on. False at the end.
static bool next(const struct params *p, size_t *pos, struct record *r)
{
    if (*pos >= p->used)
        return false;
    r->kind = p->text + *pos;
    r->list = behind(r->kind);
    r->key = behind(r->list);
    r->value = behind(r->key);
    *pos = (size_t)(behind(r->value) - p->text);
    return true;
}

static int add(struct params *p, char kind, const char *list, const char *key, const char *value)
{
    const char *const texts[] = { (const char[]){ kind, 0 }, list, key, value };
    size_t at = p->used;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t n = strlen(texts[i]) + 1;
        if (n > sizeof p->text - at)
            return ERR_NO_MEMORY;
        memcpy(p->text + at, texts[i], n);
        at += n;
    }
    p->used = at;
    return 0;
}

bool params_delete(struct params *p, const char *list)
{
    size_t before = p->used, pos = 0, from = 0;
    struct record r;
    while (next(p, &pos, &r)) {
        if (strcmp(r.list, list) == 0) {
            memmove(p->text + from, p->text + pos, p->used - pos);
            p->used -= pos - from;
            pos = from;
        }
        from = pos;
    }
    return p->used < before;
}

bool params_has(const struct params *p, const char *list)
{
    size_t pos = 0;
    struct record r;
    while (next(p, &pos, &r))
        if (*r.kind == LIST && strcmp(r.list, list) == 0)
            return true;
    return false;
}

int params_create(struct params *p, const char *list)
{
    (void)params_delete(p, list);
    return add(p, LIST, list, "", "");
}

// RFC 9110 5.1, 5.5: a line break would begin a line of its own, or the body.
static bool fits_header(const char *key, const char *value)
{
    const char *c = key;
    while ((uint8_t)*c > 0x20 && (uint8_t)*c < 0x7f && *c != ':')
        c++;
    if (*c || c == key)
        return false;
    for (c = value; *c; c++)
        if (((uint8_t)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

int params_add(struct params *p, const char *list, bool header, const char *key, const char *value)
{
    if (!params_has(p, list))
        return ERR_NOT_FOUND;
    if (header && !fits_header(key, value))
        return ERR_INVALID;
    return add(p, header ? HEADER : FIELD, list, key, value);
}

// What ends a field or its name, or means something in a URI. The others stand for themselves, as iPXE leaves them.
static void put_coded(struct text *t, const char *text)
{
    for (const char *c = text; *c; c++)
        if ((uint8_t)*c <= 0x20 || (uint8_t)*c >= 0x7f || strchr("#%&/:=?", *c))
            text_percent(t, (uint8_t)*c);
        else
            text_char(t, *c);
}

int params_form(const struct params *p, const char *list, char *buf, size_t cap)
{
    struct text t = { .buf = buf, .cap = cap };
    size_t pos = 0;
    struct record r;
    while (next(p, &pos, &r)) {
        if (*r.kind != FIELD || strcmp(r.list, list) != 0)
            continue;
        if (t.len)
            text_char(&t, '&');
        put_coded(&t, r.key);
        text_char(&t, '=');
        put_coded(&t, r.value);
    }
    return text_finish(&t);
}

int params_headers(const struct params *p, const char *list, char *buf, size_t cap)
{
    struct text t = { .buf = buf, .cap = cap };
    size_t pos = 0;
    struct record r;
    while (next(p, &pos, &r)) {
        if (*r.kind != HEADER || strcmp(r.list, list) != 0)
            continue;
        text_string(&t, r.key);
        text_string(&t, ": ");
        text_string(&t, r.value);
        text_string(&t, "\r\n");
    }
    return text_finish(&t);
}
