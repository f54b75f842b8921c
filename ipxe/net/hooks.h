// SPDX-License-Identifier: MPL-2.0
// Where lwIP asks us while it works.
#pragma once
#include "lwip/ip_addr.h"

struct netif;

// The card and the gateway of an address that is on no card's own network. NULL: the default ones. ipxe/net/routes.c.
struct netif *net_hook_route(const ip4_addr_t *to);
const ip4_addr_t *net_hook_gateway(struct netif *netif, const ip4_addr_t *to);
#define LWIP_HOOK_IP4_ROUTE(to) net_hook_route(to)
#define LWIP_HOOK_ETHARP_GET_GW(netif, to) net_hook_gateway(netif, to)

// A router's advertisement names a name server, or takes it back: ipxe/net/dns_servers.c.
void net_hook_router_dns(const struct netif *netif, const ip_addr_t *ip, u32_t lifetime_s);
#define LWIP_HOOK_ND6_RDNSS(netif, ip, lifetime_s) net_hook_router_dns(netif, ip, lifetime_s)

// A stranger says that our address is his own. May we contradict now? ipxe/net/port.c.
int net_hook_may_defend(void);
#define LWIP_HOOK_MAY_DEFEND() net_hook_may_defend()

// The first sequence number of a TCP connection, RFC 6528: ipxe/net/port.c. Ports in the host's byte order.
u32_t net_hook_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port);
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) net_hook_tcp_isn(local, local_port, remote, remote_port)
