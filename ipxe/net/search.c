// SPDX-License-Identifier: MPL-2.0
// The domains that complete a name without a dot (resolv.conf's "search").
#include "net/net.h"

#include "base/fmt.h"

static char search[2 * DHCP_NAME_MAX];

void net_set_search(const char *domains)
{
    fmt_snprintf(search, sizeof search, "%s", domains);
}

bool net_search_name(const char *name, unsigned i, char *buf, size_t cap)
{
    const char *at = strchr(name, '.') ? "" : search;
    for (;; i--) {
        while (*at == ' ')
            at++;
        if (i == 0 || !*at)
            break;
        while (*at && *at != ' ')
            at++;
    }
    size_t len = 0;
    while (at[len] && at[len] != ' ')
        len++;
    fmt_snprintf(buf, cap, "%s%s%.*s", name, len ? "." : "", (int)len, at);
    return i == 0;
}
