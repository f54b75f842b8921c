// SPDX-License-Identifier: MPL-2.0
// Packets from the peer, each as its test wants it, and what the machine under test made of them. The wire is testwire.h's.
#pragma once
#include "host/testwire.h"

#include "base/test.h"

#define PORT 4000

static struct {
    struct frame sent; // the last frame of the machine, but for ARP
    struct frame query; // the last question for a name, over IPv4
    struct net_addr from;
    uint8_t data[4096]; // what a socket got
    size_t len;
    unsigned datagrams;
    bool connected;
    int failure; // of the connection
} t;

static int wire_send(void *ctx, const void *frame, size_t len)
{
    if (asked_for(frame)) {
        struct frame f = peer_has(frame);
        wire_put(&f);
        return 0;
    }
    memcpy(t.sent.bytes, frame, len);
    t.sent.len = len;
    if (load16_be(t.sent.bytes + 12) == 0x0800 && len > ETH + 28 && t.sent.bytes[ETH + 9] == 17 && load16_be(t.sent.bytes + ETH + 22) == 53)
        t.query = t.sent;
    return 0;
}

static UNUSED void set_up(void)
{
    static bool done;
    wire.queued = t.datagrams = 0;
    t.len = t.sent.len = 0;
    if (!done)
        wire_start(wire_send);
    done = true;
}

// One IP packet, or a fragment of one: `offset` is in bytes, `more` says that it is not the last.
static struct frame ip_packet(bool v6, uint8_t proto, const uint8_t *payload, size_t len, size_t offset, bool more)
{
    struct frame f = from_peer(v6 ? 0x86dd : 0x0800);
    uint8_t *ip = f.bytes + ETH;
    bool fragment = offset || more;
    if (v6) {
        ip[0] = 0x60;
        store16_be(ip + 4, (uint16_t)(len + (fragment ? 8 : 0)));
        ip[6] = fragment ? 44 : proto;
        ip[7] = 64;
        memcpy(ip + 8, peer_ip6, 16);
        memcpy(ip + 24, own_ip6, 16);
        ip += 40;
        if (fragment) {
            ip[0] = proto;
            store16_be(ip + 2, (uint16_t)(offset | more));
            ip[7] = 99;
            ip += 8;
        }
    } else {
        ip[0] = 0x45;
        store16_be(ip + 2, (uint16_t)(20 + len));
        ip[5] = 99;
        store16_be(ip + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
        ip[8] = 64;
        ip[9] = proto;
        memcpy(ip + 12, peer_ip4, 4);
        memcpy(ip + 16, own_ip4, 4);
        store16_be(ip + 10, (uint16_t)~sum_up(0, ip, 20));
        ip += 20;
    }
    memcpy(ip, payload, len);
    f.len = (size_t)(ip - f.bytes) + len;
    return f;
}

static uint32_t pseudo(bool v6, uint8_t proto, size_t len)
{
    uint32_t s = v6 ? sum_up(sum_up(0, peer_ip6, 16), own_ip6, 16) : sum_up(sum_up(0, peer_ip4, 4), own_ip4, 4);
    return s + proto + (uint32_t)len;
}

static UNUSED size_t udp(uint8_t *out, bool v6, uint16_t port, const uint8_t *data, size_t len)
{
    store16_be(out, 5555);
    store16_be(out + 2, port);
    store16_be(out + 4, (uint16_t)(8 + len));
    store16_be(out + 6, 0);
    memcpy(out + 8, data, len);
    store16_be(out + 6, (uint16_t)~sum_up(pseudo(v6, 17, 8 + len), out, 8 + len));
    return 8 + len;
}

static UNUSED void got(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    t.datagrams++;
    t.from = *from;
    t.len = len;
    memcpy(t.data, data, len);
}

static UNUSED void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + i / 256 + 7);
}

static UNUSED bool as_sent(bool v6, const uint8_t *data, size_t len)
{
    struct net_addr peer = v6 ? (struct net_addr){ 0 } : net_addr_v4(peer_ip4, 0);
    if (v6)
        memcpy(peer.ip, peer_ip6, 16);
    return t.len == len && memcmp(t.data, data, len) == 0 && t.from.port == 5555 && t.from.zone == 1 &&
           memcmp(t.from.ip, peer.ip, 16) == 0;
}

static UNUSED size_t echo(uint8_t *out, bool v6, const uint8_t *data, size_t len)
{
    memset(out, 0, 8);
    out[0] = v6 ? 128 : 8;
    memcpy(out + 8, data, len);
    store16_be(out + 2, (uint16_t)~sum_up(v6 ? pseudo(true, 58, 8 + len) : 0, out, 8 + len));
    return 8 + len;
}

static UNUSED bool echoed(bool v6, const uint8_t *data, size_t len)
{
    const uint8_t *icmp = t.sent.bytes + ETH + (v6 ? 40 : 20);
    return t.sent.len == ETH + (v6 ? 48 : 28) + len && icmp[0] == (v6 ? 129 : 0) && memcmp(icmp + 8, data, len) == 0;
}

// A port that is closed to what is in `sent`: the peer quotes the first `quoted` bytes behind the Ethernet header.
static UNUSED struct frame closed(bool v6, const struct frame *sent, size_t quoted)
{
    uint8_t icmp[600] = { v6 ? 1 : 3, v6 ? 4 : 3 };
    quoted = MIN(quoted, sent->len - ETH);
    memcpy(icmp + 8, sent->bytes + ETH, quoted);
    store16_be(icmp + 2, (uint16_t)~sum_up(v6 ? pseudo(true, 58, 8 + quoted) : 0, icmp, 8 + quoted));
    return ip_packet(v6, v6 ? 58 : 1, icmp, 8 + quoted, 0, false);
}

static UNUSED void tcp_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
    t.failure = err;
    if (event == NET_TCP_CONNECTED)
        t.connected = true;
    if (event == NET_TCP_DATA && t.len + len <= sizeof t.data) {
        memcpy(t.data + t.len, data, len);
        t.len += len;
    }
}

static UNUSED void segment(bool v6, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *data, size_t len)
{
    uint8_t packet[1024] = { 0 };
    store16_be(packet, 80);
    store16_be(packet + 2, port);
    store32_be(packet + 4, seq);
    store32_be(packet + 8, ack);
    packet[12] = 5 << 4;
    packet[13] = flags;
    store16_be(packet + 14, 8192);
    memcpy(packet + 20, data, len);
    store16_be(packet + 16, (uint16_t)~sum_up(pseudo(v6, 6, 20 + len), packet, 20 + len));
    struct frame f = ip_packet(v6, 6, packet, 20 + len, 0, false);
    wire_put(&f);
    drain();
}
