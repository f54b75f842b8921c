// SPDX-License-Identifier: MPL-2.0
// TCP of the machine's, segment by segment.
#include "host/testpackets.h"

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
    store16_be(packet + 16, (uint16_t)~sum_up(pseudo(false, 6, sizeof packet), packet, sizeof packet));
    struct frame f = ip_packet(false, 6, packet, sizeof packet, 0, false);
    wire_put(&f);
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
        CHECK(t.sent.bytes[head] == 2, t.sent.bytes[head + 1] == 4); // the option with the segment's size comes first
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
    net_set_ipv4(0, no_ip4, no_ip4, no_ip4);
    CHECK_EQ(net_tcp_connect(&peer, tcp_event, NULL, &tcp), ERR_NET_NO_ADDRESS);
    CHECK(!tcp);
    net_set_ipv4(0, own_ip4, wire_mask, no_ip4);
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
        wire.machine.now_us += 500000;
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
            CHECK(t.len == 4, memcmp(t.data, "file", 4) == 0);
            segment(false, port, RST, 1005, ack + 3, head, 0);
        }
        net_tcp_close(tcp);
        drain();
    }
}

TEST_MAIN(T(segments_out_of_order_are_kept), T(segment_size_belongs_to_the_syn), T(segments_leave_room_for_a_tag),
          T(failures_of_a_connection_are_told_apart), T(silent_peers_leave_room))
