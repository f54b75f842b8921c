// SPDX-License-Identifier: MPL-2.0
// See datagram.h. Each frame of a download passes here, so nothing is copied and nothing looked at twice.
#include "proto/datagram.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "proto/heads.h"

#define PROTO_UDP_LE 0x1100u // in a pseudo header, as checksum_sum reads it

// How long the IP header is, 0 when this is none of ours; *ret_len: what it says of the length behind it.
static size_t ip_head(uint16_t type, const uint8_t *ip, size_t len, size_t *ret_len)
{
    if (type == TYPE_IP4 && len >= IP4_HEAD + UDP_HEAD && ip[0] == 0x45 && ip[9] == PROTO_UDP &&
        !(load16_be(ip + 6) & IP4_FRAGMENT) && load16_be(ip + 2) >= IP4_HEAD && checksum_sum(ip, IP4_HEAD) == 0xffff) {
        *ret_len = load16_be(ip + 2) - IP4_HEAD;
        return IP4_HEAD;
    }
    if (type == TYPE_IP6 && len >= IP6_HEAD + UDP_HEAD && ip[0] >> 4 == 6 && ip[6] == PROTO_UDP) {
        *ret_len = load16_be(ip + 4);
        return IP6_HEAD;
    }
    return 0;
}

// Over everything that the checksum covers, itself included, the ones' complement sum is 0xffff. The addresses are the last
// fields of either IP header.
static bool checksum_good(const uint8_t *udp, size_t len, size_t addresses)
{
    uint32_t sum = (uint32_t)checksum_sum(udp, len) + checksum_sum(udp - addresses, addresses) + PROTO_UDP_LE + load16_le(udp + 4);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16)) == 0xffff;
}

bool datagram_read(const uint8_t *frame, size_t len, struct datagram *ret)
{
    if (len < ETH_HEAD + IP4_HEAD + UDP_HEAD)
        return false;
    const uint8_t *ip = frame + ETH_HEAD;
    size_t room = len - ETH_HEAD, udp_len;
    size_t head = ip_head(load16_be(frame + 12), ip, room, &udp_len);
    if (!head || udp_len < UDP_HEAD || udp_len > room - head)
        return false;
    const uint8_t *udp = ip + head;
    size_t address = head == IP4_HEAD ? 4 : 16;
    if (load16_be(udp + 4) != udp_len || (load16_le(udp + 6) && !checksum_good(udp, udp_len, 2 * address)))
        return false;
    *ret = (struct datagram){
        .v4 = head == IP4_HEAD,
        .from_ip = udp - 2 * address,
        .to_ip = udp - address,
        .from_port = load16_be(udp),
        .to_port = load16_be(udp + 2),
        .data = udp + UDP_HEAD,
        .len = udp_len - UDP_HEAD,
    };
    return true;
}
