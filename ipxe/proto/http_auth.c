// SPDX-License-Identifier: MPL-2.0
// See http_auth.h.
#include "proto/http_auth.h"

#include "base/text.h"

// ---- what the server wants --------------------------------------------------------------------------------------

static bool is_token(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static const char *skip(const char *p, const char *set)
{
    while (*p && strchr(set, *p))
        p++;
    return p;
}

static bool same(const char *text, size_t len, const char *lower)
{
    size_t i = 0;
    while (i < len && lower[i] && ascii_lower(text[i]) == lower[i])
        i++;
    return i == len && !lower[i];
}

// Is `lower` a word of the list?
static bool lists(const char *text, size_t len, const char *lower)
{
    for (size_t at = 0; at < len; at++) {
        size_t n = 0;
        while (at + n < len && is_token(text[at + n]))
            n++;
        if (same(text + at, n, lower))
            return true;
        at += n;
    }
    return false;
}

static bool keep(char *to, size_t cap, const char *text, size_t len)
{
    if (len >= cap)
        return false;
    memcpy(to, text, len);
    to[len] = 0;
    return true;
}

struct parameter {
    const char *name, *value;
    size_t name_len, value_len;
};

// A parameter's value, quoted or not. Behind it, or NULL.
static const char *read_value(const char *p, struct parameter *ret)
{
    bool quoted = *p == '"';
    ret->value = p += quoted;
    while (quoted ? *p != '"' : is_token(*p)) {
        if (*p == '\\')
            p++;
        if (!*p)
            return NULL;
        p++;
    }
    ret->value_len = (size_t)(p - ret->value);
    return p + quoted;
}

// Does the parameter leave it a challenge that can be answered?
static bool take(struct http_challenge *c, const struct parameter *p)
{
    if (c->scheme == HTTP_AUTH_BASIC)
        return true;
    if (same(p->name, p->name_len, "realm"))
        return keep(c->realm, sizeof c->realm, p->value, p->value_len);
    if (same(p->name, p->name_len, "nonce"))
        return keep(c->nonce, sizeof c->nonce, p->value, p->value_len);
    if (same(p->name, p->name_len, "opaque"))
        return keep(c->opaque, sizeof c->opaque, p->value, p->value_len);
    if (same(p->name, p->name_len, "stale"))
        c->stale = same(p->value, p->value_len, "true");
    if (same(p->name, p->name_len, "qop")) {
        c->qop = lists(p->value, p->value_len, "auth");
        return c->qop; // "auth-int" alone: the body would be hashed, too
    }
    if (same(p->name, p->name_len, "algorithm")) {
        if (same(p->value, p->value_len, "sha-256"))
            c->scheme = HTTP_AUTH_SHA256;
        else
            return same(p->value, p->value_len, "md5");
    }
    return true;
}

// One challenge, from behind the name of its scheme up to the next one's: that place.
static const char *read_challenge(const char *p, struct http_challenge *c, bool *good)
{
    for (;;) {
        struct parameter parameter = { 0 };
        const char *name = p = skip(p, " \t,"), *end = name;
        while (is_token(*end))
            end++;
        const char *equals = skip(end, " \t");
        if (end == name || *equals != '=')
            return p; // of another scheme
        parameter.name = name;
        parameter.name_len = (size_t)(end - name);
        p = read_value(skip(equals + 1, " \t"), &parameter);
        if (!p) {
            *good = false;
            return "";
        }
        *good &= take(c, &parameter);
    }
}

void http_challenge_read(struct http_challenge *c, const char *value)
{
    const char *p = skip(value, " \t,");
    while (is_token(*p)) {
        const char *scheme = p;
        while (is_token(*p))
            p++;
        size_t len = (size_t)(p - scheme);
        struct http_challenge one = { .scheme = same(scheme, len, "basic")    ? HTTP_AUTH_BASIC
                                                : same(scheme, len, "digest") ? HTTP_AUTH_MD5
                                                                              : HTTP_AUTH_NONE };
        bool good = true;
        p = skip(read_challenge(p, &one, &good), " \t,="); // "=" of a text that is no parameter: another scheme's
        good &= one.scheme == HTTP_AUTH_BASIC || one.nonce[0];
        if (good && one.scheme > c->scheme)
            *c = one;
    }
}

// ---- what is answered -------------------------------------------------------------------------------------------

static void put_base64(struct text *t, const uint8_t *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t n = MIN(len - i, (size_t)3);
        uint32_t v = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (n > 2 ? data[i + 2] : 0);
        for (size_t d = 0; d < 4; d++)
            text_char(t, d <= n ? digits[v >> (18 - 6 * d) & 63] : '=');
    }
}

static int basic(struct text *t, const struct http_user *user)
{
    char pair[2 * HTTP_USER_MAX];
    struct text p = { .buf = pair, .cap = sizeof pair };
    if (strchr(user->name, ':'))
        return ERR_INVALID; // RFC 7617 2: where would the password begin?
    text_string(&p, user->name);
    text_char(&p, ':');
    text_string(&p, user->password);
    text_string(t, "Authorization: Basic ");
    put_base64(t, (const uint8_t *)pair, p.len);
    return 0;
}

static void put(struct text *t, const char *before, const char *value, const char *after)
{
    text_string(t, before);
    text_string(t, value);
    text_string(t, after);
}

// RFC 7616 3.4.1, and 3.4.6 for servers that know no qop. Each request has a nonce of ours, so that the count is 1 always.
static int digest(struct text *t, const struct http_challenge *c, const struct http_user *user, const char *method, const char *target,
                  const uint8_t random[HTTP_CLIENT_NONCE], http_hash *hash)
{
    char secret[HTTP_HASH_HEX_MAX], asked[HTTP_HASH_HEX_MAX], response[HTTP_HASH_HEX_MAX], ours[2 * HTTP_CLIENT_NONCE + 1];
    struct text n = { .buf = ours, .cap = sizeof ours };
    for (const char *p = user->name; *p; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
            return ERR_INVALID;
    for (size_t i = 0; i < HTTP_CLIENT_NONCE; i++)
        text_hex(&n, random[i]);
    (void)text_finish(&n);
    hash(c->scheme, (const char *const[]){ user->name, ":", c->realm, ":", user->password }, 5, secret);
    hash(c->scheme, (const char *const[]){ method, ":", target }, 3, asked);
    if (c->qop)
        hash(c->scheme, (const char *const[]){ secret, ":", c->nonce, ":00000001:", ours, ":auth:", asked }, 7, response);
    else
        hash(c->scheme, (const char *const[]){ secret, ":", c->nonce, ":", asked }, 5, response);
    put(t, "Authorization: Digest username=\"", user->name, "\"");
    put(t, ", realm=\"", c->realm, "\"");
    put(t, ", nonce=\"", c->nonce, "\"");
    put(t, ", uri=\"", target, "\"");
    put(t, ", response=\"", response, "\"");
    put(t, ", algorithm=", c->scheme == HTTP_AUTH_SHA256 ? "SHA-256" : "MD5", "");
    if (c->opaque[0])
        put(t, ", opaque=\"", c->opaque, "\"");
    if (c->qop)
        put(t, ", qop=auth, nc=00000001, cnonce=\"", ours, "\"");
    return 0;
}

int http_authorization(char *buf, size_t cap, const struct http_challenge *c, const struct http_user *user, const char *method,
                       const char *target, const uint8_t random[HTTP_CLIENT_NONCE], http_hash *hash)
{
    struct text t = { .buf = buf, .cap = cap };
    int err = c->scheme == HTTP_AUTH_BASIC ? basic(&t, user) : digest(&t, c, user, method, target, random, hash);
    text_string(&t, "\r\n");
    return err ? err : text_finish(&t);
}
