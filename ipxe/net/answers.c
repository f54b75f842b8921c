// SPDX-License-Identifier: MPL-2.0
// What lwIP answers to strangers: to pings, to neighbours' questions, to what no port of ours takes. It goes back to where the frame came
// from. To look the sender up would cost what the boot's own packets need: an invented address takes an entry of the neighbours' table
// for seconds, and with it room in the queues and up to 64 KiB of memory, and a few hundred a second push out the server's.
#include "net/port.h"

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/icmp6.h"
#include "lwip/ip.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"
#include "netif/ethernet.h"

static const uint8_t *sender; // of the frame that lwIP has, NULL: it has none

void net_answer_to(const uint8_t *from)
{
    sender = from;
}

// Whom `p` is for, whose upper layer begins at `head`.
enum addressee { OURS, STRANGER, NOBODY };

// lwIP writes the head of a packet in one piece. Fragments of ICMP are those of a long ping's answer.
static bool is_answer(const struct pbuf *p, size_t head, uint8_t proto)
{
    const uint8_t *upper = (const uint8_t *)p->payload + head;
    if (proto == IP6_NEXTH_FRAGMENT)
        return p->len > head && upper[0] == IP6_NEXTH_ICMP6;
    if (proto == IP_PROTO_ICMP)
        return true;
    if (proto == IP6_NEXTH_ICMP6)
        return p->len > head && (upper[0] < ICMP6_TYPE_MLQ || upper[0] == ICMP6_TYPE_NA);
    return proto == IP_PROTO_TCP && p->len >= head + TCP_HLEN && (TCPH_FLAGS((const struct tcp_hdr *)upper) & TCP_RST);
}

static enum addressee addressee(const struct pbuf *p, size_t head, uint8_t proto, bool back)
{
    if (!is_answer(p, head, proto))
        return OURS;
    if (back && sender && !(sender[0] & 1))
        return STRANGER;
    // The reset of a connection of ours that is given up. Otherwise it is a late word, such as that fragments never became whole.
    return proto == IP_PROTO_TCP ? OURS : NOBODY;
}

static err_t answer(struct netif *netif, struct pbuf *p, u16_t type)
{
    struct eth_addr to;
    memcpy(to.addr, sender, ETH_HWADDR_LEN);
    return ethernet_output(netif, p, (const struct eth_addr *)netif->hwaddr, &to, type);
}

err_t net_output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    bool back = ip4_addr_eq(to, ip4_current_src_addr());
    switch (addressee(p, IP_HLEN, IPH_PROTO((const struct ip_hdr *)p->payload), back)) {
    case OURS: return etharp_output(netif, p, to);
    case STRANGER: return answer(netif, p, ETHTYPE_IP);
    default: return ERR_RTE;
    }
}

err_t net_output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to)
{
    if (ip6_addr_ismulticast(to))
        return ethip6_output(netif, p, to);
    bool back = ip6_addr_zoneless_eq(to, ip6_current_src_addr());
    switch (addressee(p, IP6_HLEN, IP6H_NEXTH((const struct ip6_hdr *)p->payload), back)) {
    case OURS: return ethip6_output(netif, p, to);
    case STRANGER: return answer(netif, p, ETHTYPE_IPV6);
    default: return ERR_RTE;
    }
}
