// SPDX-License-Identifier: MPL-2.0
// See addr.h. Text forms: RFC 4291 2.2 read, RFC 5952 written.
#include "base/addr.h"

#include "base/bytes.h"
#include "base/fmt.h"

#define GROUPS 8 // of 16 bits in an IPv6 address

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
    if (!equal8(a->ip, b->ip) || !equal8(a->ip + 8, b->ip + 8) || a->port != b->port)
        return false;
    return a->zone == 0 || b->zone == 0 || a->zone == b->zone;
}

void net_addr_bytes(const struct net_addr *a, uint8_t bytes[NET_ADDR_BYTES])
{
    memcpy(bytes, a->ip, sizeof a->ip);
    store16_be(bytes + sizeof a->ip, a->port);
}

// The first longest run of zero groups, which "::" stands for; one group alone is not shortened.
static int longest_zero_run(const uint8_t ip[16], int *ret_len)
{
    int best = -1, best_len = 1;
    for (int i = 0; i < GROUPS;) {
        int n = 0;
        while (i + n < GROUPS && load16_be(ip + 2 * (i + n)) == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
        i += n ? n : 1;
    }
    *ret_len = best_len;
    return best;
}

static size_t format_v6(const struct net_addr *a, char *text, size_t cap)
{
    int run_len, run = longest_zero_run(a->ip, &run_len);
    size_t len = 0;
    for (int i = 0; i < GROUPS;) {
        if (i == run) {
            len += (size_t)fmt_snprintf(text + len, cap - len, "::");
            i += run_len;
            continue;
        }
        bool colon = i > 0 && i != run + run_len;
        if (run < 0)
            colon = i > 0;
        len += (size_t)fmt_snprintf(text + len, cap - len, "%s%x", colon ? ":" : "", load16_be(a->ip + 2 * i));
        i++;
    }
    if (a->zone)
        len += (size_t)fmt_snprintf(text + len, cap - len, "%%%u", a->zone);
    return len;
}

char *net_addr_format(const struct net_addr *a, char text[NET_ADDR_TEXT_MAX])
{
    size_t len = 0;
    if (net_addr_is_v4(a)) {
        len = (size_t)fmt_snprintf(text, NET_ADDR_TEXT_MAX, "%u.%u.%u.%u", a->ip[12], a->ip[13], a->ip[14],
                                   a->ip[15]);
    } else {
        text[len++] = '[';
        len += format_v6(a, text + len, NET_ADDR_TEXT_MAX - len);
        text[len++] = ']';
        text[len] = '\0';
    }
    if (a->port)
        fmt_snprintf(text + len, NET_ADDR_TEXT_MAX - len, ":%u", a->port);
    return text;
}

// Four decimal numbers. A leading zero is refused, since others read such a number as octal.
static bool parse_v4(const char *s, size_t len, uint8_t ip[4])
{
    for (int i = 0; i < 4; i++) {
        size_t n = 0;
        while (n < len && s[n] != '.')
            n++;
        uint64_t v;
        if (n > 3 || !fmt_parse_u64(s, n, 10, &v) || v > 255 || (n > 1 && s[0] == '0'))
            return false;
        ip[i] = (uint8_t)v;
        s += n;
        len -= n;
        if (i < 3) {
            if (len == 0)
                return false;
            s++;
            len--;
        }
    }
    return len == 0;
}

static bool parse_v6(const char *s, size_t len, uint8_t ip[16])
{
    uint8_t head[16] = { 0 }, tail[16] = { 0 };
    size_t head_len = 0, tail_len = 0; // bytes before and after "::"
    bool gap = false;

    if (len >= 2 && s[0] == ':' && s[1] == ':') {
        gap = true;
        s += 2;
        len -= 2;
    }
    while (len > 0) {
        size_t n = 0;
        while (n < len && s[n] != ':')
            n++;
        uint8_t *to = gap ? tail + tail_len : head + head_len;
        size_t *to_len = gap ? &tail_len : &head_len;
        bool last = n == len;
        if (last && memchr(s, '.', n)) {
            if (head_len + tail_len > 12 || !parse_v4(s, n, to))
                return false;
            *to_len += 4;
        } else {
            uint64_t v;
            if (head_len + tail_len > 14 || n > 4 || !fmt_parse_u64(s, n, 16, &v))
                return false;
            store16_be(to, (uint16_t)v);
            *to_len += 2;
        }
        s += n;
        len -= n;
        if (last)
            break;
        s++; // the colon
        len--;
        if (len > 0 && s[0] == ':') {
            if (gap)
                return false;
            gap = true;
            s++;
            len--;
        } else if (len == 0) {
            return false; // ends in a single colon
        }
    }
    // "::" stands for at least one group.
    if (gap ? head_len + tail_len > 14 : head_len != 16)
        return false;
    memset(ip, 0, 16);
    memcpy(ip, head, head_len);
    memcpy(ip + 16 - tail_len, tail, tail_len);
    return true;
}

bool net_addr_parse(const char *text, size_t len, struct net_addr *ret)
{
    uint8_t v4[4];
    if (parse_v4(text, len, v4)) {
        struct net_addr a = net_addr_v4(v4, 0);
        memcpy(ret->ip, a.ip, sizeof ret->ip);
        ret->zone = 0;
        return true;
    }
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    uint64_t zone = 0;
    const char *percent = len ? memchr(text, '%', len) : NULL;
    if (percent) {
        size_t before = (size_t)(percent - text);
        if (!fmt_parse_u64(percent + 1, len - before - 1, 10, &zone) || zone == 0 || zone > UINT8_MAX)
            return false;
        len = before;
    }
    struct net_addr a;
    // An IPv4 address, which may come mapped, has no zone.
    if (!parse_v6(text, len, a.ip) || (zone != 0 && net_addr_is_v4(&a)))
        return false;
    memcpy(ret->ip, a.ip, sizeof a.ip);
    ret->zone = (uint8_t)zone;
    return true;
}
