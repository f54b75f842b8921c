// SPDX-License-Identifier: MPL-2.0
// Routes to networks behind other gateways than the default one (DHCP's option 121). lwIP asks for them by the hooks of
// net/hooks.h, and only for addresses that are on no card's own network. And the links' MTU.
#include "net/port.h"

#include "base/bytes.h"
#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/prot/ethernet.h"
#include "net/hooks.h"

struct route {
    uint32_t net, mask; // as lwIP has addresses
    ip4_addr_t gateway; // 0: the network is on the card's link
};

static struct card_routes {
    struct route routes[DHCP_ROUTES_MAX];
    unsigned count;
} table[CARDS_MAX];

static unsigned doubts;

void net_routes_init(void)
{
    doubts = 0;
    memset(table, 0, sizeof table);
}

void net_set_routes(unsigned nic, const struct dhcp_route *routes, unsigned count)
{
    struct card_routes *card = &table[nic % CARDS_MAX];
    card->count = MIN(count, (unsigned)DHCP_ROUTES_MAX);
    for (unsigned i = 0; i < card->count; i++) {
        struct route *r = &card->routes[i];
        r->mask = PP_HTONL(0xffffffffu << (32 - routes[i].prefix));
        memcpy(&r->net, routes[i].net, 4);
        r->net &= r->mask;
        memcpy(&r->gateway.addr, routes[i].gateway, 4);
    }
}

// The card's route with the longest prefix.
static const struct route *find(unsigned nic, const ip4_addr_t *to)
{
    const struct card_routes *card = &table[nic];
    const struct route *best = NULL;
    for (const struct route *r = card->routes; r < card->routes + card->count; r++)
        if ((to->addr & r->mask) == r->net && (!best || (r->mask & ~best->mask)))
            best = r;
    return best;
}

struct netif *net_hook_route(const ip4_addr_t *to)
{
    struct netif *best = NULL;
    uint32_t mask = 0;
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        const struct route *r = find(nic, to);
        struct netif *netif = net_netif(nic);
        if (r && netif && !ip4_addr_isany(netif_ip4_addr(netif)) && (r->mask & ~mask)) {
            best = netif;
            mask = r->mask;
        }
    }
    return best;
}

const ip4_addr_t *net_hook_gateway(struct netif *netif, const ip4_addr_t *to)
{
    const struct route *r = find(netif->num, to);
    return !r ? NULL : ip4_addr_isany_val(r->gateway) ? to : &r->gateway;
}

bool net_has_source(const ip_addr_t *to)
{
    bool global = IP_IS_V6(to) && !ip6_addr_islinklocal(ip_2_ip6(to));
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        struct netif *netif = net_netif(nic);
        if (netif && IP_IS_V4(to) && !ip4_addr_isany(netif_ip4_addr(netif)))
            return true;
        for (int i = 0; netif && IP_IS_V6(to) && i < LWIP_IPV6_NUM_ADDRESSES; i++)
            if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) && !(global && ip6_addr_islinklocal(netif_ip6_addr(netif, i))))
                return true;
    }
    return false;
}

bool net_can_send(const struct net_addr *to)
{
    ip_addr_t ip;
    net_to_lwip(to, &ip);
    return net_has_source(&ip);
}

int net_route_error(const ip_addr_t *to)
{
    return net_has_source(to) ? ERR_NET_NO_ROUTE : ERR_NET_NO_ADDRESS;
}

unsigned net_doubts(void)
{
    return doubts;
}

bool net_doubt(const struct net_addr *to)
{
    ip_addr_t ip;
    net_to_lwip(to, &ip);
    doubts++;
    return IP_IS_V6(&ip) && nd6_doubt(ip_2_ip6(&ip));
}

#define IP6_MTU_MIN 1280 // RFC 8200 5

void net_set_mtu(unsigned nic, uint16_t mtu)
{
    struct netif *netif = net_netif(nic);
    if (!netif)
        return;
    uint16_t most = net_nic(nic)->mtu ? net_nic(nic)->mtu : FRAME_MAX - SIZEOF_ETH_HDR;
    netif->mtu = mtu >= DHCP_MTU_MIN ? MIN(mtu, most) : most;
    netif->mtu6 = MAX(netif->mtu, IP6_MTU_MIN);
}

uint16_t net_mtu(const struct net_addr *to)
{
    ip_addr_t ip;
    net_to_lwip(to, &ip);
    struct netif *netif = to->zone ? net_netif(to->zone - 1u) : ip_route(IP_ADDR_ANY, &ip);
    return !netif ? FRAME_MAX - SIZEOF_ETH_HDR : IP_IS_V6(&ip) ? netif->mtu6 : netif->mtu;
}
