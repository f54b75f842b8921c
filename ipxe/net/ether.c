// SPDX-License-Identifier: MPL-2.0
// Raw Ethernet sockets: the type of a frame alone says whose it is.
#include "net/port.h"

#include "base/bytes.h"
#include "lwip/prot/ethernet.h"

#define SOCKETS_MAX 4
#define TYPE_FIRST 0x0600u // below, the field is a length (IEEE 802.3)

struct net_ether {
    net_ether_receiver *receive; // NULL: the socket is free
    void *ctx;
    unsigned nic;
    uint16_t type;
};

static struct net_ether sockets[SOCKETS_MAX];
static unsigned open_sockets;

void net_ether_init(void)
{
    memset(sockets, 0, sizeof sockets);
    open_sockets = 0;
}

static struct net_ether *find(unsigned nic, uint16_t type)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++)
        if (sockets[i].receive && sockets[i].type == type && sockets[i].nic == nic)
            return &sockets[i];
    return NULL;
}

static bool is_lwips(uint16_t type)
{
    return type == ETHTYPE_IP || type == ETHTYPE_ARP || type == ETHTYPE_IPV6 || type == ETHTYPE_VLAN;
}

struct net_ether *net_ether_open(unsigned nic, uint16_t type, net_ether_receiver *receive, void *ctx)
{
    if (nic >= net_nic_count() || type < TYPE_FIRST || is_lwips(type) || find(nic, type))
        return NULL;
    for (unsigned i = 0; i < SOCKETS_MAX; i++)
        if (!sockets[i].receive) {
            sockets[i] = (struct net_ether){ receive, ctx, nic, type };
            open_sockets++;
            return &sockets[i];
        }
    return NULL;
}

void net_ether_close(struct net_ether *ether)
{
    if (!ether || !ether->receive)
        return;
    ether->receive = NULL;
    open_sockets--;
}

int net_ether_send(const struct net_ether *ether, const uint8_t to[6], const void *data, size_t len)
{
    uint8_t frame[FRAME_MAX];
    const struct netif *netif = net_netif(ether->nic);
    if (len > sizeof frame - SIZEOF_ETH_HDR)
        return ERR_TOO_LARGE;
    if (!netif)
        return ERR_NET_LINK;
    memcpy(frame, to, 6);
    memcpy(frame + 6, netif->hwaddr, 6);
    store16_be(frame + 12, ether->type);
    memcpy(frame + SIZEOF_ETH_HDR, data, len);
    return card_send(net_card(ether->nic), frame, SIZEOF_ETH_HDR + len);
}

bool net_ether_deliver(const struct netif *netif, const uint8_t *frame, size_t len)
{
    if (!open_sockets || len < SIZEOF_ETH_HDR)
        return false;
    const struct net_ether *ether = find(netif->num, load16_be(frame + 12));
    if (!ether)
        return false;
    // A card may let more through than what is for us.
    if ((frame[0] & 1) || memcmp(frame, netif->hwaddr, 6) == 0)
        ether->receive(ether->ctx, frame + 6, frame + SIZEOF_ETH_HDR, len - SIZEOF_ETH_HDR);
    return true;
}
