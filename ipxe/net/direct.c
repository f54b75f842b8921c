// SPDX-License-Identifier: MPL-2.0
// The short way of a datagram from its frame to its socket. A download is little else than whole datagrams to a port of ours;
// lwIP, which has to be ready for everything, takes 600 instructions more for each. What is anything else, or not in order, is
// left to lwIP: nothing is refused here.
#include "net/port.h"

#include "lwip/ip4_addr.h"
#include "proto/refusal.h"

static bool fits_ip4(const struct netif *netif, const struct datagram *d)
{
    ip4_addr_t from, to;
    memcpy(&from.addr, d->from_ip, 4);
    memcpy(&to.addr, d->to_ip, 4);
    return to.addr == netif_ip4_addr(netif)->addr && !ip4_addr_isany_val(to) && !ip4_addr_ismulticast(&from) && !ip4_addr_isbroadcast(&from, netif);
}

static bool fits_ip6(struct netif *netif, const struct datagram *d)
{
    ip6_addr_t to;
    memcpy(to.addr, d->to_ip, 16);
    ip6_addr_assign_zone(&to, IP6_UNICAST, netif);
    int slot = netif_get_ip6_addr_match(netif, &to);
    return slot >= 0 && ip6_addr_isvalid(netif_ip6_addr_state(netif, slot)) && d->from_ip[0] != 0xff;
}

static bool fits(struct netif *netif, const struct datagram *d)
{
    return d->v4 ? fits_ip4(netif, d) : fits_ip6(netif, d);
}

static struct net_addr sender(struct netif *netif, const struct datagram *d)
{
    struct net_addr from = { 0 };
    if (d->v4)
        from = net_addr_v4(d->from_ip, 0);
    else
        memcpy(from.ip, d->from_ip, 16);
    from.port = d->from_port;
    from.zone = (uint8_t)(netif->num + 1);
    return from;
}

void net_refused_datagram(struct netif *netif, const uint8_t *frame, size_t len)
{
    struct datagram d;
    if (!refusal_read(frame, len, &d) || !fits(netif, &d))
        return;
    struct net_addr to = sender(netif, &d);
    net_udp_refuse(&to, d.to_port, d.data, d.len);
}

bool net_direct(struct netif *netif, const uint8_t *frame, size_t len)
{
    struct datagram d;
    if (!datagram_read(frame, len, &d) || !fits(netif, &d))
        return false;
    struct net_addr from = sender(netif, &d);
    return net_udp_deliver(netif, d.to_port, &from, d.data, d.len);
}
