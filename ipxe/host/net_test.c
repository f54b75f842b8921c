// SPDX-License-Identifier: MPL-2.0
// Received frames on their way through net/ and lwIP: every frame has memory of its own that is gone when the next one is
// asked for, so that the sanitizers see whatever is kept of it and was not copied.
#include "host/host.h"
#include "net/net.h"

#include "base/bytes.h"
#include "base/test.h"

#define ETH 14
#define PORT 4000
#define QUEUE 8

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, peer_mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t own_ip4[4] = { 10, 0, 0, 2 }, peer_ip4[4] = { 10, 0, 0, 1 }, mask[4] = { 255, 255, 255, 0 }, none[4];
static const uint8_t own_ip6[16] = { 0xfe, 0x80, [8] = 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 };
static const uint8_t peer_ip6[16] = { 0xfe, 0x80, [15] = 1 };

struct frame {
    uint8_t bytes[FRAME_RECEIVE_MAX];
    size_t len;
};

static struct {
    struct host_machine machine;
    struct frame queue[QUEUE]; // towards the machine
    unsigned queued;
    struct frame sent; // the last frame of the machine, but for ARP
    struct net_addr from;
    uint8_t data[4096]; // what a socket got
    size_t len;
    unsigned datagrams;
    bool connected;
    int failure; // of the connection
} t;

static void put(const struct frame *f)
{
    t.queue[t.queued++] = *f;
}

static struct frame ethernet(uint16_t type)
{
    struct frame f = { .len = ETH };
    memcpy(f.bytes, own_mac, 6);
    memcpy(f.bytes + 6, peer_mac, 6);
    store16_be(f.bytes + 12, type);
    return f;
}

static struct frame neighbor(const uint8_t target[16]);

static int wire_send(void *ctx, const void *frame, size_t len)
{
    const uint8_t *in = frame;
    if (load16_be(in + 12) == 0x86dd && in[ETH + 6] == 58 && in[ETH + 40] == 135) {
        struct frame f = neighbor(in + ETH + 48);
        put(&f);
        return 0;
    }
    if (load16_be(in + 12) == 0x0806) { // who has: the peer has
        struct frame f = ethernet(0x0806);
        memcpy(f.bytes + ETH, in + ETH, 8);
        f.bytes[ETH + 7] = 2;
        memcpy(f.bytes + ETH + 8, peer_mac, 6);
        memcpy(f.bytes + ETH + 14, in + ETH + 24, 4);
        memcpy(f.bytes + ETH + 18, in + ETH + 8, 10);
        f.len = 60;
        put(&f);
        return 0;
    }
    memcpy(t.sent.bytes, frame, len);
    t.sent.len = len;
    return 0;
}

static int wire_receive(void *ctx, void *buf, size_t cap)
{
    if (!t.queued)
        return 0;
    size_t len = t.queue[0].len;
    memcpy(buf, t.queue[0].bytes, len);
    memmove(t.queue, t.queue + 1, --t.queued * sizeof *t.queue);
    return (int)len;
}

static void drain(void)
{
    while (net_poll() > 0)
        ;
}

static void set_up(void)
{
    static bool done;
    t.queued = t.datagrams = 0;
    t.len = t.sent.len = 0;
    if (done)
        return;
    done = true;
    host_init(&t.machine);
    t.machine.random_state = 1;
    t.machine.wire = (struct host_wire){ .send = wire_send, .receive = wire_receive };
    if (net_start(&t.machine.platform) != 0 || net_open(0) != 0)
        abort();
    net_set_ipv4(0, own_ip4, mask, none);
    drain();
}

static uint16_t sum(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

// One IP packet, or a fragment of one: `offset` is in bytes, `more` says that it is not the last.
static struct frame ip_packet(bool v6, uint8_t proto, const uint8_t *payload, size_t len, size_t offset, bool more)
{
    struct frame f = ethernet(v6 ? 0x86dd : 0x0800);
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
        store16_be(ip + 10, (uint16_t)~sum(0, ip, 20));
        ip += 20;
    }
    memcpy(ip, payload, len);
    f.len = (size_t)(ip - f.bytes) + len;
    return f;
}

static uint32_t pseudo(bool v6, uint8_t proto, size_t len)
{
    uint32_t s = v6 ? sum(sum(0, peer_ip6, 16), own_ip6, 16) : sum(sum(0, peer_ip4, 4), own_ip4, 4);
    return s + proto + (uint32_t)len;
}

// The peer's neighbour advertisement (RFC 4861 4.4), for an address that it is asked for.
static struct frame neighbor(const uint8_t target[16])
{
    uint8_t na[32] = { 136, [4] = 0x60, [24] = 2, 1 };
    memcpy(na + 8, target, 16);
    memcpy(na + 26, peer_mac, 6);
    store16_be(na + 2, (uint16_t)~sum(pseudo(true, 58, sizeof na), na, sizeof na));
    struct frame f = ip_packet(true, 58, na, sizeof na, 0, false);
    f.bytes[ETH + 7] = 255;
    return f;
}

static size_t udp(uint8_t *out, bool v6, uint16_t port, const uint8_t *data, size_t len)
{
    store16_be(out, 5555);
    store16_be(out + 2, port);
    store16_be(out + 4, (uint16_t)(8 + len));
    store16_be(out + 6, 0);
    memcpy(out + 8, data, len);
    store16_be(out + 6, (uint16_t)~sum(pseudo(v6, 17, 8 + len), out, 8 + len));
    return 8 + len;
}

static void got(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    t.datagrams++;
    t.from = *from;
    t.len = len;
    memcpy(t.data, data, len);
}

static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + i / 256 + 7);
}

static bool as_sent(bool v6, const uint8_t *data, size_t len)
{
    struct net_addr peer = v6 ? (struct net_addr){ 0 } : net_addr_v4(peer_ip4, 0);
    if (v6)
        memcpy(peer.ip, peer_ip6, 16);
    return t.len == len && memcmp(t.data, data, len) == 0 && t.from.port == 5555 && t.from.zone == 1 &&
           memcmp(t.from.ip, peer.ip, 16) == 0;
}

TEST(datagrams_arrive_whole)
{
    uint8_t data[1400], packet[1408];
    fill(data, sizeof data);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t len = 0; len <= sizeof data; len += len < 40 ? 1 : 97) {
            struct frame f = ip_packet(v6, 17, packet, udp(packet, v6, PORT, data, len), 0, false);
            f.len = MAX(f.len, (size_t)60); // Ethernet pads what is shorter
            t.datagrams = 0;
            put(&f);
            drain();
            CHECK_EQ(t.datagrams, 1);
            CHECK(as_sent(v6, data, len));
        }
    net_udp_close(socket);
}

// The source port of a datagram from a socket on any port.
static uint16_t port_of(struct net_udp *socket)
{
    struct net_addr peer = net_addr_v4(peer_ip4, 5555);
    if (net_udp_send(socket, &peer, "x", 1) != 0)
        return 0;
    drain();
    return load16_be(t.sent.bytes + ETH + 20);
}

TEST(ports_are_not_guessed)
{
    enum { ROUNDS = 64 };
    uint16_t last = 0;
    unsigned near = 0;
    set_up();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct net_udp *socket = net_udp_open(0, got, NULL);
        uint16_t port = port_of(socket);
        CHECK(port >= 49152);
        near += port - last < 256 && last - port < 256;
        last = port;
        net_udp_close(socket);
    }
    CHECK(near < ROUNDS / 4);
    // Chance says the same port twice.
    struct net_udp *sockets[2];
    for (unsigned i = 0; i < ARRAY_SIZE(sockets); i++) {
        t.machine.random_state = 77;
        sockets[i] = net_udp_open(0, got, NULL);
        CHECK(sockets[i]);
    }
    CHECK(port_of(sockets[0]) != port_of(sockets[1]));
    for (unsigned i = 0; i < ARRAY_SIZE(sockets); i++)
        net_udp_close(sockets[i]);
}

// What the checksums cover cannot arrive changed; what they do not (hop limit, traffic class, flow label) changes nothing.
TEST(one_wrong_bit_is_seen)
{
    uint8_t data[40], packet[48];
    fill(data, sizeof data);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    for (int v6 = 0; v6 < 2; v6++) {
        struct frame f = ip_packet(v6, 17, packet, udp(packet, v6, PORT, data, sizeof data), 0, false);
        for (size_t bit = 12 * 8; bit < f.len * 8; bit++) {
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            t.datagrams = 0;
            put(&f);
            drain();
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            bool covered = v6 ? bit / 8 < ETH || bit / 8 >= ETH + 4 : true;
            if (v6 && bit / 8 == ETH + 7)
                covered = false;
            if (covered)
                CHECK_EQ(t.datagrams, 0);
            else
                CHECK(t.datagrams == 0 || as_sent(v6, data, sizeof data));
        }
        // Shorter than it says.
        for (size_t cut = 1; cut < f.len - 12; cut++) {
            struct frame shorter = f;
            shorter.len -= cut;
            put(&shorter);
            drain();
            CHECK_EQ(t.datagrams, 0);
        }
    }
    net_udp_close(socket);
}

TEST(what_is_for_others_is_not_taken)
{
    uint8_t data[40], packet[48];
    fill(data, sizeof data);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    size_t len = udp(packet, false, PORT, data, sizeof data);
    struct frame f = ip_packet(false, 17, packet, len, 0, false);
    uint8_t *ip = f.bytes + ETH;
    store16_be(ip + 26, 0); // without a checksum of its own, which IPv4 allows
    put(&f);
    drain();
    CHECK_EQ(t.datagrams, 1);
    // To another host; from a group; from everyone.
    static const struct { size_t at; uint8_t address[4]; } wrong[] = { { 16, { 10, 0, 0, 3 } }, { 12, { 224, 0, 0, 1 } }, { 12, { 10, 0, 0, 255 } } };
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct frame g = f;
        ip = g.bytes + ETH;
        memcpy(ip + wrong[i].at, wrong[i].address, 4);
        store16_be(ip + 10, 0);
        store16_be(ip + 10, (uint16_t)~sum(0, ip, 20));
        put(&g);
        drain();
        CHECK_EQ(t.datagrams, 1);
    }
    net_udp_close(socket);
}

TEST(fragments_are_kept_until_the_last_one)
{
    enum { PIECE = 400, PIECES = 4 };
    static const unsigned orders[][PIECES] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 2, 0, 3, 1 }, { 1, 3, 0, 2 } };
    uint8_t data[PIECE * PIECES - 8 - 100], packet[PIECE * PIECES];
    fill(data, sizeof data);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    for (int v6 = 0; v6 < 2; v6++)
        for (unsigned o = 0; o < ARRAY_SIZE(orders); o++) {
            size_t len = udp(packet, v6, PORT, data, sizeof data);
            t.datagrams = 0;
            for (unsigned i = 0; i < PIECES; i++) {
                unsigned n = orders[o][i];
                struct frame f = ip_packet(v6, 17, packet + n * PIECE, MIN((size_t)PIECE, len - n * PIECE), n * PIECE, n + 1 < PIECES);
                put(&f);
                drain();
                CHECK_EQ(t.datagrams, i + 1 == PIECES);
            }
            CHECK(as_sent(v6, data, sizeof data));
        }
    net_udp_close(socket);
}

// lwIP goes back from the UDP header to IP's, and sends both.
TEST(closed_port_is_answered_with_the_packets_head)
{
    uint8_t data[40], packet[48];
    fill(data, sizeof data);
    set_up();
    for (int i = 0; i < 2; i++) { // the first one asks for the peer's hardware address
        struct frame f = ip_packet(false, 17, packet, udp(packet, false, PORT + 1, data, sizeof data), 0, false);
        put(&f);
        drain();
        const uint8_t *icmp = t.sent.bytes + ETH + 20;
        CHECK_EQ(t.sent.bytes[ETH + 9], 1);
        CHECK(icmp[0] == 3 && icmp[1] == 3);
        CHECK(memcmp(icmp + 8, f.bytes + ETH, 28) == 0);
    }
}

// --- TCP ---

static void tcp_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
    t.failure = err;
    if (event == NET_TCP_CONNECTED)
        t.connected = true;
    if (event == NET_TCP_DATA && t.len + len <= sizeof t.data) {
        memcpy(t.data + t.len, data, len);
        t.len += len;
    }
}

static void segment(bool v6, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *data, size_t len)
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
    store16_be(packet + 16, (uint16_t)~sum(pseudo(v6, 6, 20 + len), packet, 20 + len));
    struct frame f = ip_packet(v6, 6, packet, 20 + len, 0, false);
    put(&f);
    drain();
}

TEST(segments_out_of_order_are_kept)
{
    enum { SIZE = 300, SEGMENTS = 5, SYN = 2, PSH = 8, ACK = 16, RST = 4 };
    static const unsigned orders[][SEGMENTS] = { { 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 4, 1, 3, 0 }, { 3, 1, 4, 2, 0 }, { 1, 0, 4, 3, 2 } };
    uint8_t data[SIZE * SEGMENTS];
    fill(data, sizeof data);
    set_up();
    for (unsigned o = 0; o < ARRAY_SIZE(orders); o++) {
        struct net_addr peer = net_addr_v4(peer_ip4, 80);
        t.len = 0;
        t.connected = false;
        struct net_tcp *tcp;
        CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
        CHECK(tcp);
        drain();
        uint8_t *head = t.sent.bytes + ETH + 20;
        uint16_t port = load16_be(head);
        uint32_t ack = load32_be(head + 4) + 1, seq = 0xfffffe00; // wraps on the way
        CHECK_EQ(head[13], SYN);
        segment(false, port, SYN | ACK, seq++, ack, data, 0);
        CHECK(t.connected);
        for (unsigned i = 0; i < SEGMENTS; i++) {
            unsigned n = orders[o][i];
            // A little of the next one as well, so that what is kept has to be cut.
            size_t len = MIN((size_t)SIZE + 10, sizeof data - n * SIZE);
            segment(false, port, PSH | ACK, seq + n * SIZE, ack, data + n * SIZE, len);
        }
        CHECK_EQ(t.len, sizeof data);
        CHECK(memcmp(t.data, data, sizeof data) == 0);
        segment(false, port, RST, seq + sizeof data, ack, data, 0);
        net_tcp_close(tcp);
    }
}

// --- what no frame may do ---

static size_t echo(uint8_t *out, bool v6, const uint8_t *data, size_t len)
{
    memset(out, 0, 8);
    out[0] = v6 ? 128 : 8;
    memcpy(out + 8, data, len);
    store16_be(out + 2, (uint16_t)~sum(v6 ? pseudo(true, 58, 8 + len) : 0, out, 8 + len));
    return 8 + len;
}

static bool echoed(bool v6, const uint8_t *data, size_t len)
{
    const uint8_t *icmp = t.sent.bytes + ETH + (v6 ? 40 : 20);
    return t.sent.len == ETH + (v6 ? 48 : 28) + len && icmp[0] == (v6 ? 129 : 0) && memcmp(icmp + 8, data, len) == 0;
}

TEST(pings_are_answered)
{
    uint8_t data[1400], packet[1408];
    fill(data, sizeof data);
    set_up();
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t len = 0; len <= sizeof data; len += 200) {
            struct frame f = ip_packet(v6, v6 ? 58 : 1, packet, echo(packet, v6, data, len), 0, false);
            for (int i = 0; i < 2; i++) { // the first one asks for the peer's hardware address
                put(&f);
                drain();
            }
            CHECK(echoed(v6, data, len));
        }
}

static void tag(struct frame *f, uint16_t type, uint16_t value)
{
    memmove(f->bytes + 16, f->bytes + 12, f->len - 12);
    f->len += 4;
    store16_be(f->bytes + 12, type);
    store16_be(f->bytes + 14, value);
}

TEST(priority_tag_is_no_tag)
{
    uint8_t whole[1472], packet[1480];
    fill(whole, sizeof whole);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    static const struct { uint16_t type, tag; bool taken; } tags[] =
        { { 0x8100, 0, true }, { 0x8100, 0xa000, true }, { 0x8100, 0xa005, false }, { 0x8100, 5, false } };
    for (unsigned i = 0; i < ARRAY_SIZE(tags); i++)
        for (int v6 = 0; v6 < 2; v6++)
            for (int ping = 0; ping < 2; ping++) {
                size_t size = sizeof whole - (v6 ? 20 : 0); // as long as a frame can be
                size_t len = ping ? echo(packet, v6, whole, size) : udp(packet, v6, PORT, whole, size);
                struct frame f = ip_packet(v6, ping ? (v6 ? 58 : 1) : 17, packet, len, 0, false);
                tag(&f, tags[i].type, tags[i].tag);
                CHECK_EQ(f.len, FRAME_RECEIVE_MAX);
                t.datagrams = 0;
                t.sent.len = 0;
                put(&f);
                drain();
                CHECK_EQ(ping ? echoed(v6, whole, size) : t.datagrams == 1 && as_sent(v6, whole, size), tags[i].taken);
            }
    net_udp_close(socket);
}

// ICMPv6 "packet too big" with less than the least MTU: fragments without room for data would be made for ever.
TEST(path_mtu_has_a_floor)
{
    static const uint32_t mtus[] = { 0, 40, 48, 50, 55, 56, 64, 1279, 1280 };
    uint8_t data[1400], packet[1408], big[8 + 40] = { 2 };
    struct net_addr peer = { .port = PORT, .zone = 1 }; // whom we talk to: of others nothing is kept
    fill(data, sizeof data);
    memcpy(peer.ip, peer_ip6, 16);
    set_up();
    struct net_udp *socket = net_udp_open(PORT, got, NULL);
    CHECK_EQ(net_udp_send(socket, &peer, data, 1), 0);
    drain();
    big[8] = 0x60;
    memcpy(big + 8 + 8, own_ip6, 16);
    memcpy(big + 8 + 24, peer_ip6, 16);
    for (unsigned i = 0; i < ARRAY_SIZE(mtus); i++) {
        store32_be(big + 4, mtus[i]);
        store16_be(big + 2, 0);
        store16_be(big + 2, (uint16_t)~sum(pseudo(true, 58, sizeof big), big, sizeof big));
        struct frame f = ip_packet(true, 58, big, sizeof big, 0, false);
        struct frame ping = ip_packet(true, 58, packet, echo(packet, true, data, sizeof data), 0, false);
        put(&ping);
        put(&f);
        put(&ping);
        drain();
        CHECK_EQ(t.sent.bytes[ETH + 6], 44); // in two pieces, and no more
        size_t first = 1280 - 48, rest = sizeof data + 8 - first;
        CHECK_EQ(t.sent.len, ETH + 48 + rest);
        CHECK(memcmp(t.sent.bytes + ETH + 48, data + first - 8, rest) == 0);
    }
    net_udp_close(socket);
}

// All ends of fragments are bounded: a chain longer than 64 KiB has no length in lwIP.
TEST(fragments_beyond_the_largest_packet)
{
    enum { PIECE = 1400 };
    uint8_t data[PIECE] = { 0 };
    set_up();
    unsigned long before = net_refused();
    for (int v6 = 0; v6 < 2; v6++) {
        for (size_t at = 0; at + PIECE < 65536; at += PIECE) {
            struct frame f = ip_packet(v6, 17, data, PIECE, at, true);
            put(&f);
            drain();
        }
        struct frame f = ip_packet(v6, 17, data, 14, 46 * PIECE + PIECE, true); // up to 65814
        put(&f);
        drain();
    }
    CHECK(net_refused() > before);
}

// RFC 9293 3.7.1: the segment size is agreed upon when the connection begins. A later one found data queued in larger pieces.
TEST(segment_size_belongs_to_the_syn)
{
    enum { SYN = 2, ACK = 16, RST = 4 };
    uint8_t data[1400];
    fill(data, sizeof data);
    set_up();
    struct net_addr peer = net_addr_v4(peer_ip4, 80);
    t.connected = false;
    struct net_tcp *tcp;
        CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
    CHECK_EQ(net_tcp_send(tcp, data, 100), ERR_INVALID); // not before it is connected
    drain();
    uint8_t *head = t.sent.bytes + ETH + 20;
    uint16_t port = load16_be(head);
    uint32_t ack = load32_be(head + 4) + 1, seq = 1000;
    segment(false, port, SYN | ACK, seq++, ack, data, 0);
    CHECK(t.connected);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(net_tcp_send(tcp, data, sizeof data), 0);
    uint8_t packet[24] = { 0, 80, [12] = 6 << 4, ACK, 32, 0, [20] = 2, 4, 0, 1 };
    store16_be(packet + 2, port);
    store32_be(packet + 4, seq);
    store32_be(packet + 8, ack);
    store16_be(packet + 16, (uint16_t)~sum(pseudo(false, 6, sizeof packet), packet, sizeof packet));
    struct frame f = ip_packet(false, 6, packet, sizeof packet, 0, false);
    put(&f);
    drain();
    CHECK_EQ(net_tcp_send(tcp, data, sizeof data), 0);
    segment(false, port, RST, seq, ack, data, 0);
    net_tcp_close(tcp);
}

// The longest frame that is asked for is no longer than FRAME_MAX with a priority tag, for the sake of cards that take no longer one.
TEST(segments_leave_room_for_a_tag)
{
    set_up();
    for (int v6 = 0; v6 < 2; v6++) {
        struct net_addr peer = net_addr_v4(peer_ip4, 80);
        if (v6)
            memcpy(peer.ip, peer_ip6, 16);
        peer.zone = 1;
        struct net_tcp *tcp;
        CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
        drain();
        size_t head = ETH + (v6 ? 40 : 20) + 20;
        CHECK(t.sent.bytes[head] == 2 && t.sent.bytes[head + 1] == 4); // the option with the segment's size comes first
        CHECK(head + load16_be(t.sent.bytes + head + 2) + 4 <= FRAME_MAX);
        net_tcp_close(tcp);
    }
}

TEST(failures_of_a_connection_are_told_apart)
{
    enum { SYN = 2, RST = 4, ACK = 16 };
    static const uint8_t far_ip[4] = { 192, 0, 2, 1 };
    set_up();
    struct net_addr peer = net_addr_v4(peer_ip4, 80), away = net_addr_v4(far_ip, 80), away6 = { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .port = 80 };
    struct net_tcp *tcp, *many[16];
    net_set_ipv4(0, none, none, none);
    CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), ERR_NET_NO_ADDRESS);
    CHECK(!tcp);
    net_set_ipv4(0, own_ip4, mask, none);
    CHECK_EQ(net_tcp_connect(&away6, tcp_event, NULL, &tcp), ERR_NET_NO_ADDRESS);
    CHECK_EQ(net_tcp_connect(&away, tcp_event, NULL, &tcp), ERR_NET_NO_ROUTE);
    for (int established = 0; established < 2; established++) {
        CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
        drain();
        uint8_t *head = t.sent.bytes + ETH + 20;
        uint16_t port = load16_be(head);
        uint32_t ack = load32_be(head + 4) + 1;
        if (established)
            segment(false, port, SYN | ACK, 1000, ack, head, 0);
        segment(false, port, RST | ACK, established ? 1001 : 0, ack, head, 0);
        CHECK_EQ(t.failure, established ? ERR_CONN_RESET : ERR_CONN_REFUSED);
    }
    unsigned count = 0;
    int err;
    while (count < ARRAY_SIZE(many) && (err = net_tcp_connect(&peer, tcp_event, NULL, &many[count])) == 0)
        count++;
    CHECK_EQ(err, ERR_NO_MEMORY);
    while (count > 0)
        net_tcp_close(many[--count]);
    CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
    t.failure = 0;
    for (unsigned i = 0; i < 600 && !t.failure; i++) {
        t.machine.now_us += 500000;
        drain();
    }
    CHECK_EQ(t.failure, ERR_TIMED_OUT);
}

// Hosts that fall silent once connected, before or behind the ACK of what was asked: lwIP says farewell to each for minutes.
TEST(silent_peers_leave_room)
{
    enum { ROUNDS = 20, SYN = 2, PSH = 8, ACK = 16, RST = 4 };
    set_up();
    struct net_addr peer = net_addr_v4(peer_ip4, 80);
    struct net_tcp *tcp;
    for (unsigned i = 0; i <= ROUNDS; i++) {
        t.connected = false;
        t.len = 0;
        CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), 0);
        drain();
        const uint8_t *head = t.sent.bytes + ETH + 20;
        uint16_t port = load16_be(head);
        uint32_t ack = load32_be(head + 4) + 1;
        CHECK_EQ(head[13], SYN);
        segment(false, port, SYN | ACK, 1000, ack, head, 0);
        CHECK(t.connected);
        CHECK_EQ(net_tcp_send(tcp, "GET", 3), 0);
        drain();
        if (i % 2)
            segment(false, port, ACK, 1001, ack + 3, head, 0);
        if (i == ROUNDS) { // the good one
            segment(false, port, PSH | ACK, 1001, ack + 3, (const uint8_t *)"file", 4);
            CHECK(t.len == 4 && memcmp(t.data, "file", 4) == 0);
            segment(false, port, RST, 1005, ack + 3, head, 0);
        }
        net_tcp_close(tcp);
        drain();
    }
}

// --- names ---

// The answer to the query in `query`, with so many addresses (of 4 or 16 bytes each), without its last `cut` bytes.
static void answer_cut(const struct frame *query, const uint8_t *addresses, unsigned count, uint16_t size, size_t cut)
{
    const uint8_t *in = query->bytes + ETH + 20;
    uint8_t packet[1024] = { 0 }, *dns = packet + 8;
    size_t len = load16_be(in + 4) - 8u, question = len;
    memcpy(dns, in + 8, len);
    store16_be(dns + 2, count ? 0x8180 : 0x8183);
    store16_be(dns + 6, (uint16_t)count);
    for (unsigned i = 0; i < count; i++, len += 12u + size) {
        store16_be(dns + len, 0xc00c);
        memcpy(dns + len + 2, dns + question - 4, 4); // type and class of the question
        store32_be(dns + len + 6, 60);
        store16_be(dns + len + 10, size);
        memcpy(dns + len + 12, addresses + i * size, size);
    }
    len -= cut;
    store16_be(packet, 53);
    memcpy(packet + 2, in, 2);
    store16_be(packet + 4, (uint16_t)(8 + len)); // no checksum of its own
    struct frame f = ip_packet(false, 17, packet, 8 + len, 0, false);
    memcpy(f.bytes + ETH + 12, query->bytes + ETH + 16, 4);
    store16_be(f.bytes + ETH + 10, 0);
    store16_be(f.bytes + ETH + 10, (uint16_t)~sum(0, f.bytes + ETH, 20));
    put(&f);
    drain();
}

static void answer_name(const struct frame *query, const uint8_t *addresses, unsigned count, uint16_t size)
{
    answer_cut(query, addresses, count, size, 0);
}

// Asks for a name: the query.
static const struct frame *ask_name(const char *name, bool v6)
{
    struct net_addr ret[NET_ADDRESSES_MAX];
    if (net_resolve(name, v6, ret) == ERR_TIMED_OUT)
        drain();
    return &t.sent;
}

static void set_up_names(void)
{
    set_up();
    struct net_addr server = net_addr_v4(peer_ip4, 53);
    net_set_dns(NET_DNS_SETTINGS, &server, 1);
}

TEST(late_answer_is_no_other_names)
{
    static const uint8_t first_ip[4] = { 10, 0, 0, 11 }, second_ip[4] = { 10, 0, 0, 22 };
    set_up_names();
    struct net_addr ret[NET_ADDRESSES_MAX], expected = net_addr_v4(second_ip, 0);
    struct frame first = *ask_name("first.example", false), second = *ask_name("second.example", false);
    answer_name(&first, first_ip, 1, 4);
    CHECK_EQ(net_resolve("second.example", false, ret), ERR_TIMED_OUT);
    answer_name(&second, second_ip, 1, 4);
    CHECK_EQ(net_resolve("second.example", false, ret), 1);
    CHECK(net_addr_equal(&ret[0], &expected));
}

// An answer to A is none to AAAA.
TEST(families_of_a_name_are_told_apart)
{
    static const uint8_t v4[4] = { 10, 0, 0, 11 }, v6[2][16] = { { 0xfd, 1, [15] = 1 }, { 0xfd, 1, [15] = 2 } };
    set_up_names();
    struct net_addr ret[NET_ADDRESSES_MAX];
    struct frame first = *ask_name("both.example", false), second = *ask_name("both.example", true);
    answer_name(&first, v4, 1, 4);
    CHECK_EQ(net_resolve("both.example", true, ret), ERR_TIMED_OUT);
    answer_name(&second, v6[0], 2, 16);
    CHECK_EQ(net_resolve("both.example", true, ret), 2);
    CHECK(memcmp(ret[0].ip, v6[0], 16) == 0 && memcmp(ret[1].ip, v6[1], 16) == 0);
}

TEST(every_address_of_a_name_is_given)
{
    static const uint8_t ips[6][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 }, { 10, 0, 0, 3 }, { 10, 0, 0, 4 }, { 10, 0, 0, 5 }, { 10, 0, 0, 6 } };
    static const uint8_t nowhere[4] = { 0 };
    struct net_addr ret[NET_ADDRESSES_MAX];
    set_up_names();
    for (unsigned count = 0; count <= ARRAY_SIZE(ips); count++) {
        answer_name(ask_name("many.example", false), ips[0], count, 4);
        int kept = (int)MIN(count, (unsigned)NET_ADDRESSES_MAX);
        CHECK_EQ(net_resolve("many.example", false, ret), kept ? kept : ERR_DNS_FAILED);
        for (int i = 0; i < kept; i++) {
            struct net_addr expected = net_addr_v4(ips[i], 0);
            CHECK(net_addr_equal(&ret[i], &expected));
        }
    }
    answer_name(ask_name("blocked.example", false), nowhere, 1, 4);
    CHECK_EQ(net_resolve("blocked.example", false, ret), ERR_DNS_FAILED);
}

// What comes before a bad record counts, and an address that is none is no last one.
TEST(a_bad_record_costs_no_good_ones)
{
    static const uint8_t v4[3][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } }, v6[3][16] = { { 0xfd, [15] = 1 }, { 0xfd, [15] = 2 } };
    static const uint8_t gap[3][4] = { { 0 }, { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
    struct net_addr ret[NET_ADDRESSES_MAX], first = net_addr_v4(v4[0], 0), second = net_addr_v4(v4[1], 0);
    set_up_names();
    for (int six = 0; six < 2; six++) {
        size_t record = six ? 28 : 16;
        for (size_t cut = 1; cut < 2 * record; cut++) {
            answer_cut(ask_name("cut.example", six), six ? v6[0] : v4[0], 3, six ? 16 : 4, cut);
            CHECK_EQ(net_resolve("cut.example", six, ret), cut <= record ? 2 : 1);
            CHECK(memcmp(ret[0].ip, six ? v6[0] : first.ip, 16) == 0);
        }
    }
    answer_name(ask_name("gap.example", false), gap[0], 3, 4);
    CHECK_EQ(net_resolve("gap.example", false, ret), 2);
    CHECK(net_addr_equal(&ret[0], &first) && net_addr_equal(&ret[1], &second));
    answer_cut(ask_name("all.example", false), v4[0], 1, 4, 1);
    CHECK_EQ(net_resolve("all.example", false, ret), ERR_TIMED_OUT);
}

// A port that is closed to what is in `sent`: the peer quotes the first `quoted` bytes behind the Ethernet header.
static struct frame closed(bool v6, const struct frame *sent, size_t quoted)
{
    uint8_t icmp[600] = { v6 ? 1 : 3, v6 ? 4 : 3 };
    quoted = MIN(quoted, sent->len - ETH);
    memcpy(icmp + 8, sent->bytes + ETH, quoted);
    store16_be(icmp + 2, (uint16_t)~sum(v6 ? pseudo(true, 58, 8 + quoted) : 0, icmp, 8 + quoted));
    return ip_packet(v6, v6 ? 58 : 1, icmp, 8 + quoted, 0, false);
}

static void refused(void *ctx, const struct net_addr *to)
{
    t.datagrams++;
    t.from = *to;
}

// Only what this machine has sent can be refused, and nothing else in it may be wrong.
TEST(refusals_reach_their_socket)
{
    set_up();
    struct net_udp *socket = net_udp_open(0, got, NULL);
    net_udp_on_refusal(socket, refused);
    for (int v6 = 0; v6 < 2; v6++) {
        struct net_addr peer = net_addr_v4(peer_ip4, 69);
        if (v6)
            memcpy(peer.ip, peer_ip6, 16);
        peer.zone = 1;
        for (int i = 0; i < 2; i++) { // the first one asks for the peer's hardware address
            CHECK_EQ(net_udp_send(socket, &peer, "question", 8), 0);
            drain();
        }
        size_t heads = (v6 ? 40 : 20) + 8;
        for (size_t quoted = heads - 1; quoted <= heads + 8; quoted++) {
            struct frame f = closed(v6, &t.sent, quoted);
            t.datagrams = 0;
            put(&f);
            drain();
            CHECK_EQ(t.datagrams, quoted >= heads);
            CHECK(!t.datagrams || memcmp(&t.from, &peer, sizeof peer) == 0);
        }
        struct frame f = closed(v6, &t.sent, heads);
        for (size_t bit = 12 * 8; bit < f.len * 8; bit++) {
            bool free = v6 && (bit / 8 < ETH + 4 || bit / 8 == ETH + 7) && bit / 8 >= ETH; // what IPv6 covers by no checksum
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            t.datagrams = 0;
            put(&f);
            drain();
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(free || t.datagrams == 0);
        }
        struct frame other = t.sent;
        other.bytes[ETH + heads - 7] ^= 1; // another port of ours
        f = closed(v6, &other, heads);
        t.datagrams = 0;
        put(&f);
        drain();
        CHECK_EQ(t.datagrams, 0);
    }
    net_udp_close(socket);
}

// A router's advertisement (RFC 4861 4.2) that names a name server (RFC 8106 5.1) for so many seconds.
static void advertise(const uint8_t server[16], uint32_t lifetime_s)
{
    uint8_t ra[40] = { 134, [4] = 64, [16] = 25, 3 };
    store32_be(ra + 20, lifetime_s);
    memcpy(ra + 24, server, 16);
    store16_be(ra + 2, (uint16_t)~sum(pseudo(true, 58, sizeof ra), ra, sizeof ra));
    struct frame f = ip_packet(true, 58, ra, sizeof ra, 0, false);
    f.bytes[ETH + 7] = 255;
    put(&f);
    drain();
}

static bool asks(const char *name, const uint8_t *ip, size_t size)
{
    t.sent.len = 0;
    const struct frame *query = ask_name(name, false);
    return query->len > ETH + 40 && memcmp(query->bytes + ETH + (size == 4 ? 16 : 24), ip, size) == 0;
}

// Whoever speaks last is not the one who is asked.
TEST(name_servers_of_a_router_come_last)
{
    static const uint8_t router[16] = { 0xfe, 0x80, [15] = 0x53 };
    static const uint8_t leased[16] = { 0xfe, 0x80, [15] = 0x54 };
    struct net_addr set = net_addr_v4(peer_ip4, 0), dhcp6 = { .zone = 1 };
    memcpy(dhcp6.ip, leased, 16);
    set_up();
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
    CHECK(!net_has_dns());
    advertise(router, 600);
    CHECK(net_has_dns() && asks("1.example", router, 16));
    net_set_dns(NET_DNS_DHCP6, &dhcp6, 1);
    CHECK(asks("2.example", leased, 16));
    net_set_dns(NET_DNS_SETTINGS, &set, 1);
    CHECK(asks("3.example", peer_ip4, 4));
    advertise(router, 600); // again, and the look-up at hand goes on
    CHECK(asks("4.example", peer_ip4, 4));
    net_set_dns(NET_DNS_SETTINGS, NULL, 0); // the lease ends, the others are still there
    CHECK(asks("5.example", leased, 16));
    net_set_dns(NET_DNS_DHCP6, NULL, 0);
    CHECK(asks("6.example", router, 16));
    advertise(router, 0);
    CHECK(!net_has_dns());
    for (uint8_t i = 0; i < 2 * NET_DNS_MAX; i++) // as many as there are
        advertise((const uint8_t[16]){ 0xfe, 0x80, [15] = i }, 600);
    net_set_dns(NET_DNS_SETTINGS, &set, 1);
    CHECK(asks("7.example", peer_ip4, 4));
    net_close(0); // what a closed card's router said is gone
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
    CHECK(!net_has_dns());
    CHECK_EQ(net_open(0), 0);
    net_set_ipv4(0, own_ip4, mask, none);
}

TEST(name_servers_that_refuse)
{
    static const uint8_t other_ip[4] = { 10, 0, 0, 3 }, found_ip[4] = { 10, 0, 0, 33 };
    set_up();
    struct net_addr servers[2] = { net_addr_v4(peer_ip4, 53), net_addr_v4(other_ip, 53) }, ret[NET_ADDRESSES_MAX];
    net_set_dns(NET_DNS_SETTINGS, servers, 1);
    CHECK_EQ(net_resolve("closed.example", false, ret), ERR_TIMED_OUT);
    drain();
    struct frame f = closed(false, &t.sent, 28); // without the question: it says too little
    put(&f);
    drain();
    CHECK_EQ(net_resolve("closed.example", false, ret), ERR_TIMED_OUT);
    f = closed(false, &t.sent, 500);
    put(&f);
    drain();
    CHECK_EQ(net_resolve("closed.example", false, ret), ERR_CONN_REFUSED);
    // The next server is asked at once, and what it says holds.
    for (int known = 0; known < 2; known++) {
        net_set_dns(NET_DNS_SETTINGS, servers, 2);
        const char *name = known ? "known.example" : "unknown.example";
        CHECK_EQ(net_resolve(name, false, ret), ERR_TIMED_OUT);
        drain();
        CHECK(memcmp(t.sent.bytes + ETH + 16, peer_ip4, 4) == 0);
        f = closed(false, &t.sent, 500);
        put(&f);
        drain();
        CHECK(memcmp(t.sent.bytes + ETH + 16, other_ip, 4) == 0);
        CHECK_EQ(net_resolve(name, false, ret), ERR_TIMED_OUT);
        answer_name(&t.sent, found_ip, (unsigned)known, 4);
        CHECK_EQ(net_resolve(name, false, ret), known ? 1 : ERR_DNS_FAILED);
    }
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
}

TEST_MAIN(T(datagrams_arrive_whole), T(ports_are_not_guessed), T(one_wrong_bit_is_seen), T(what_is_for_others_is_not_taken),
          T(fragments_are_kept_until_the_last_one), T(closed_port_is_answered_with_the_packets_head), T(segments_out_of_order_are_kept),
          T(pings_are_answered), T(priority_tag_is_no_tag), T(path_mtu_has_a_floor), T(fragments_beyond_the_largest_packet),
          T(segment_size_belongs_to_the_syn), T(segments_leave_room_for_a_tag),
          T(silent_peers_leave_room), T(failures_of_a_connection_are_told_apart), T(late_answer_is_no_other_names),
          T(families_of_a_name_are_told_apart), T(every_address_of_a_name_is_given),
          T(a_bad_record_costs_no_good_ones), T(refusals_reach_their_socket),
          T(name_servers_that_refuse), T(name_servers_of_a_router_come_last))
