// SPDX-License-Identifier: MPL-2.0
// See simnet.h. Only as much Ethernet, ARP, IPv4, IPv6, ICMPv6, UDP and TCP as a boot needs of its peers.
#include "host/simnet.h"

#include "base/cursor.h"
#include <stdlib.h>

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IP6 0x86dd
#define ETH_HEAD 14
#define IP4_HEAD 20
#define IP6_HEAD 40
#define UDP_HEAD 8
#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define TCP_HEAD 20
#define TCP_OPTION_MSS 0x02040000
#define PROTO_ICMP6 58
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define IDLE_STEP_US 500

static uint32_t random16(struct simnet *net)
{
    net->random_state = net->random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(net->random_state >> 48);
}

static void enqueue(struct simnet *net, const uint8_t *frame, size_t len)
{
    if (net->count == SIMNET_QUEUE_MAX || len > FRAME_MAX || random16(net) < net->loss_per_64k)
        return;
    struct simnet_frame *slot = &net->queue[(net->head + net->count++) % SIMNET_QUEUE_MAX];
    slot->due_us = net->machine->now_us + net->delay_us;
    slot->len = (uint16_t)len;
    memcpy(slot->data, frame, len);
}

static uint32_t sum16(uint32_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += load16_be(data + i);
    if (len & 1)
        sum += (uint32_t)data[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void ethernet(struct builder *b, const struct simnet *net, uint16_t type)
{
    builder_bytes(b, net->machine_mac, 6);
    builder_bytes(b, net->peer_mac, 6);
    builder_u16_be(b, type);
}

static void ip6_header(struct builder *b, const uint8_t src[16], const uint8_t dst[16], uint8_t next, size_t len)
{
    builder_u32_be(b, 0x60000000);
    builder_u16_be(b, (uint16_t)len);
    builder_u8(b, next);
    builder_u8(b, 255);
    builder_bytes(b, src, 16);
    builder_bytes(b, dst, 16);
}

// Checksum with the IPv6 pseudo header (RFC 8200 8.1), stored at `at` in the upper-layer bytes.
static void ip6_checksum(uint8_t *upper, size_t len, size_t at, const uint8_t *addresses, uint8_t next)
{
    store16_be(upper + at, 0);
    uint16_t sum = fold(sum16(sum16((uint32_t)len + next, addresses, 32), upper, len));
    store16_be(upper + at, sum ? sum : 0xffff);
}

static void ip4_header(struct builder *b, const struct net_addr *from, const struct net_addr *to, uint8_t proto, size_t len)
{
    uint8_t *head = builder_room(b, IP4_HEAD);
    memset(head, 0, IP4_HEAD);
    head[0] = 0x45;
    store16_be(head + 2, (uint16_t)(IP4_HEAD + len));
    head[8] = 64;
    head[9] = proto;
    memcpy(head + 12, from->ip + 12, 4);
    memcpy(head + 16, to->ip + 12, 4);
    store16_be(head + 10, fold(sum16(0, head, IP4_HEAD)));
}

void simnet_refuse(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const void *data, size_t len)
{
    uint8_t frame[FRAME_MAX];
    struct builder b = builder_make(frame, sizeof frame);
    size_t quoted = IP4_HEAD + UDP_HEAD + len;
    ethernet(&b, net, ETHERTYPE_IP4);
    ip4_header(&b, to, from, PROTO_ICMP, 8 + quoted);
    uint8_t *icmp = builder_room(&b, 8);
    memset(icmp, 0, 8);
    icmp[0] = icmp[1] = 3;
    ip4_header(&b, from, to, PROTO_UDP, UDP_HEAD + len);
    builder_u16_be(&b, from->port);
    builder_u16_be(&b, to->port);
    builder_u32_be(&b, (uint32_t)(UDP_HEAD + len) << 16);
    builder_bytes(&b, data, len);
    store16_be(icmp + 2, fold(sum16(0, icmp, 8 + quoted)));
    enqueue(net, frame, b.len);
}

void simnet_send_udp(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const void *data,
                     size_t len)
{
    uint8_t frame[FRAME_MAX];
    struct builder b = builder_make(frame, sizeof frame);
    bool v4 = net_addr_is_v4(to);
    ethernet(&b, net, v4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    size_t udp_len = UDP_HEAD + len;
    if (v4) {
        ip4_header(&b, from, to, PROTO_UDP, udp_len);
    } else {
        ip6_header(&b, from->ip, to->ip, PROTO_UDP, udp_len);
    }
    uint8_t *udp = builder_room(&b, UDP_HEAD);
    builder_bytes(&b, data, len);
    if (b.bad || !udp)
        return; // larger than the wire takes: dropped, as a wire does
    store16_be(udp, from->port);
    store16_be(udp + 2, to->port);
    store16_be(udp + 4, (uint16_t)udp_len);
    store16_be(udp + 6, 0);
    if (!v4)
        ip6_checksum(udp, udp_len, 6, udp - 32, PROTO_UDP);
    enqueue(net, frame, b.len);
}

void simnet_send_tcp(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *segment)
{
    uint8_t frame[FRAME_MAX];
    struct builder b = builder_make(frame, sizeof frame);
    size_t head = TCP_HEAD + (segment->flags & SIMNET_SYN ? 4 : 0), len = head + segment->len;
    ethernet(&b, net, ETHERTYPE_IP4);
    ip4_header(&b, from, to, PROTO_TCP, len);
    builder_u16_be(&b, from->port);
    builder_u16_be(&b, to->port);
    builder_u32_be(&b, segment->seq);
    builder_u32_be(&b, segment->ack);
    builder_u16_be(&b, (uint16_t)(head / 4 << 12 | segment->flags));
    builder_u16_be(&b, segment->window);
    builder_u32_be(&b, 0); // checksum, urgent pointer
    if (segment->flags & SIMNET_SYN)
        builder_u32_be(&b, TCP_OPTION_MSS | net->tcp_mss);
    builder_bytes(&b, segment->data, segment->len);
    if (b.bad)
        return;
    uint8_t *tcp = frame + ETH_HEAD + IP4_HEAD;
    store16_be(tcp + 16, fold(sum16(sum16((uint32_t)len + PROTO_TCP, tcp - 8, 8), tcp, len)));
    enqueue(net, frame, b.len);
}

static void answer_arp(struct simnet *net, struct cursor *c)
{
    cursor_bytes(c, 6);
    uint16_t op = cursor_u16_be(c);
    const uint8_t *sender_mac = cursor_bytes(c, 6), *sender_ip = cursor_bytes(c, 4);
    cursor_bytes(c, 6);
    const uint8_t *target_ip = cursor_bytes(c, 4);
    if (!cursor_ok(c) || op != 1 || !net->ip4 || memcmp(sender_ip, target_ip, 4) == 0)
        return;
    uint8_t frame[ETH_HEAD + 28];
    struct builder b = builder_make(frame, sizeof frame);
    ethernet(&b, net, ETHERTYPE_ARP);
    static const uint8_t fixed[8] = { 0, 1, 8, 0, 6, 4, 0, 2 };
    builder_bytes(&b, fixed, 8);
    builder_bytes(&b, net->peer_mac, 6);
    builder_bytes(&b, target_ip, 4);
    builder_bytes(&b, sender_mac, 6);
    builder_bytes(&b, sender_ip, 4);
    enqueue(net, frame, b.len);
}

// RFC 4861 4.3, 4.4: the peer owns peer_ip6 and says so.
static void answer_solicitation(struct simnet *net, const uint8_t *src, const uint8_t *icmp, size_t len)
{
    if (len < 24 || icmp[0] != ND_SOLICITATION || memcmp(icmp + 8, net->peer_ip6, 16) != 0)
        return;
    uint8_t frame[ETH_HEAD + IP6_HEAD + 32];
    struct builder b = builder_make(frame, sizeof frame);
    ethernet(&b, net, ETHERTYPE_IP6);
    ip6_header(&b, net->peer_ip6, src, PROTO_ICMP6, 32);
    uint8_t *nd = builder_room(&b, 32);
    memset(nd, 0, 32);
    nd[0] = ND_ADVERTISEMENT;
    nd[4] = 0x60; // solicited, override
    memcpy(nd + 8, net->peer_ip6, 16);
    nd[24] = 2; // target link-layer address option
    nd[25] = 1;
    memcpy(nd + 26, net->peer_mac, 6);
    ip6_checksum(nd, 32, 2, nd - 32, PROTO_ICMP6);
    enqueue(net, frame, b.len);
}

static void take_udp(struct simnet *net, struct net_addr from, struct net_addr to, struct cursor *c)
{
    from.port = cursor_u16_be(c);
    to.port = cursor_u16_be(c);
    uint16_t len = cursor_u16_be(c);
    cursor_u16_be(c);
    const uint8_t *data = len >= UDP_HEAD ? cursor_bytes(c, len - UDP_HEAD) : NULL;
    if (data && net->udp)
        net->udp(net, &from, &to, data, len - UDP_HEAD);
}

static void take_tcp(struct simnet *net, struct net_addr from, struct net_addr to, struct cursor *c, size_t len)
{
    const uint8_t *tcp = cursor_bytes(c, len);
    size_t head = tcp && len >= TCP_HEAD ? (size_t)(tcp[12] >> 4) * 4 : 0;
    if (head < TCP_HEAD || head > len || !net->tcp)
        return;
    from.port = load16_be(tcp);
    to.port = load16_be(tcp + 2);
    const struct simnet_segment segment = { .seq = load32_be(tcp + 4), .ack = load32_be(tcp + 8), .flags = tcp[13],
                                            .window = load16_be(tcp + 14), .data = tcp + head, .len = len - head };
    net->tcp(net, &from, &to, &segment);
}

static int take_frame(void *ctx, const void *frame, size_t len)
{
    struct simnet *net = ctx;
    struct cursor c = cursor_make(frame, len);
    cursor_bytes(&c, 6);
    const uint8_t *source = cursor_bytes(&c, 6);
    uint16_t type = cursor_u16_be(&c);
    if (!cursor_ok(&c))
        return ERR_NET_LINK;
    memcpy(net->machine_mac, source, 6);
    if (type == ETHERTYPE_ARP) {
        answer_arp(net, &c);
    } else if (type == ETHERTYPE_IP4 && net->ip4) {
        const uint8_t *head = cursor_bytes(&c, IP4_HEAD);
        if (head && head[0] == 0x45 && head[9] == PROTO_UDP)
            take_udp(net, net_addr_v4(head + 12, 0), net_addr_v4(head + 16, 0), &c);
        else if (head && head[0] == 0x45 && head[9] == PROTO_TCP && load16_be(head + 2) > IP4_HEAD)
            take_tcp(net, net_addr_v4(head + 12, 0), net_addr_v4(head + 16, 0), &c, load16_be(head + 2) - IP4_HEAD);
    } else if (type == ETHERTYPE_IP6 && net->ip6) {
        const uint8_t *head = cursor_bytes(&c, IP6_HEAD);
        if (!head)
            return 0;
        struct net_addr from = { 0 }, to = { 0 };
        memcpy(from.ip, head + 8, 16);
        memcpy(to.ip, head + 24, 16);
        if (head[6] == PROTO_UDP)
            take_udp(net, from, to, &c);
        else if (head[6] == PROTO_ICMP6)
            answer_solicitation(net, head + 8, c.data, c.len);
    }
    return 0;
}

static int give_frame(void *ctx, void *buf, size_t cap)
{
    struct simnet *net = ctx;
    if (!net->count || net->queue[net->head].due_us > net->machine->now_us)
        return 0;
    const struct simnet_frame *slot = &net->queue[net->head];
    int len = (int)MIN((size_t)slot->len, cap);
    memcpy(buf, slot->data, (size_t)len);
    net->head = (net->head + 1) % SIMNET_QUEUE_MAX;
    net->count--;
    return len;
}

static void idle(void *ctx, uint64_t *now_us)
{
    struct simnet *net = ctx;
    *now_us += IDLE_STEP_US;
    if (net->tick)
        net->tick(net, *now_us);
}

void simnet_attach(struct simnet *net, struct host_machine *machine)
{
    *net = (struct simnet){
        .machine = machine,
        .peer_ip4 = { 10, 0, 0, 1 },
        .peer_ip6 = { 0xfe, 0x80, [15] = 1 },
        .peer_mac = { 0x52, 0x54, 0, 0, 0, 1 },
        .tcp_mss = 1460,
        .ip4 = true,
        .ip6 = true,
        .delay_us = 200,
        .random_state = 1,
    };
    net->queue = calloc(SIMNET_QUEUE_MAX, sizeof *net->queue);
    if (!net->queue)
        abort();
    machine->wire = (struct host_wire){ .ctx = net, .send = take_frame, .receive = give_frame, .idle = idle };
}

void simnet_free(struct simnet *net)
{
    free(net->queue);
    net->queue = NULL;
}
