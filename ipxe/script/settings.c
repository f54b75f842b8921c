// SPDX-License-Identifier: MPL-2.0
// The store (settings.h): entries one behind the other in the caller's arena, in the order of storing.
#include "script/settings.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/range.h"
#include "script/setting_names.h"

// One entry: the head below, scope, name, value.
enum entry_head {
    ENTRY_SIZE = 0,  // u16, of the whole
    ENTRY_SCOPE = 2, // u8 length
    ENTRY_NAME = 3,  // u8 length
    ENTRY_TYPE = 4,  // u8
    ENTRY_VALUE = 6, // u16 length
    ENTRY_HEAD = 8,
};

struct entry {
    size_t at, size; // in the arena
    const char *scope, *name;
    size_t scope_len, name_len;
    enum setting_type type;
    const uint8_t *value;
    size_t value_len;
};

// --- names ---

// A name taken apart: [scope/]name[:type], the scope resolved, a known option's number turned into its name.
struct name {
    char scope[SETTINGS_NAME_MAX], name[SETTINGS_NAME_MAX];
    bool scoped;
    bool typed;
    bool known;
    enum setting_type type;    // if typed
    enum setting_type natural; // of a known name, else STRING
};

static bool is_name(const char *text, size_t len)
{
    if (len >= SETTINGS_NAME_MAX / 2)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c <= ' ' || c >= 0x7f || c == '/' || c == ':' || c == '$' || c == '{' || c == '}')
            return false;
    }
    return true;
}

static void copy_name(char to[SETTINGS_NAME_MAX], const char *from, size_t len)
{
    memcpy(to, from, len);
    to[len] = 0;
}

// Fills in name and natural type from a bare name.
static void set_canonical(struct name *n, const char *text, size_t len)
{
    copy_name(n->name, text, len);
    const struct setting_name *k = setting_name_find(n->name);
    n->known = k != NULL;
    n->natural = k ? (enum setting_type)k->type : SETTING_STRING;
    if (k)
        copy_name(n->name, k->name, strlen(k->name));
}

static int parse_name(const struct settings *s, const char *text, struct name *ret)
{
    struct name n = { .natural = SETTING_STRING };
    const char *slash = strchr(text, '/');
    if (slash) {
        size_t len = (size_t)(slash - text);
        if (!is_name(text, len))
            return ERR_INVALID;
        n.scoped = true;
        copy_name(n.scope, text, len);
        if (strcmp(n.scope, "netX") == 0)
            copy_name(n.scope, s->current, strlen(s->current));
        text = slash + 1;
    }
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (!is_name(text, len))
        return ERR_INVALID;
    if (colon) {
        n.typed = true;
        if (setting_type_by_name(colon + 1, strlen(colon + 1), &n.type) < 0)
            return ERR_INVALID;
    }
    set_canonical(&n, text, len);
    *ret = n;
    return 0;
}

// --- entries ---

static bool next_entry(const struct settings *s, size_t *at, struct entry *ret)
{
    if (*at >= s->used)
        return false;
    const uint8_t *p = s->arena + *at;
    struct entry e = { .at = *at, .size = load16_le(p + ENTRY_SIZE) };
    e.scope_len = p[ENTRY_SCOPE];
    e.name_len = p[ENTRY_NAME];
    e.type = (enum setting_type)p[ENTRY_TYPE];
    e.value_len = load16_le(p + ENTRY_VALUE);
    e.scope = (const char *)p + ENTRY_HEAD;
    e.name = e.scope + e.scope_len;
    e.value = (const uint8_t *)e.name + e.name_len;
    *at += e.size;
    *ret = e;
    return true;
}

static bool text_is(const char *text, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(text, wanted, len) == 0;
}

// Is the entry's scope "base.<something>"?
static bool is_below(const struct entry *e, const char *base)
{
    size_t n = strlen(base);
    return n > 0 && e->scope_len > n && memcmp(e->scope, base, n) == 0 && e->scope[n] == '.';
}

// How good a match the entry's scope is: 0 the best, -1 none.
static int rank(const struct settings *s, const struct name *n, const struct entry *e)
{
    if (n->scoped)
        return text_is(e->scope, e->scope_len, n->scope) ? 0 : is_below(e, n->scope) ? 1 : -1;
    if (e->scope_len == 0)
        return 0;
    if (text_is(e->scope, e->scope_len, s->current))
        return 1;
    if (is_below(e, s->current))
        return 2;
    return memchr(e->scope, '.', e->scope_len) ? 4 : 3; // a card before what DHCP said to it
}

static bool find_stored(const struct settings *s, const struct name *n, struct entry *ret)
{
    struct entry e;
    int best = -1;
    for (size_t at = 0; next_entry(s, &at, &e);) {
        if (!text_is(e.name, e.name_len, n->name))
            continue;
        int r = rank(s, n, &e);
        if (r >= 0 && (best < 0 || r < best)) {
            best = r;
            *ret = e;
        }
    }
    return best >= 0;
}

// dnsmasq turns an address that is not quoted into its four bytes, also where a text is meant.
static bool looks_like_ipv4(const struct name *n, const struct entry *e)
{
    if (strcmp(n->name, "p2-server") != 0 || e->value_len != 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (e->value[i] <= ' ' || e->value[i] >= 0x7f)
            return true;
    return false;
}

// A sub-option that came inside an encapsulated DHCP option: looked for in the option's own value.
static bool find_encapsulated(const struct settings *s, const struct name *n, struct entry *ret)
{
    const struct setting_name *k = setting_name_find(n->name);
    struct name outer = *n;
    int option, sub;
    if (k && k->sub) {
        option = k->option;
        sub = k->sub;
    } else if (!setting_option_number(n->name, &option, &sub) || sub < 0) {
        return false;
    }
    fmt_snprintf(outer.name, sizeof outer.name, "%d", option);
    if (!find_stored(s, &outer, ret))
        return false;
    for (size_t at = 0; at + 2 <= ret->value_len && ret->value[at] != 255;) {
        size_t len = ret->value[at + 1];
        if (ret->value[at] == 0) {
            at++;
            continue;
        }
        if (!range_fits(at + 2, len, ret->value_len))
            return false;
        if (ret->value[at] == sub && len > 0) { // an empty one is not there
            ret->value += at + 2;
            ret->value_len = len;
            ret->type = looks_like_ipv4(n, ret) ? SETTING_IPV4 : n->natural;
            return true;
        }
        at += 2 + len;
    }
    return false;
}

static bool find(const struct settings *s, const struct name *n, struct entry *ret)
{
    return find_stored(s, n, ret) || find_encapsulated(s, n, ret);
}

static void remove_entry(struct settings *s, const struct entry *e)
{
    memmove(s->arena + e->at, s->arena + e->at + e->size, s->used - e->at - e->size);
    s->used -= e->size;
}

static bool find_exact(const struct settings *s, const char *scope, const char *name, struct entry *ret)
{
    for (size_t at = 0; next_entry(s, &at, ret);)
        if (text_is(ret->scope, ret->scope_len, scope) && text_is(ret->name, ret->name_len, name))
            return true;
    return false;
}

static int store(struct settings *s, const char *scope, const char *name, enum setting_type type, const void *data,
                 size_t len)
{
    struct entry old;
    bool replaces = find_exact(s, scope, name, &old);
    size_t scope_len = strlen(scope), name_len = strlen(name);
    size_t size = ENTRY_HEAD + scope_len + name_len + len;
    size_t used = s->used - (replaces ? old.size : 0);
    if (len > SETTINGS_VALUE_MAX)
        return ERR_TOO_LARGE;
    if (size > s->cap - used)
        return ERR_NO_MEMORY;
    if (replaces)
        remove_entry(s, &old);
    uint8_t *p = s->arena + s->used;
    memset(p, 0, ENTRY_HEAD);
    store16_le(p + ENTRY_SIZE, (uint16_t)size);
    p[ENTRY_SCOPE] = (uint8_t)scope_len;
    p[ENTRY_NAME] = (uint8_t)name_len;
    p[ENTRY_TYPE] = (uint8_t)type;
    store16_le(p + ENTRY_VALUE, (uint16_t)len);
    memcpy(p + ENTRY_HEAD, scope, scope_len);
    memcpy(p + ENTRY_HEAD + scope_len, name, name_len);
    if (len)
        memcpy(p + ENTRY_HEAD + scope_len + name_len, data, len);
    s->used += size;
    return 0;
}

// --- the interface ---

void settings_init(struct settings *s, void *arena, size_t cap)
{
    *s = (struct settings){ .arena = arena, .cap = cap };
}

void settings_use(struct settings *s, const char *scope)
{
    size_t len = strnlen(scope, sizeof s->current - 1);
    memcpy(s->current, scope, len);
    s->current[len] = 0;
}

int settings_put(struct settings *s, const char *scope, const char *name, enum setting_type type, const void *data,
                 size_t len)
{
    struct name n = { 0 };
    size_t name_len = strlen(name);
    if (name_len == 0 || !is_name(name, name_len) || !is_name(scope, strlen(scope)) || (unsigned)type >= SETTING_TYPES)
        return ERR_INVALID;
    set_canonical(&n, name, name_len);
    return store(s, scope, n.name, type, data, len);
}

int settings_put_text(struct settings *s, const char *scope, const char *name, const char *text)
{
    struct name n = { 0 };
    struct entry e;
    if (text && *text)
        return settings_put(s, scope, name, SETTING_STRING, text, strlen(text));
    if (!is_name(name, strlen(name)))
        return ERR_INVALID;
    set_canonical(&n, name, strlen(name));
    if (find_exact(s, scope, n.name, &e))
        remove_entry(s, &e);
    return 0;
}

static int set_text(struct settings *s, const char *name, const char *text, bool keep_type)
{
    struct name n;
    struct entry e;
    int rc = parse_name(s, name, &n);
    if (rc < 0)
        return rc;
    if (n.name[0] == 0)
        return ERR_INVALID;
    if (*text == 0) {
        if (find_exact(s, n.scope, n.name, &e))
            remove_entry(s, &e);
        return 0;
    }
    enum setting_type type = n.typed ? n.type : n.natural;
    if (keep_type && !n.typed)
        type = find_exact(s, n.scope, n.name, &e) ? e.type : n.known ? n.natural : SETTING_INT32;
    uint8_t value[SETTINGS_VALUE_MAX];
    int len = setting_parse(type, text, value, sizeof value);
    if (n.known)
        type = n.natural;
    return len < 0 ? len : store(s, n.scope, n.name, type, value, (size_t)len);
}

int settings_set(struct settings *s, const char *name, const char *text)
{
    return set_text(s, name, text, false);
}

int settings_update(struct settings *s, const char *name, const char *text)
{
    return set_text(s, name, text, true);
}

int settings_clear(struct settings *s, const char *name)
{
    struct name n;
    struct entry e;
    int rc = parse_name(s, name, &n);
    if (rc < 0)
        return rc;
    if (n.name[0]) {
        if (!find_exact(s, n.scope, n.name, &e))
            return ERR_NOT_FOUND;
        remove_entry(s, &e);
        return 0;
    }
    if (!n.scoped)
        return ERR_INVALID;
    bool found = false;
    for (size_t at = 0; next_entry(s, &at, &e);) {
        if (!text_is(e.scope, e.scope_len, n.scope) && !is_below(&e, n.scope))
            continue;
        remove_entry(s, &e);
        at = e.at;
        found = true;
    }
    return found ? 0 : ERR_NOT_FOUND;
}

static int lookup(const struct settings *s, const char *name, struct name *n, struct entry *e)
{
    int rc = parse_name(s, name, n);
    if (rc < 0)
        return rc;
    return n->name[0] && find(s, n, e) ? 0 : ERR_NOT_FOUND;
}

int settings_get(const struct settings *s, const char *name, char *buf, size_t cap)
{
    struct name n;
    struct entry e;
    int rc = lookup(s, name, &n, &e);
    return rc < 0 ? rc : setting_format(n.typed ? n.type : e.type, e.value, e.value_len, buf, cap);
}

int settings_show(const struct settings *s, const char *name, char *buf, size_t cap)
{
    struct name n;
    struct entry e;
    int rc = lookup(s, name, &n, &e);
    if (rc < 0)
        return rc;
    enum setting_type type = n.typed ? n.type : e.type;
    int head = fmt_snprintf(buf, cap, "%.*s%s%.*s:%s = ", (int)e.scope_len, e.scope, e.scope_len ? "/" : "",
                            (int)e.name_len, e.name, setting_type_name(type));
    if (head < 0 || (size_t)head >= cap)
        return ERR_TOO_LARGE;
    rc = setting_format(type, e.value, e.value_len, buf + head, cap - (size_t)head);
    return rc < 0 ? rc : head + rc;
}

int settings_find(const struct settings *s, const char *name, const uint8_t **ret, size_t *ret_len,
                  enum setting_type *ret_type)
{
    struct name n;
    struct entry e;
    int rc = lookup(s, name, &n, &e);
    if (rc < 0)
        return rc;
    *ret = e.value;
    *ret_len = e.value_len;
    *ret_type = e.type;
    return 0;
}

bool settings_next(const struct settings *s, size_t *pos, char name[SETTINGS_NAME_MAX], enum setting_type *ret_type,
                   const uint8_t **ret, size_t *ret_len)
{
    struct entry e;
    if (!next_entry(s, pos, &e))
        return false;
    fmt_snprintf(name, SETTINGS_NAME_MAX, "%.*s%s%.*s", (int)e.scope_len, e.scope, e.scope_len ? "/" : "",
                 (int)e.name_len, e.name);
    *ret_type = e.type;
    *ret = e.value;
    *ret_len = e.value_len;
    return true;
}
