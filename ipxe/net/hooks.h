// SPDX-License-Identifier: MPL-2.0
// Where lwIP asks us while it works; ipxe/net/routes.c answers.
#pragma once
#include "lwip/ip4_addr.h"

struct netif;

// The card and the gateway of an address that is on no card's own network. NULL: the default ones.
struct netif *net_hook_route(const ip4_addr_t *to);
const ip4_addr_t *net_hook_gateway(struct netif *netif, const ip4_addr_t *to);
#define LWIP_HOOK_IP4_ROUTE(to) net_hook_route(to)
#define LWIP_HOOK_ETHARP_GET_GW(netif, to) net_hook_gateway(netif, to)
