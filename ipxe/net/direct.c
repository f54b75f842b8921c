// SPDX-License-Identifier: MPL-2.0
// The short way of a datagram from its frame to its socket. A download is little else than whole datagrams, over IP without
// options, to a port of ours; lwIP, which has to be ready for everything, takes 600 instructions more for each. What is
// anything else, or not in order, is left to lwIP: nothing is refused here.
#include "net/port.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"

#define PROTO_LE 0x1100u // IP_PROTO_UDP in a pseudo header, as checksum_sum reads it

// Ones' complement sum over everything that a checksum covers, itself included, is 0xffff.
static bool sum_good(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16)) == 0xffff;
}

// The UDP part behind an IPv4 header that is ours and in order, or NULL. RFC 791; what is no fragment has neither offset nor
// "more fragments".
static const uint8_t *udp_of_ip4(const struct netif *netif, const uint8_t *ip, size_t len, struct net_addr *from)
{
    ip4_addr_t src, dst;
    if (len < IP_HLEN + UDP_HLEN || ip[0] != 0x45 || ip[9] != IP_PROTO_UDP || (load16_be(ip + 6) & (IP_MF | IP_OFFMASK)))
        return NULL;
    size_t whole = load16_be(ip + 2);
    memcpy(&src.addr, ip + 12, 4);
    memcpy(&dst.addr, ip + 16, 4);
    if (whole > len || whole != IP_HLEN + (size_t)load16_be(ip + IP_HLEN + 4) || dst.addr != netif_ip4_addr(netif)->addr)
        return NULL;
    if (ip4_addr_isany_val(dst) || ip4_addr_ismulticast(&src) || ip4_addr_isbroadcast(&src, netif) || checksum_sum(ip, IP_HLEN) != 0xffff)
        return NULL;
    *from = net_addr_v4(ip + 12, 0);
    return ip + IP_HLEN;
}

// The same for IPv6 (RFC 8200), where UDP follows at once.
static const uint8_t *udp_of_ip6(struct netif *netif, const uint8_t *ip, size_t len, struct net_addr *from)
{
    ip6_addr_t dst;
    if (len < IP6_HLEN + UDP_HLEN || ip[0] >> 4 != 6 || ip[6] != IP6_NEXTH_UDP || ip[8] == 0xff)
        return NULL;
    size_t whole = IP6_HLEN + (size_t)load16_be(ip + 4);
    if (whole > len || whole != IP6_HLEN + (size_t)load16_be(ip + IP6_HLEN + 4))
        return NULL;
    memcpy(dst.addr, ip + 24, 16);
    ip6_addr_assign_zone(&dst, IP6_UNICAST, netif);
    int slot = netif_get_ip6_addr_match(netif, &dst);
    if (slot < 0 || !ip6_addr_isvalid(netif_ip6_addr_state(netif, slot)))
        return NULL;
    *from = (struct net_addr){ 0 };
    memcpy(from->ip, ip + 8, 16);
    return ip + IP6_HLEN;
}

bool net_direct(struct netif *netif, const uint8_t *frame, size_t len)
{
    struct net_addr from;
    if (len < SIZEOF_ETH_HDR + IP_HLEN + UDP_HLEN)
        return false;
    const uint8_t *ip = frame + SIZEOF_ETH_HDR;
    uint16_t type = load16_be(frame + 12);
    bool v4 = type == ETHTYPE_IP;
    const uint8_t *udp = v4                     ? udp_of_ip4(netif, ip, len - SIZEOF_ETH_HDR, &from)
                         : type == ETHTYPE_IPV6 ? udp_of_ip6(netif, ip, len - SIZEOF_ETH_HDR, &from)
                                                : NULL;
    if (!udp)
        return false;
    size_t udp_len = load16_be(udp + 4), addresses = v4 ? 8 : 32; // the addresses are the last fields of either header
    if (udp_len < UDP_HLEN)
        return false;
    if (load16_le(udp + 6) &&
        !sum_good((uint32_t)checksum_sum(udp, udp_len) + checksum_sum(udp - addresses, addresses) + PROTO_LE + load16_le(udp + 4)))
        return false;
    from.port = load16_be(udp);
    from.zone = (uint8_t)(netif->num + 1);
    return net_udp_deliver(netif, load16_be(udp + 2), &from, udp + UDP_HLEN, udp_len - UDP_HLEN);
}
