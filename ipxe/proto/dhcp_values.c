// SPDX-License-Identifier: MPL-2.0
// Values of DHCP options that have a form of their own: routes, search lists, PXE boot menus (dhcp.h).
#include "base/cursor.h"
#include "proto/dhcp.h"

int dhcp_routes_read(const uint8_t *data, size_t len, struct dhcp_route ret[DHCP_ROUTES_MAX], uint8_t ret_default[4])
{
    struct cursor c = cursor_make(data, len);
    uint8_t everywhere[4] = { 0 };
    int count = 0;
    while (c.len) {
        struct dhcp_route route = { .prefix = cursor_u8(&c) };
        const uint8_t *net = cursor_bytes(&c, (route.prefix + 7u) / 8);
        const uint8_t *gateway = cursor_bytes(&c, 4);
        if (!gateway || route.prefix > 32)
            return ERR_DHCP_MALFORMED;
        memcpy(route.net, net, (route.prefix + 7u) / 8);
        memcpy(route.gateway, gateway, 4);
        if (route.prefix == 0) {
            if (load32_be(everywhere) == 0)
                memcpy(everywhere, gateway, 4);
        } else if (count < DHCP_ROUTES_MAX) {
            ret[count++] = route;
        }
    }
    memcpy(ret_default, everywhere, 4);
    return count;
}

// --- search lists ---

#define LABEL_POINTER 0xc0 // RFC 1035 4.1.4: the two upper bits; the other fourteen say where the name goes on
#define LABEL_MAX 63

static bool put(char *buf, size_t cap, size_t *at, char c)
{
    if (*at + 1 >= cap)
        return false;
    buf[(*at)++] = c;
    return true;
}

// Writes the domain at *at, and moves *at behind it.
static int read_domain(const uint8_t *data, size_t len, size_t *at, char *buf, size_t cap, size_t *used)
{
    size_t pos = *at, lowest = *at; // each pointer has to lead further back: there is no circle
    bool jumped = false, first = true;
    for (;;) {
        if (pos >= len)
            return ERR_DHCP_MALFORMED;
        uint8_t n = data[pos++];
        if (n > LABEL_MAX) {
            if (n < LABEL_POINTER || pos >= len)
                return ERR_DHCP_MALFORMED;
            size_t to = (size_t)(n & ~LABEL_POINTER) << 8 | data[pos++];
            if (!jumped)
                *at = pos;
            jumped = true;
            if (to >= lowest)
                return ERR_DHCP_MALFORMED;
            pos = lowest = to;
            continue;
        }
        if (n == 0)
            break;
        if (n > len - pos)
            return ERR_DHCP_MALFORMED;
        if (!first && !put(buf, cap, used, '.'))
            return ERR_TOO_LARGE;
        first = false;
        for (; n; n--, pos++) {
            if (data[pos] <= ' ' || data[pos] >= 0x7f || data[pos] == '.')
                return ERR_DHCP_MALFORMED;
            if (!put(buf, cap, used, (char)data[pos]))
                return ERR_TOO_LARGE;
        }
    }
    if (!jumped)
        *at = pos;
    return 0;
}

int dhcp_search_read(const uint8_t *data, size_t len, char *buf, size_t cap)
{
    size_t at = 0, used = 0;
    while (at < len) {
        size_t before = used;
        if (used && !put(buf, cap, &used, ' '))
            break;
        size_t start = used;
        int err = read_domain(data, len, &at, buf, cap, &used);
        if (err == ERR_DHCP_MALFORMED) {
            buf[0] = 0;
            return err;
        }
        if (err || used == start) // no room for this one, or the root, which completes nothing
            used = before;
        if (err)
            break;
    }
    buf[used] = 0;
    return (int)used;
}
