// SPDX-License-Identifier: MPL-2.0
// Received datagrams and pings on their way through net/ and lwIP: every frame has memory of its own that is gone when the next
// one is asked for, so that the sanitizers see whatever is kept of it and was not copied.
#include "host/testpackets.h"

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
            wire_put(&f);
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
        wire.machine.random_state = 77;
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
            wire_put(&f);
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
            wire_put(&shorter);
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
    wire_put(&f);
    drain();
    CHECK_EQ(t.datagrams, 1);
    // To another host; from a group; from everyone.
    static const struct { size_t at; uint8_t address[4]; } wrong[] = { { 16, { 10, 0, 0, 3 } }, { 12, { 224, 0, 0, 1 } }, { 12, { 10, 0, 0, 255 } } };
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct frame g = f;
        ip = g.bytes + ETH;
        memcpy(ip + wrong[i].at, wrong[i].address, 4);
        store16_be(ip + 10, 0);
        store16_be(ip + 10, (uint16_t)~sum_up(0, ip, 20));
        wire_put(&g);
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
                wire_put(&f);
                drain();
                CHECK_EQ(t.datagrams, i + 1 == PIECES);
            }
            CHECK(as_sent(v6, data, sizeof data));
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
            wire_put(&f);
            drain();
        }
        struct frame f = ip_packet(v6, 17, data, 14, 46 * PIECE + PIECE, true); // up to 65814
        wire_put(&f);
        drain();
    }
    CHECK(net_refused() > before);
}

// lwIP goes back from the UDP header to IP's, and sends both.
TEST(closed_port_is_answered_with_the_packets_head)
{
    uint8_t data[40], packet[48];
    fill(data, sizeof data);
    set_up();
    for (int i = 0; i < 2; i++) { // the first one asks for the peer's hardware address
        struct frame f = ip_packet(false, 17, packet, udp(packet, false, PORT + 1, data, sizeof data), 0, false);
        wire_put(&f);
        drain();
        const uint8_t *icmp = t.sent.bytes + ETH + 20;
        CHECK_EQ(t.sent.bytes[ETH + 9], 1);
        CHECK(icmp[0] == 3, icmp[1] == 3);
        CHECK(memcmp(icmp + 8, f.bytes + ETH, 28) == 0);
    }
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
                wire_put(&f);
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
                wire_put(&f);
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
        store16_be(big + 2, (uint16_t)~sum_up(pseudo(true, 58, sizeof big), big, sizeof big));
        struct frame f = ip_packet(true, 58, big, sizeof big, 0, false);
        struct frame ping = ip_packet(true, 58, packet, echo(packet, true, data, sizeof data), 0, false);
        wire_put(&ping);
        wire_put(&f);
        wire_put(&ping);
        drain();
        CHECK_EQ(t.sent.bytes[ETH + 6], 44); // in two pieces, and no more
        size_t first = 1280 - 48, rest = sizeof data + 8 - first;
        CHECK_EQ(t.sent.len, ETH + 48 + rest);
        CHECK(memcmp(t.sent.bytes + ETH + 48, data + first - 8, rest) == 0);
    }
    net_udp_close(socket);
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
            wire_put(&f);
            drain();
            CHECK_EQ(t.datagrams, quoted >= heads);
            CHECK(!t.datagrams || memcmp(&t.from, &peer, sizeof peer) == 0);
        }
        struct frame f = closed(v6, &t.sent, heads);
        for (size_t bit = 12 * 8; bit < f.len * 8; bit++) {
            bool free = v6 && (bit / 8 < ETH + 4 || bit / 8 == ETH + 7) && bit / 8 >= ETH; // what IPv6 covers by no checksum
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            t.datagrams = 0;
            wire_put(&f);
            drain();
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(free || t.datagrams == 0);
        }
        struct frame other = t.sent;
        other.bytes[ETH + heads - 7] ^= 1; // another port of ours
        f = closed(v6, &other, heads);
        t.datagrams = 0;
        wire_put(&f);
        drain();
        CHECK_EQ(t.datagrams, 0);
    }
    net_udp_close(socket);
}

TEST_MAIN(T(datagrams_arrive_whole), T(ports_are_not_guessed), T(one_wrong_bit_is_seen), T(what_is_for_others_is_not_taken),
          T(fragments_are_kept_until_the_last_one), T(fragments_beyond_the_largest_packet),
          T(closed_port_is_answered_with_the_packets_head), T(pings_are_answered), T(priority_tag_is_no_tag),
          T(path_mtu_has_a_floor), T(refusals_reach_their_socket))
