// SPDX-License-Identifier: MPL-2.0
// Expansion of ${settings} in words (script_lex.h, script.h).
#include "script/script_lex.h"

struct output {
    char *buf;
    size_t cap, len; // len < cap always, so that the NUL has its place
};

static int put(struct output *out, char c)
{
    if (out->len + 1 >= out->cap)
        return ERR_SCRIPT_LIMIT;
    out->buf[out->len++] = c;
    return 0;
}

static int expand(struct script *s, const char *text, size_t len, char quote, bool escapes, unsigned depth,
                  struct output *out);

// `text` is a whole "${...}". The name inside is expanded first, then the value goes straight to the output.
static int expand_reference(struct script *s, const char *text, size_t len, unsigned depth, struct output *out)
{
    if (depth >= SCRIPT_NEST_MAX)
        return ERR_SCRIPT_LIMIT;
    char name[SCRIPT_NAME_MAX];
    struct output inner = { .buf = name, .cap = sizeof name };
    int rc = expand(s, text + 2, len - 3, 0, false, depth + 1, &inner);
    if (rc < 0)
        return rc;
    name[inner.len] = 0;
    int n = s->ops->get(s->ctx, name, out->buf + out->len, out->cap - out->len);
    if (n == ERR_TOO_LARGE)
        return ERR_SCRIPT_LIMIT;
    // A setting that is not there, or makes no sense as this type, expands to nothing.
    if (n > 0) {
        if ((size_t)n >= out->cap - out->len)
            return ERR_INTERNAL;
        out->len += (size_t)n;
    }
    return 0;
}

static int expand(struct script *s, const char *text, size_t len, char quote, bool escapes, unsigned depth,
                  struct output *out)
{
    for (size_t i = 0; i < len;) {
        int rc;
        size_t n = quote != '\'' && len - i >= 2 && text[i] == '$' && text[i + 1] == '{' ?
                       script_lex_reference(text + i, len - i) :
                       0;
        if (escapes && script_lex_escapes(text + i, len - i, quote)) {
            rc = put(out, text[i + 1]);
            i += 2;
        } else if (n > 0) {
            rc = expand_reference(s, text + i, n, depth, out);
            i += n;
        } else {
            rc = put(out, text[i++]);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int expand_whole(struct script *s, const char *text, size_t len, char quote, bool escapes, char *buf, size_t cap)
{
    if (cap == 0)
        return ERR_SCRIPT_LIMIT;
    struct output out = { .buf = buf, .cap = cap };
    int rc = expand(s, text, len, quote, escapes, 0, &out);
    if (rc < 0)
        return rc;
    buf[out.len] = 0;
    return (int)out.len;
}

int script_expand_word(struct script *s, const struct script_token *word, char *buf, size_t cap)
{
    return expand_whole(s, word->text, word->len, word->quote, true, buf, cap);
}

int script_expand(struct script *s, const char *text, size_t len, char *buf, size_t cap)
{
    return expand_whole(s, text, len, 0, false, buf, cap);
}
