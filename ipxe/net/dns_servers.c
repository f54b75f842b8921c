// SPDX-License-Identifier: MPL-2.0
// Which name servers lwIP asks. lwIP has one list, in which the last who writes wins: a router's advertisement took the place of
// what a person had set. Here everyone has a list of their own.
#include "net/port.h"

#include "lwip/dns.h"
#include "net/hooks.h"

_Static_assert(NET_DNS_MAX == DNS_MAX_SERVERS, "what lwIP asks");

static struct {
    struct net_addr servers[NET_DNS_MAX];
    unsigned count;
} lists[NET_DNS_FROM];

static void apply(void)
{
    u8_t used = 0;
    for (unsigned from = 0; from < NET_DNS_FROM; from++)
        for (unsigned i = 0; i < lists[from].count && used < DNS_MAX_SERVERS; i++) {
            ip_addr_t ip;
            net_to_lwip(&lists[from].servers[i], &ip);
            dns_setserver(used++, &ip);
        }
    while (used < DNS_MAX_SERVERS)
        dns_setserver(used++, NULL);
    net_forget_lookup();
}

void net_dns_init(void)
{
    memset(lists, 0, sizeof lists);
    net_forget_lookup();
}

// Who says the same again changes nothing: a look-up may be under way.
void net_set_dns(enum net_dns_from from, const struct net_addr *servers, unsigned count)
{
    count = MIN(count, (unsigned)NET_DNS_MAX);
    bool news = count != lists[from].count;
    lists[from].count = count;
    for (unsigned i = 0; i < count; i++) {
        news |= !net_addr_equal(&lists[from].servers[i], &servers[i]);
        lists[from].servers[i] = servers[i];
    }
    if (news)
        apply();
}

// Takes the i-th one out of the routers' list.
static void take_out(unsigned i)
{
    struct net_addr *servers = lists[NET_DNS_ROUTER].servers;
    unsigned left = --lists[NET_DNS_ROUTER].count - i;
    memmove(servers + i, servers + i + 1, left * sizeof *servers);
}

// RFC 8106 5.1. Routers say it again and again, too.
void net_hook_router_dns(const struct netif *netif, const ip_addr_t *ip, u32_t lifetime_s)
{
    struct net_addr addr = net_from_lwip(ip, 0, netif);
    unsigned i = 0, count = lists[NET_DNS_ROUTER].count;
    while (i < count && !net_addr_equal(&lists[NET_DNS_ROUTER].servers[i], &addr))
        i++;
    if ((i < count) == (lifetime_s > 0) || (lifetime_s && count == NET_DNS_MAX))
        return;
    if (lifetime_s)
        lists[NET_DNS_ROUTER].servers[lists[NET_DNS_ROUTER].count++] = addr;
    else
        take_out(i);
    apply();
}

void net_forget_closed_dns(void)
{
    unsigned before = lists[NET_DNS_ROUTER].count;
    for (unsigned i = before; i-- > 0;)
        if (!net_is_open(lists[NET_DNS_ROUTER].servers[i].zone - 1u))
            take_out(i);
    if (lists[NET_DNS_ROUTER].count != before)
        apply();
}

bool net_has_dns(void)
{
    net_forget_closed_dns();
    return !ip_addr_isany(dns_getserver(0));
}
