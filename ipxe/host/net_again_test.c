// SPDX-License-Identifier: MPL-2.0
// The stack is started again and again in one process: for another machine each time, whose clock begins at zero. Nothing of the time
// before may be left, whether it was stopped or the power failed.
#include "host/testpackets.h"

#define ROUNDS 1000
#define TYPE 0x88a2
#define SOCKETS 8     // of UDP, all that there are
#define CONNECTIONS 4 // of TCP, likewise
#define SILENT 8      // the last byte of addresses that nobody has

static const uint8_t first_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, other_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x57 };
static const uint8_t elsewhere[4] = { 192, 0, 2, 1 };

static struct {
    unsigned asked, queries, syns; // what the machine sent: ARP's questions, DNS's, segments that begin a connection
    uint16_t query_port, query_id;
} seen;

static int watch(void *ctx, const void *frame, size_t len)
{
    const uint8_t *in = frame, *upper = in + ETH + 20;
    bool v4 = load16_be(in + 12) == 0x0800;
    seen.asked += load16_be(in + 12) == 0x0806;
    if (v4 && in[ETH + 9] == 6)
        seen.syns += upper[13] == 2;
    if (v4 && in[ETH + 9] == 17 && load16_be(upper + 2) == 53) {
        seen.queries++;
        seen.query_port = load16_be(upper);
        seen.query_id = load16_be(upper + 8);
    }
    const uint8_t *address = asked_for(frame);
    return address && address[load16_be(in + 12) == 0x0806 ? 3 : 15] == SILENT ? 0 : wire_send(ctx, frame, len);
}

static void ether_got(void *ctx, const uint8_t from[6], const uint8_t *data, size_t len)
{
    t.datagrams++;
}

// So much time passes on the machine's clock.
static void pass(uint64_t us)
{
    for (uint64_t end = wire.machine.now_us + us; wire.machine.now_us < end; wire.machine.now_us += 50000)
        drain();
}

static void start(const uint8_t mac[6])
{
    memset(&seen, 0, sizeof seen);
    wire.queued = wire.head = t.datagrams = 0;
    host_init(&wire.machine);
    memcpy(wire.machine.card.info.mac, mac, 6);
    wire.machine.random_state = 1;
    wire.machine.wire = (struct host_wire){ .send = watch, .receive = wire_receive };
}

// What a look-up of host.example at the peer comes to; the peer's answer may be kept for a day.
static int look_up(void)
{
    static const uint8_t answer[] = { 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 4, 'h', 'o', 's', 't', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1,
                                      0xc0, 0x0c, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 10, 0, 0, 7 };
    uint8_t packet[8 + 2 + sizeof answer] = { 0, 53 };
    struct net_addr server = net_addr_v4(peer_ip4, 53), ret[NET_ADDRESSES_MAX];
    net_set_dns(NET_DNS_SETTINGS, &server, 1);
    int count = net_resolve("host.example", false, ret);
    drain();
    if (count != PENDING)
        return count;
    store16_be(packet + 2, seen.query_port);
    store16_be(packet + 4, sizeof packet);
    store16_be(packet + 8, seen.query_id);
    memcpy(packet + 10, answer, sizeof answer);
    struct frame f = ip_packet(false, 17, packet, sizeof packet, 0, false);
    wire_put(&f);
    drain();
    return net_resolve("host.example", false, ret);
}

// Everything is begun and nothing ended: sockets, connections, a neighbour that is asked for, a look-up, a packet of which a half came.
static void leave_open(void)
{
    const struct net_addr peer = net_addr_v4(peer_ip4, 80), nobody = net_addr_v4((const uint8_t[]){ 10, 0, 0, SILENT }, 80);
    const struct dhcp_route route = { .prefix = 24, .net = { 192, 0, 2 }, .gateway = { 10, 0, 0, 9 } };
    const uint8_t data[64] = { 0 };
    struct net_addr ret[NET_ADDRESSES_MAX];
    struct net_udp *socket = NULL;
    struct net_tcp *tcp;
    for (unsigned i = 0; i < SOCKETS; i++)
        CHECK((socket = net_udp_open(i == 0 ? PORT : 0, got, NULL)));
    CHECK(!net_udp_open(0, got, NULL));
    for (unsigned i = 0; i < CONNECTIONS; i++)
        CHECK_EQ(net_tcp_connect(i & 1 ? &peer : &nobody, tcp_event, NULL, &tcp), 0);
    CHECK(net_ether_open(0, TYPE, ether_got, NULL));
    net_set_routes(0, &route, 1);
    net_set_search("example.net");
    CHECK_EQ(net_udp_send(socket, &(struct net_addr){ .ip = { 0xfe, 0x80, [15] = SILENT }, .port = 9, .zone = 1 }, data, sizeof data), 0);
    for (int v6 = 0; v6 < 2; v6++) {
        struct frame f = ip_packet(v6, 17, data, sizeof data, 0, true);
        wire_put(&f);
    }
    drain();
    CHECK_EQ(net_resolve("another.example", false, ret), PENDING);
}

// Is the stack as it is when it was never started before?
static void check_new(const uint8_t mac[6], unsigned round)
{
    char name[64];
    CHECK_EQ(net_nic_count(), 1);
    CHECK(!net_is_open(0), !net_has_dns(), memcmp(net_nic(0)->mac, mac, 6) == 0);
    CHECK_EQ(net_refused(), 0);
    CHECK(net_search_name("host", 0, name, sizeof name));
    CHECK_STR(name, "host");
    CHECK_EQ(net_open(0), 0);
    uint8_t ip[16], mask[4], gateway[4];
    CHECK(!net_get_ipv4(0, ip, mask, gateway));
    net_set_ipv4(0, own_ip4, wire_mask, no_ip4);
    drain();
    // The way to elsewhere is gone, and so is what was known of the peer: it is asked for again.
    struct net_addr to = net_addr_v4(elsewhere, 9), peer = net_addr_v4(peer_ip4, 9);
    struct net_udp *socket = net_udp_open(0, got, NULL);
    CHECK(socket);
    CHECK_EQ(net_udp_send(socket, &to, "x", 1), ERR_NET_NO_ROUTE);
    unsigned before = seen.asked;
    CHECK_EQ(net_udp_send(socket, &peer, "x", 1), 0);
    CHECK_EQ(seen.asked, before + 1);
    net_udp_close(socket);
    drain();
    // And the name, once.
    CHECK_EQ(look_up(), 1);
    CHECK_EQ(seen.queries, 1);
    // Nobody listens any more where a socket was.
    uint8_t packet[64], data[8] = { 0 };
    struct frame f = ip_packet(false, 17, packet, udp(packet, false, PORT, data, sizeof data), 0, false);
    wire_put(&f);
    drain();
    CHECK_EQ(t.datagrams, 0);
    // Timers go by the new clock: a segment that is lost is sent again.
    if (round % 16 == 0) {
        struct net_tcp *tcp;
        to = net_addr_v4(peer_ip4, 80);
        CHECK_EQ(net_tcp_connect(&to, tcp_event, NULL, &tcp), 0);
        pass(5000000);
        CHECK(seen.syns >= 2);
        net_tcp_close(tcp);
    }
}

TEST(nothing_is_left_of_the_time_before)
{
    for (unsigned round = 0; round < ROUNDS && !test_failures; round++) {
        const uint8_t *mac = round & 1 ? other_mac : first_mac;
        start(mac);
        CHECK_EQ(net_start(&wire.machine.platform), 0);
        check_new(mac, round);
        leave_open();
        if (round % 3) {
            net_stop();
            CHECK_EQ(net_nic_count(), 0);
            CHECK(!net_is_open(0), !net_has_dns());
        }
        CHECK_EQ(wire.machine.live_allocations, 0);
        host_free(&wire.machine);
    }
}

// All places that there are can be used each time: none stays with who had it before.
TEST(a_machine_without_a_card_in_between)
{
    for (unsigned round = 0; round < 10; round++) {
        start(first_mac);
        wire.machine.no_card = round & 1;
        CHECK_EQ(net_start(&wire.machine.platform), round & 1 ? ERR_NET_NO_CARD : 0);
        CHECK_EQ(net_nic_count(), round & 1 ? 0 : 1);
        CHECK_EQ(net_open(0), round & 1 ? ERR_NET_NO_CARD : 0);
        net_stop();
        net_stop();
        host_free(&wire.machine);
    }
}

TEST_MAIN(T(nothing_is_left_of_the_time_before), T(a_machine_without_a_card_in_between))
