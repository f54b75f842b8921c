// SPDX-License-Identifier: MPL-2.0
// See refusal.h.
#include "proto/refusal.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "proto/heads.h"

#define ICMP_HEAD 8
#define PROTO_ICMP 1
#define PROTO_ICMP6 58

// An IP header without options in front of `proto`. Its length, 0 when this is none.
static size_t ip_head(bool v4, const uint8_t *ip, size_t len, uint8_t proto)
{
    if (v4)
        return len >= IP4_HEAD && ip[0] == 0x45 && ip[9] == proto && !(load16_be(ip + 6) & IP4_FRAGMENT) ? IP4_HEAD : 0;
    return len >= IP6_HEAD && ip[0] >> 4 == 6 && ip[6] == proto ? IP6_HEAD : 0;
}

static bool refuses(bool v4, const uint8_t *icmp)
{
    uint8_t type = icmp[0], code = icmp[1];
    if (v4)
        return type == 3 && (code == 3 || code == 9 || code == 10 || code == 13);
    return type == 1 && (code == 1 || code == 4);
}

// Only ICMPv6 has a pseudo header.
static bool checksum_good(bool v4, const uint8_t *icmp, size_t len)
{
    uint32_t sum = checksum_sum(icmp, len);
    if (!v4)
        sum += checksum_sum(icmp - 32, 32) + (uint32_t)(PROTO_ICMP6 << 8) + __builtin_bswap16((uint16_t)len);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16)) == 0xffff;
}

bool refusal_read(const uint8_t *frame, size_t len, struct datagram *ret)
{
    if (len < ETH_HEAD + IP4_HEAD)
        return false;
    bool v4 = load16_be(frame + 12) == TYPE_IP4;
    if (!v4 && load16_be(frame + 12) != TYPE_IP6)
        return false;
    const uint8_t *ip = frame + ETH_HEAD;
    size_t head = ip_head(v4, ip, len - ETH_HEAD, v4 ? PROTO_ICMP : PROTO_ICMP6);
    if (!head)
        return false;
    const uint8_t *icmp = ip + head, *quote = icmp + ICMP_HEAD;
    size_t room = len - ETH_HEAD - head, size = load16_be(ip + (v4 ? 2 : 4)) - (v4 ? head : 0), address = v4 ? 4 : 16;
    if (size > room || size < ICMP_HEAD + head + UDP_HEAD || !refuses(v4, icmp) || !checksum_good(v4, icmp, size) ||
        (v4 && checksum_sum(ip, head) != 0xffff) || !ip_head(v4, quote, size - ICMP_HEAD, PROTO_UDP))
        return false;
    const uint8_t *udp = quote + head;
    if (memcmp(udp - 2 * address, icmp - address, address) != 0)
        return false;
    *ret = (struct datagram){
        .v4 = v4,
        .from_ip = udp - address,
        .to_ip = udp - 2 * address,
        .from_port = load16_be(udp + 2),
        .to_port = load16_be(udp),
        .data = udp + UDP_HEAD,
        .len = size - ICMP_HEAD - head - UDP_HEAD,
    };
    return true;
}
