// SPDX-License-Identifier: MPL-2.0
// The network stack in a network that sends whatever it likes (testframes.h), with sockets open, connections under way and names
// being looked up, so that frames can fit what the machine waits for. A failed assertion of lwIP's ends the program.
#pragma once
#include "host/host.h"
#include "host/testframes.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>

#define BIG_MAX 65535
#define QUEUE 256
#define WORLD_ETHERTYPE 0x88a2

struct connection {
    struct net_tcp *tcp;
    bool v6, known;
    uint16_t port;
    uint32_t next, ack; // the machine's next sequence number, and what it has acknowledged
};

static struct {
    struct host_machine machine;
    struct choices *choices;
    struct frame queue[QUEUE]; // towards the machine
    unsigned head, queued;
    struct frame sent;         // the machine's last one
    struct frame query;        // the last DNS query, from the IP header on
    struct connection connections[2];
    struct net_udp *sockets[2];
    struct net_ether *ether;
    uint64_t frames;
    unsigned echoes, datagrams; // what the machine answered and took
    char name[2][24];
    unsigned names;
} net_world;

static void world_put(const struct frame *f)
{
    if (!f->len || net_world.queued == QUEUE)
        return;
    net_world.queue[(net_world.head + net_world.queued++) % QUEUE] = *f;
}

static void world_remember(const uint8_t *ip, size_t len, bool v6)
{
    size_t head = v6 ? 40 : 20;
    uint8_t proto = v6 ? ip[6] : ip[9];
    const uint8_t *upper = ip + head;
    if (len < head + 8)
        return;
    if (proto == 6 && len >= head + 20)
        for (unsigned i = 0; i < ARRAY_SIZE(net_world.connections); i++) {
            struct connection *k = &net_world.connections[i];
            if (load16_be(upper + 2) != 80 + i)
                continue;
            k->known = true;
            k->v6 = v6;
            k->port = load16_be(upper);
            k->next = load32_be(upper + 4) + (uint32_t)(len - head - (size_t)(upper[12] >> 4) * 4) + ((upper[13] & 3) != 0);
            if (upper[13] & 16)
                k->ack = load32_be(upper + 8);
        }
    if (proto == 17 && load16_be(upper + 2) == 53) {
        net_world.query.len = MIN(len, sizeof net_world.query.bytes);
        memcpy(net_world.query.bytes, ip, net_world.query.len);
    }
    if ((proto == 1 && upper[0] == 0) || (proto == 58 && upper[0] == 129))
        net_world.echoes++;
}

// The neighbour is found more often than not.
static int world_send(void *ctx, const void *frame, size_t len)
{
    const uint8_t *in = frame, *body = in + ETH;
    net_world.sent.len = MIN(len, sizeof net_world.sent.bytes);
    memcpy(net_world.sent.bytes, frame, net_world.sent.len);
    uint16_t type = load16_be(in + 12);
    struct choices quiet = { .state = 1 }, *c = net_world.choices ? net_world.choices : &quiet;
    if (type == 0x0806 && !(net_world.choices && one_in(c, 6))) {
        struct frame f = { .len = 60 };
        memcpy(f.bytes, own_mac, 6);
        memcpy(f.bytes + 6, peer_mac, 6);
        memcpy(f.bytes + 12, in + 12, 10);
        f.bytes[ETH + 7] = 2;
        memcpy(f.bytes + ETH + 8, peer_mac, 6);
        memcpy(f.bytes + ETH + 14, body + 24, 4);
        memcpy(f.bytes + ETH + 18, body + 8, 10);
        world_put(&f);
    }
    if (type == 0x86dd && body[6] == 58 && body[40] == 135 && !(net_world.choices && one_in(c, 6))) {
        struct envelope e = { true, body + 48, own_ip6, 58, 255 };
        uint8_t na[32] = { 136, [4] = 0xe0, [24] = 2, 1 };
        memcpy(na + 8, body + 48, 16);
        memcpy(na + 26, peer_mac, 6);
        struct choices plain = { .state = 1 };
        while (one_in(&plain, 32)) // a stream whose next choice spoils nothing
            ;
        seal(&plain, &e, na, sizeof na, 2);
        struct frame f = { .len = ETH };
        memcpy(f.bytes, own_mac, 6);
        memcpy(f.bytes + 6, peer_mac, 6);
        memcpy(f.bytes + 12, (uint8_t[]){ 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255 }, 10);
        f.len = ETH + 8;
        append(&f, e.from, 16);
        append(&f, e.to, 16);
        append(&f, na, sizeof na);
        world_put(&f);
    }
    if (type == 0x0800 || type == 0x86dd)
        world_remember(body, len - ETH, type == 0x86dd);
    return 0;
}

static int world_receive(void *ctx, void *buf, size_t cap)
{
    if (!net_world.queued)
        return 0;
    struct frame *f = &net_world.queue[net_world.head];
    net_world.head = (net_world.head + 1) % QUEUE;
    net_world.queued--;
    size_t len = MIN(f->len, cap);
    memcpy(buf, f->bytes, len);
    net_world.frames++;
    return (int)len;
}

static void world_leave(void *ctx, enum platform_leave how)
{
    fprintf(stderr, "frame %llu ended the machine: %.*s\n", (unsigned long long)net_world.frames,
            (int)net_world.machine.transcript_len, net_world.machine.transcript);
    abort();
}

static void world_drain(void)
{
    for (unsigned i = 0; i < QUEUE * 4 && net_poll() > 0; i++)
        ;
}

static void world_wait(uint64_t us)
{
    net_world.machine.now_us += us;
    world_drain();
}

static void world_datagram(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    volatile uint8_t last = 0;
    for (size_t i = 0; i < len; i++)
        last = (uint8_t)(last + data[i]); // the sanitizer sees each byte
    net_world.datagrams++;
}

static void world_ethernet(void *ctx, const uint8_t from[6], const uint8_t *data, size_t len)
{
    world_datagram(ctx, 0, NULL, data, len);
    (void)net_ether_send(net_world.ether, from, data, len);
}

static void world_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
    struct connection *k = ctx;
    if (event == NET_TCP_DATA)
        world_datagram(NULL, 0, NULL, data, len);
    if (event == NET_TCP_FAILED)
        k->tcp = NULL;
    else if (event == NET_TCP_CLOSED && net_world.choices && one_in(net_world.choices, 2)) {
        net_tcp_close(k->tcp);
        k->tcp = NULL;
    }
}

static void world_start(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    host_init(&net_world.machine);
    net_world.machine.random_state = 1;
    net_world.machine.wire = (struct host_wire){ .send = world_send, .receive = world_receive };
    net_world.machine.platform.leave = world_leave;
    static const uint8_t mask[4] = { 255, 255, 255, 0 };
    struct net_addr servers[2] = { net_addr_v4(peer_ip4, 53), { .port = 53 } };
    memcpy(servers[1].ip, peer_global, 16);
    if (net_start(&net_world.machine.platform) != 0 || net_open(0) != 0 || net_add_ipv6(0, own_global) != 0)
        abort();
    net_set_ipv4(0, own_ip4, mask, peer_ip4);
    net_set_dns(NET_DNS_SETTINGS, servers, 2);
    static const uint16_t ports[] = { 4000, 68 };
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
        net_world.sockets[i] = net_udp_open(ports[i], world_datagram, NULL);
    net_world.ether = net_ether_open(0, WORLD_ETHERTYPE, world_ethernet, NULL);
    world_drain();
}

static struct net_addr world_peer(bool v6, uint16_t port)
{
    struct net_addr a = net_addr_v4(peer_ip4, port);
    if (v6)
        memcpy(a.ip, peer_global, 16);
    return a;
}

// --- what happens ---

static void send(struct frame f)
{
    damage(net_world.choices, &f);
    world_put(&f);
    world_drain();
}

static uint8_t big[BIG_MAX + 64];

// A whole packet as one frame, or in pieces: in any order, some twice, some overlapping, some never.
static void send_upper(struct choices *c, const struct envelope *e, size_t len)
{
    size_t room = e->v6 ? 1440 : 1420;
    if (len <= room && !one_in(c, 4)) {
        send(packet(c, e, big, len));
        return;
    }
    static const size_t sizes[] = { 8, 64, 512, 1024, 1400 };
    size_t size = len > 8000 ? 1400 : ARRAY_PICK(c, sizes), count = len / size + 1;
    uint16_t id = (uint16_t)pick(c, 6);
    size_t start = one_in(c, 2) ? 0 : pick(c, count), step = one_in(c, 2) ? 1 : count - 1;
    for (size_t i = 0; i < count && i < 80 && choices_left(c); i++) {
        size_t n = (start + i * step) % count, at = n * size, cut = MIN(size, len - MIN(len, at));
        if (one_in(c, 40))
            continue;
        struct piece p = { id, (uint32_t)at, n + 1 < count };
        uint32_t farther = 8 * pick(c, 300);
        if (one_in(c, 40))
            p.offset = MIN(p.offset + farther, 65528u);
        if (one_in(c, 40))
            p.more = !p.more;
        if (one_in(c, 40))
            cut = pick(c, cut + 1);
        send(e->v6 ? ip6(c, e, big + MIN(at, sizeof big - size), cut, p) : ip4(c, e, big + MIN(at, sizeof big - size), cut, p));
        if (one_in(c, 40))
            i--;
    }
}

static size_t tcp_options(struct choices *c, uint8_t *out)
{
    static const uint8_t known[][12] = {
        { 2, 4, 0, 0 }, { 2, 4, 0, 1 }, { 2, 4, 5, 0xb4 }, { 2, 4, 0xff, 0xff }, { 3, 3, 0, 1 }, { 3, 3, 14, 1 }, { 3, 3, 255, 1 },
        { 4, 2, 1, 1 }, { 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1 }, { 5, 10, 0, 0, 0, 1, 0, 0, 0, 9, 1, 1 }, { 2, 0 }, { 3, 40 }, { 1, 1, 0 },
    };
    size_t at = 0;
    for (unsigned i = pick(c, 4); i > 0; i--, at += 12)
        memcpy(out + at, ARRAY_PICK(c, known), 12);
    return at;
}

static void send_segment(struct choices *c)
{
    static const uint8_t flags[] = { 16, 16, 16, 16, 24, 24, 18, 18, 17, 17, 4, 20, 2, 1, 0, 0x30, 0xff };
    static const uint16_t windows[] = { 0, 1, 8, 500, 8192, 65535 };
    struct connection *k = &net_world.connections[pick(c, 2)];
    struct envelope e = { k->v6, k->v6 ? peer_global : peer_ip4, k->v6 ? own_global : own_ip4, 6, 64 };
    uint8_t *out = big;
    memset(out, 0, 20);
    store16_be(out, (uint16_t)(80 + (k - net_world.connections)));
    store16_be(out + 2, one_in(c, 32) ? (uint16_t)choice(c) : k->port);
    static const int32_t steps[] = { 0, 0, 0, 0, 1, -1, 100, 500, 1000, 1400, 2000, -500, -1400, 100000, 262143, 262144, 0x7fffffff };
    static const int32_t acks[] = { 0, 0, 0, 0, 0, -1, 1, -10, 100, -1440, 0x40000000 };
    store32_be(out + 4, k->ack + (uint32_t)ARRAY_PICK(c, steps));
    store32_be(out + 8, k->next + (uint32_t)ARRAY_PICK(c, acks));
    size_t options = one_in(c, 3) ? tcp_options(c, out + 20) : 0, len = one_in(c, 2) ? 0 : one_in(c, 2) ? pick(c, 1400) : pick(c, 9);
    out[13] = ARRAY_PICK(c, flags);
    out[12] = one_in(c, 32) ? (uint8_t)choice(c) : (uint8_t)((20 + options) / 4 << 4);
    store16_be(out + 14, ARRAY_PICK(c, windows));
    store16_be(out + 18, (uint16_t)choice(c));
    fill(c, out + 20 + options, len);
    seal(c, &e, out, 20 + options + len, 16);
    send_upper(c, &e, 20 + options + len);
}

// To the last query, or nearly: its question, and records of every kind, with names that point anywhere.
static void send_answer(struct choices *c)
{
    const struct frame *q = &net_world.query;
    bool v6 = q->bytes[0] >> 4 == 6;
    size_t head = v6 ? 40 : 20;
    if (q->len < head + 8 + 12)
        return;
    struct envelope e = { v6, q->bytes + (v6 ? 24 : 16), q->bytes + (v6 ? 8 : 12), 17, 64 };
    uint8_t *dns = big + 8;
    size_t len = MIN(q->len - head - 8, (size_t)400);
    memcpy(dns, q->bytes + head + 8, len);
    if (one_in(c, 8))
        store16_be(dns, (uint16_t)choice(c));
    dns[2] = one_in(c, 8) ? (uint8_t)choice(c) : 0x81;
    dns[3] = one_in(c, 8) ? (uint8_t)choice(c) : 0x80;
    unsigned answers = pick(c, one_in(c, 4) ? 10 : 4);
    store16_be(dns + 6, one_in(c, 8) ? (uint16_t)choice(c) : (uint16_t)answers);
    static const uint16_t types[] = { 1, 28, 5, 6, 1, 28, 16, 255 };
    for (; answers > 0; answers--) {
        uint16_t type = ARRAY_PICK(c, types), size = type == 1 ? 4 : type == 28 ? 16 : (uint16_t)pick(c, 60);
        store16_be(dns + len, one_in(c, 4) ? (uint16_t)(0xc000 | pick(c, len + 20)) : 0xc00c);
        store16_be(dns + len + 2, type);
        store16_be(dns + len + 4, 1);
        store32_be(dns + len + 6, choice32(c));
        store16_be(dns + len + 10, one_in(c, 8) ? (uint16_t)choice(c) : size);
        fill(c, dns + len + 12, size);
        len += 12u + size;
    }
    if (one_in(c, 8))
        len = pick(c, len + 1);
    send_upper(c, &e, udp(c, &e, big, 53, load16_be(q->bytes + head), len));
}

// The machine acts by itself, too.
static void act(struct choices *c)
{
    bool v6 = one_in(c, 2);
    struct connection *k = &net_world.connections[pick(c, 2)];
    struct net_addr to = world_peer(v6, 4000), found[NET_ADDRESSES_MAX];
    switch (pick(c, 6)) {
    case 0:
        fill(c, big, 64);
        (void)net_udp_send(net_world.sockets[0], &to, big, pick(c, 5) ? pick(c, 200) : pick(c, 5000));
        break;
    case 1:
        fill(c, big, 64);
        if (k->tcp)
            (void)net_tcp_send(k->tcp, big, 1 + pick(c, 3000));
        break;
    case 2:
        if (k->tcp && one_in(c, 3)) {
            net_tcp_close(k->tcp);
            k->tcp = NULL;
        }
        to = world_peer(v6, (uint16_t)(80 + (k - net_world.connections)));
        if (!k->tcp)
            (void)net_tcp_connect(&to, world_event, k, &k->tcp);
        break;
    case 3:
        snprintf(net_world.name[net_world.names & 1], sizeof net_world.name[0], "host%u.example", pick(c, 5));
        (void)net_resolve(net_world.name[net_world.names & 1], one_in(c, 2), found);
        net_world.names += one_in(c, 2);
        break;
    default:
        world_wait(one_in(c, 8) ? 1000 * pick(c, 60000) : 1000 * pick(c, 600));
    }
    world_drain();
}

static void world_step(struct choices *c)
{
    net_world.choices = c;
    bool v6 = one_in(c, 2);
    struct envelope e = envelope(c, v6, v6 ? 58 : 1);
    static const uint16_t ports[] = { 4000, 68, 53, 67, 9 };
    size_t len;
    switch (pick(c, 14)) {
    case 0:
        send_upper(c, &e, echo(c, &e, big, one_in(c, 3) ? pick(c, 65000) : pick(c, 1500)));
        break;
    case 1: {
        size_t at = MIN(net_world.sent.len, (size_t)ETH);
        send_upper(c, &e, icmp_error(c, &e, big, net_world.sent.bytes + at, net_world.sent.len - at));
        break;
    }
    case 2:
        e = envelope(c, true, 58);
        send_upper(c, &e, neighbor(c, &e, big));
        break;
    case 3:
        e.proto = v6 ? 58 : 2;
        send_upper(c, &e, group_query(c, &e, big));
        break;
    case 4:
        e.proto = 17;
        len = one_in(c, 6) ? pick(c, 9000) : pick(c, 1400);
        fill(c, big, len + 8);
        send_upper(c, &e, udp(c, &e, big, ARRAY_PICK(c, ports), ARRAY_PICK(c, ports), len));
        break;
    case 5: {
        struct frame f = ethernet(c, 0x0806);
        uint8_t arp[28] = { 0, 1, 8, 0, 6, 4, 0, (uint8_t)(1 + pick(c, 2)) };
        memcpy(arp + 8, peer_mac, 6);
        memcpy(arp + 14, from_ip4(c), 4);
        memcpy(arp + 18, own_mac, 6);
        memcpy(arp + 24, to_ip4(c), 4);
        append(&f, arp, sizeof arp);
        send(f);
        break;
    }
    case 6: {
        struct frame f = ethernet(c, v6 ? 0x86dd : one_in(c, 4) ? (uint16_t)choice(c) : one_in(c, 4) ? WORLD_ETHERTYPE : 0x0800);
        fill(c, big, 1500);
        append(&f, big, pick(c, 1500));
        send(f);
        break;
    }
    case 7: // any protocol
        e.proto = (uint8_t)choice(c);
        fill(c, big, 1400);
        send_upper(c, &e, pick(c, 1400));
        break;
    case 8:
        send_answer(c);
        break;
    case 9:
    case 10:
    case 11:
        send_segment(c);
        break;
    default:
        act(c);
    }
    net_world.choices = NULL;
}

// Everything under way ends, everything learnt is forgotten.
static void world_rest(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(net_world.connections); i++) {
        net_tcp_close(net_world.connections[i].tcp);
        net_world.connections[i] = (struct connection){ 0 };
    }
    net_world.query.len = 0;
    for (unsigned i = 0; i < 20; i++)
        world_wait(i < 4 ? 250000 : 10000000);
}
