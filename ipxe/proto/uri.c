// SPDX-License-Identifier: MPL-2.0
// See uri.h.
#include "proto/uri.h"

#include "base/addr.h"
#include "base/fmt.h"
#include "base/text.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_in(char c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

// --- reading ---

#define SUB_DELIMS "!$&'()*+,;="
#define PATH_CHARS SUB_DELIMS ":@/"
#define QUERY_CHARS PATH_CHARS "?"
#define USER_CHARS SUB_DELIMS ":@"

// A byte from a percent escape, or -1.
static int escaped(const char *p, const char *end)
{
    if (end - p < 3 || p[0] != '%')
        return -1;
    int high = ascii_hex_value(p[1]), low = ascii_hex_value(p[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// Copies path or query; what may not stand in a URI (blanks, quotes, UTF-8) gets coded.
static int copy_coded(const char *from, const char *end, const char *allowed, char *buf, size_t cap)
{
    struct text o = { .buf = buf, .cap = cap };
    for (; from < end; from++) {
        if (*from == '%') {
            if (escaped(from, end) < 0)
                return ERR_URI_MALFORMED;
            text_bytes(&o, from, 3);
            from += 2;
        } else if (ascii_is_unreserved(*from) || is_in(*from, allowed)) {
            text_char(&o, *from);
        } else {
            text_percent(&o, (uint8_t)*from);
        }
    }
    return text_finish(&o);
}

// "[fe80::1%25net0]", `from` behind the bracket, `end` at the closing one.
static int read_v6(const char *from, const char *end, struct uri *uri)
{
    const char *zone = memchr(from, '%', (size_t)(end - from));
    const char *address_end = zone ? zone : end;
    struct net_addr addr;
    if (!net_addr_parse(from, (size_t)(address_end - from), &addr) || !memchr(from, ':', (size_t)(address_end - from)))
        return ERR_URI_MALFORMED;
    struct text o = { .buf = uri->host, .cap = sizeof uri->host };
    for (; from < address_end; from++)
        text_char(&o, ascii_lower(*from));
    if (zone) {
        zone++;
        if (end - zone >= 2 && zone[0] == '2' && zone[1] == '5')
            zone += 2; // RFC 6874; people write a bare '%', too
        if (zone == end)
            return ERR_URI_MALFORMED;
        text_char(&o, '%');
        for (; zone < end; zone++) {
            if (!ascii_is_unreserved(*zone))
                return ERR_URI_MALFORMED;
            text_char(&o, *zone);
        }
    }
    uri->host_is_v6 = true;
    return text_finish(&o);
}

static int read_name(const char *from, const char *end, struct uri *uri)
{
    struct text o = { .buf = uri->host, .cap = sizeof uri->host };
    for (; from < end; from++) {
        int c = (uint8_t)*from;
        if (*from == '%') {
            c = escaped(from, end);
            from += 2;
        } else if (!ascii_is_unreserved(*from) && !is_in(*from, SUB_DELIMS)) {
            c = -1;
        }
        if (c <= 0x20 || c == 0x7f)
            return ERR_URI_MALFORMED;
        text_char(&o, ascii_lower((char)c));
    }
    return text_finish(&o);
}

static int read_authority(const char *from, const char *end, struct uri *uri)
{
    const char *host_end, *port = NULL, *user = from;
    int rc = 0;
    for (const char *p = end; p > from; p--) {
        if (p[-1] == '@') {
            from = p;
            rc = copy_coded(user, p - 1, USER_CHARS, uri->user, sizeof uri->user);
            break;
        }
    }
    if (rc < 0)
        return rc;
    if (from < end && *from == '[') {
        host_end = memchr(from, ']', (size_t)(end - from));
        if (!host_end)
            return ERR_URI_MALFORMED;
        rc = read_v6(from + 1, host_end, uri);
        host_end++;
        if (host_end < end && *host_end != ':')
            return ERR_URI_MALFORMED;
    } else {
        host_end = memchr(from, ':', (size_t)(end - from));
        if (!host_end)
            host_end = end;
        rc = read_name(from, host_end, uri);
    }
    if (rc < 0)
        return rc;
    port = host_end < end ? host_end + 1 : end;
    uint64_t v = 0;
    if (port < end && (!fmt_parse_u64(port, (size_t)(end - port), 10, &v) || v == 0 || v > 65535))
        return ERR_URI_MALFORMED;
    uri->port = (uint16_t)v;
    return 0;
}

// The length of the scheme in front of ':', 0 when there is none.
static size_t scheme_length(const char *text)
{
    size_t n = 0;
    if (!is_alpha(text[0]))
        return 0;
    while (is_alpha(text[n]) || is_digit(text[n]) || is_in(text[n], "+-."))
        n++;
    return text[n] == ':' ? n : 0;
}

// "#params" or "#params=list" behind the first '#'. Another fragment is dropped.
static int read_fragment(const char *text, struct uri *uri)
{
    size_t n = sizeof "#params" - 1;
    if (strncmp(text, "#params", n) != 0 || (text[n] && text[n] != '='))
        return 0;
    uri->has_params = true;
    struct text o = { .buf = uri->params, .cap = sizeof uri->params };
    text_string(&o, text + n + (text[n] != 0));
    return text_finish(&o);
}

int uri_parse(const char *text, struct uri *ret)
{
    size_t len = strlen(text);
    if (len >= URI_TEXT_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
            return ERR_URI_MALFORMED;
    memset(ret, 0, sizeof *ret);
    const char *hash = strchr(text, '#'), *end = hash ? hash : text + len;

    size_t n = scheme_length(text);
    if (n >= sizeof ret->scheme)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        ret->scheme[i] = ascii_lower(text[i]);
    const char *p = n ? text + n + 1 : text;
    if (end < p)
        end = p;

    const char *question = memchr(p, '?', (size_t)(end - p)), *path_end = question ? question : end;
    if (path_end - p >= 2 && p[0] == '/' && p[1] == '/') {
        ret->has_authority = true;
        p += 2;
        const char *slash = memchr(p, '/', (size_t)(path_end - p)), *stop = slash ? slash : path_end;
        int rc = read_authority(p, stop, ret);
        if (rc < 0)
            return rc;
        p = stop;
    }
    int rc = copy_coded(p, path_end, PATH_CHARS, ret->path, sizeof ret->path);
    if (rc >= 0 && question) {
        ret->has_query = true;
        rc = copy_coded(question + 1, end, QUERY_CHARS, ret->query, sizeof ret->query);
    }
    if (rc >= 0 && hash)
        rc = read_fragment(hash + 1, ret);
    return MIN(rc, 0);
}

// --- resolving ---

// Removes "." and ".." segments in place (RFC 3986 5.2.4).
static void remove_dots(char *path)
{
    char *in = path, *to = path;
    while (*in) {
        // One segment with its leading slash, if any.
        char *stop = in + (*in == '/');
        while (*stop && *stop != '/')
            stop++;
        const char *name = in + (*in == '/');
        size_t n = (size_t)(stop - name);
        bool dot = n == 1 && name[0] == '.', dots = n == 2 && name[0] == '.' && name[1] == '.';
        bool slash = *in == '/', last = *stop == 0;
        if (!dot && !dots) {
            memmove(to, in, (size_t)(stop - in));
            to += stop - in;
        } else {
            if (dots && slash) {
                while (to > path && *--to != '/') { }
            }
            if (slash && last)
                *to++ = '/';
            else if (!slash && !last)
                stop++; // "./a" and "../a": the slash goes, too
        }
        in = stop;
    }
    *to = 0;
}

// The base's path up to its last slash, then the reference's.
static int merge(const struct uri *base, const struct uri *reference, char path[URI_PATH_MAX])
{
    struct text o = { .buf = path, .cap = URI_PATH_MAX };
    size_t keep = strlen(base->path);
    while (keep > 0 && base->path[keep - 1] != '/')
        keep--;
    if (base->has_authority && base->path[0] == 0)
        text_char(&o, '/');
    text_bytes(&o, base->path, keep);
    text_string(&o, reference->path);
    return text_finish(&o);
}

static void copy_authority(struct uri *to, const struct uri *from)
{
    to->has_authority = from->has_authority;
    memcpy(to->user, from->user, sizeof to->user);
    memcpy(to->host, from->host, sizeof to->host);
    to->host_is_v6 = from->host_is_v6;
    to->port = from->port;
}

int uri_resolve(const struct uri *base, const struct uri *reference, struct uri *ret)
{
    if (base->scheme[0] == 0 && reference->scheme[0] == 0)
        return ERR_URI_MALFORMED;
    *ret = *reference;
    if (reference->scheme[0] == 0) {
        memcpy(ret->scheme, base->scheme, sizeof ret->scheme);
        if (!reference->has_authority) {
            copy_authority(ret, base);
            if (reference->path[0] == 0) {
                memcpy(ret->path, base->path, sizeof ret->path);
                if (!reference->has_query) {
                    ret->has_query = base->has_query;
                    memcpy(ret->query, base->query, sizeof ret->query);
                }
                return 0;
            }
            if (reference->path[0] != '/') {
                int rc = merge(base, reference, ret->path);
                if (rc < 0)
                    return rc;
            }
        }
    }
    remove_dots(ret->path);
    return 0;
}

// --- writing ---

static void put_host(struct text *o, const struct uri *uri)
{
    if (uri->host_is_v6) {
        text_char(o, '[');
        for (const char *p = uri->host; *p; p++) {
            text_char(o, *p);
            if (*p == '%')
                text_string(o, "25");
        }
        text_char(o, ']');
        return;
    }
    for (const char *p = uri->host; *p; p++) {
        if (ascii_is_unreserved(*p) || is_in(*p, SUB_DELIMS))
            text_char(o, *p);
        else
            text_percent(o, (uint8_t)*p);
    }
}

int uri_format(const struct uri *uri, char *buf, size_t cap)
{
    struct text o = { .buf = buf, .cap = cap };
    // Such a path would be read as an authority.
    if (!uri->has_authority && uri->path[0] == '/' && uri->path[1] == '/')
        return ERR_URI_MALFORMED;
    if (uri->scheme[0]) {
        text_string(&o, uri->scheme);
        text_char(&o, ':');
    }
    if (uri->has_authority) {
        text_string(&o, "//");
        put_host(&o, uri);
        if (uri->port) {
            char port[8];
            int n = fmt_snprintf(port, sizeof port, ":%u", (unsigned)uri->port);
            text_bytes(&o, port, (size_t)n);
        }
    }
    text_string(&o, uri->path);
    if (uri->has_query) {
        text_char(&o, '?');
        text_string(&o, uri->query);
    }
    return text_finish(&o);
}

static int decode_part(const char *p, const char *end, char *buf, size_t cap)
{
    struct text o = { .buf = buf, .cap = cap };
    for (; p < end; p++) {
        int c = (uint8_t)*p;
        if (*p == '%') {
            c = escaped(p, end);
            p += 2;
        }
        if (c <= 0)
            return ERR_URI_MALFORMED;
        text_char(&o, (char)c);
    }
    return text_finish(&o);
}

static int decode(const char *p, char *buf, size_t cap)
{
    return decode_part(p, p + strlen(p), buf, cap);
}

bool uri_user(const struct uri *uri, char *name, char *password, size_t cap)
{
    const char *end = uri->user + strlen(uri->user), *colon = strchr(uri->user, ':'), *stop = colon ? colon : end;
    return uri->user[0] && decode_part(uri->user, stop, name, cap) >= 0 && decode(colon ? colon + 1 : end, password, cap) >= 0;
}

int uri_path_name(const struct uri *uri, char *buf, size_t cap)
{
    return decode(uri->path + (uri->path[0] == '/'), buf, cap);
}

int uri_last_name(const struct uri *uri, char *buf, size_t cap)
{
    const char *last = uri->path;
    for (const char *p = last; *p; p++)
        if (*p == '/')
            last = p + 1;
    return decode(last, buf, cap);
}

int uri_request_target(const struct uri *uri, char *buf, size_t cap)
{
    struct text o = { .buf = buf, .cap = cap };
    if (uri->path[0] != '/')
        text_char(&o, '/');
    text_string(&o, uri->path);
    if (uri->has_query) {
        text_char(&o, '?');
        text_string(&o, uri->query);
    }
    return text_finish(&o);
}
