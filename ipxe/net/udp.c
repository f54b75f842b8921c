// SPDX-License-Identifier: MPL-2.0
// UDP sockets over lwIP's raw API.
#include "net/port.h"

#include "lwip/ip.h"
#include "lwip/udp.h"

#define SOCKETS_MAX 8
#define PORT_FIRST 49152u // of those that are nobody's (RFC 6335 6)
#define BINDS_MAX 16
#define DATAGRAM_MAX 2048 // a datagram that came in fragments is put together here
#define WAYS_MAX 8        // of a socket; a further one takes the place of the oldest

// How a socket's datagrams to a host leave. A host knows whom it talks with by both ends (RFC 1350 4), so they stay by the address that
// they began with, though a router's advertisement or a lease has brought one that lwIP would choose by now.
struct way {
    struct net_addr to; // its port does not matter
    unsigned nic;
    unsigned doubts; // there were when it was chosen
    ip_addr_t from;  // any: there is no way yet
};

struct net_udp {
    struct udp_pcb *pcb;
    net_udp_receiver *receive;
    net_udp_refusal *refused;
    void *ctx;
    struct way ways[WAYS_MAX];
    unsigned next; // of them to be replaced
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
    memset(udp->ways, 0, sizeof udp->ways);
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

static bool leads(const struct way *way, const struct net_addr *to)
{
    return !ip_addr_isany(&way->from) && memcmp(way->to.ip, to->ip, sizeof to->ip) == 0 && way->to.zone == to->zone;
}

// The card of a way that can still be gone, else NULL.
static struct netif *still_open(const struct way *way)
{
    struct netif *netif = way->doubts == net_doubts() ? net_netif(way->nic) : NULL;
    if (!netif || IP_IS_V4(&way->from))
        return netif && ip4_addr_eq(netif_ip4_addr(netif), ip_2_ip4(&way->from)) ? netif : NULL;
    int slot = netif_get_ip6_addr_match(netif, ip_2_ip6(&way->from));
    return slot >= 0 && ip6_addr_isvalid(netif_ip6_addr_state(netif, slot)) ? netif : NULL;
}

// What is remembered of the host; NULL: nothing.
static struct way *find(struct net_udp *udp, const struct net_addr *to)
{
    for (struct way *way = udp->ways; way < udp->ways + WAYS_MAX; way++)
        if (leads(way, to))
            return way;
    return NULL;
}

// The way to send by: that of before, or lwIP's choice, which is kept. NULL: there is no route.
static struct way *choose(struct net_udp *udp, const struct net_addr *to, const ip_addr_t *ip)
{
    struct way *way = find(udp, to);
    struct netif *netif = way ? still_open(way) : NULL;
    if (!netif) {
        netif = to->zone ? net_netif(to->zone - 1u) : NULL;
        if (!netif)
            netif = ip_route(IP_ADDR_ANY, ip);
        const ip_addr_t *from = !netif ? NULL : IP_IS_V4(ip) ? netif_ip_addr4(netif) : ip6_select_source_address(netif, ip_2_ip6(ip));
        if (!from)
            return NULL;
        if (!way)
            way = &udp->ways[udp->next++ % WAYS_MAX];
        *way = (struct way){ *to, netif->num, net_doubts(), *from };
    }
    return way;
}

int net_udp_send(struct net_udp *udp, const struct net_addr *to, const void *data, size_t len)
{
    if (len > UINT16_MAX)
        return ERR_TOO_LARGE;
    ip_addr_t ip;
    net_to_lwip(to, &ip);
    if (!to->zone && !net_has_source(&ip))
        return ERR_NET_NO_ADDRESS; // lwIP would send from one that gets no answer
    struct way *way = choose(udp, to, &ip);
    if (!way)
        return net_route_error(&ip);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
    if (!p)
        return ERR_NO_MEMORY;
    memcpy(p->payload, data, len);
    err_t err = udp_sendto_if_src(udp->pcb, p, &ip, to->port, net_netif(way->nic), &way->from); // IPv4 also from 0.0.0.0
    pbuf_free(p);
    if (err != ERR_RTE)
        return net_error(err);
    memset(way, 0, sizeof *way); // there may be another one
    return net_route_error(&ip);
}
