// SPDX-License-Identifier: MPL-2.0
// UDP sockets over lwIP's raw API.
#include "net/port.h"

#include "lwip/udp.h"

#define SOCKETS_MAX 8
#define PORT_FIRST 49152u // of those that are nobody's (RFC 6335 6)
#define BINDS_MAX 16
#define DATAGRAM_MAX 2048 // a datagram that came in fragments is put together here

struct net_udp {
    struct udp_pcb *pcb;
    net_udp_receiver *receive;
    net_udp_refusal *refused;
    void *ctx;
};

static struct net_udp sockets[SOCKETS_MAX];
static net_lwip_refusal *lwip_refused;

void net_udp_init(void)
{
    memset(sockets, 0, sizeof sockets);
}

static void input(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    struct net_udp *udp = arg;
    struct netif *netif = ip_current_input_netif();
    struct net_addr addr = net_from_lwip(from, port, netif);
    if (p->next == NULL) {
        udp->receive(udp->ctx, netif->num, &addr, p->payload, p->len);
    } else {
        uint8_t whole[DATAGRAM_MAX];
        u16_t len = pbuf_copy_partial(p, whole, sizeof whole, 0);
        if (len == p->tot_len)
            udp->receive(udp->ctx, netif->num, &addr, whole, len);
    }
    pbuf_free(p);
}

bool net_udp_deliver(struct netif *netif, uint16_t port, const struct net_addr *from, const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        struct net_udp *udp = &sockets[i];
        if (!udp->pcb || udp->pcb->local_port != port)
            continue;
        udp->receive(udp->ctx, netif->num, from, data, len);
        return true;
    }
    return false;
}

void net_udp_refuse(const struct net_addr *to, uint16_t port, const uint8_t *sent, size_t len)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++)
        if (sockets[i].pcb && sockets[i].pcb->local_port == port) {
            if (sockets[i].refused)
                sockets[i].refused(sockets[i].ctx, to);
            return;
        }
    if (lwip_refused)
        lwip_refused(to, port, sent, len);
}

void net_udp_on_lwip_refusal(net_lwip_refusal *refused)
{
    lwip_refused = refused;
}

void net_udp_on_refusal(struct net_udp *udp, net_udp_refusal *refused)
{
    udp->refused = refused;
}

// lwIP would count up: whoever sees one port, as in a broadcast, would know the next (RFC 6056).
static err_t bind_local(struct udp_pcb *pcb, uint16_t port)
{
    err_t err = port ? udp_bind(pcb, IP_ANY_TYPE, port) : ERR_USE;
    for (unsigned i = 0; !port && err == ERR_USE && i < BINDS_MAX; i++)
        err = udp_bind(pcb, IP_ANY_TYPE, (u16_t)(PORT_FIRST + LWIP_RAND() % (0x10000 - PORT_FIRST)));
    return err;
}

struct net_udp *net_udp_open(uint16_t port, net_udp_receiver *receive, void *ctx)
{
    struct net_udp *udp = NULL;
    for (unsigned i = 0; i < SOCKETS_MAX && !udp; i++)
        if (!sockets[i].pcb)
            udp = &sockets[i];
    if (!udp)
        return NULL;
    udp->pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (!udp->pcb)
        return NULL;
    ip_set_option(udp->pcb, SOF_BROADCAST);
    udp_set_multicast_ttl(udp->pcb, 1); // discovery stays on the link
    if (bind_local(udp->pcb, port) != ERR_OK) {
        udp_remove(udp->pcb);
        udp->pcb = NULL;
        return NULL;
    }
    udp->receive = receive;
    udp->refused = NULL;
    udp->ctx = ctx;
    udp_recv(udp->pcb, input, udp);
    return udp;
}

void net_udp_close(struct net_udp *udp)
{
    if (!udp || !udp->pcb)
        return;
    udp_remove(udp->pcb);
    udp->pcb = NULL;
}

int net_udp_send(struct net_udp *udp, const struct net_addr *to, const void *data, size_t len)
{
    if (len > UINT16_MAX)
        return ERR_TOO_LARGE;
    ip_addr_t ip;
    net_to_lwip(to, &ip);
    if (!to->zone && !net_has_source(&ip))
        return ERR_NET_NO_ADDRESS; // lwIP would send from one that gets no answer
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
    if (!p)
        return ERR_NO_MEMORY;
    memcpy(p->payload, data, len);
    struct netif *netif = to->zone ? net_netif(to->zone - 1u) : NULL;
    err_t err;
    if (netif && IP_IS_V4(&ip))
        err = udp_sendto_if_src(udp->pcb, p, &ip, to->port, netif, netif_ip_addr4(netif)); // also from 0.0.0.0
    else if (netif)
        err = udp_sendto_if(udp->pcb, p, &ip, to->port, netif);
    else
        err = udp_sendto(udp->pcb, p, &ip, to->port);
    pbuf_free(p);
    return err == ERR_RTE ? net_route_error(&ip) : net_error(err);
}
