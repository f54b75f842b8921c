// SPDX-License-Identifier: MPL-2.0
// See bootserver_limit.h. A budget is kept as the time at which it is whole again (the generic cell rate algorithm).
#include "bootserver_limit.h"
#include "phase2/server.h"

static struct limit_source *entry_of(struct limit *limit, const struct net_addr *source)
{
    uint32_t h = limit->secret ^ 2166136261u; // FNV-1a
    for (size_t i = 0; i < sizeof source->ip; i++)
        h = (h ^ source->ip[i]) * 16777619u;
    h ^= h >> 15;
    struct limit_source *set = &limit->sources[h % (LIMIT_SOURCES / LIMIT_WAYS) * LIMIT_WAYS], *oldest = set;
    for (uint32_t i = 0; i < LIMIT_WAYS; i++) {
        if (set[i].full_at && net_addr_equal(&set[i].source, source))
            return &set[i];
        if (set[i].full_at < oldest->full_at)
            oldest = &set[i];
    }
    *oldest = (struct limit_source){ .source = *source };
    return oldest;
}

bool limit_pass(struct limit *limit, const struct net_addr *client, uint64_t now, uint64_t *ret_left_out)
{
    struct net_addr source = p2_server_source(client);
    struct limit_source *e = entry_of(limit, &source);
    uint64_t full_at = MAX(e->full_at, now);
    if (full_at - now > (uint64_t)(LIMIT_BURST - 1) * LIMIT_EVERY) {
        e->left_out++;
        return false;
    }
    e->full_at = full_at + LIMIT_EVERY;
    *ret_left_out = e->left_out;
    e->left_out = 0;
    return true;
}
