// SPDX-License-Identifier: MPL-2.0
// A conversation keeps its two ends: a socket's datagrams to a host come from the address that the first one came from, whatever
// addresses and cards turn up meanwhile.
#include "host/testpackets.h"

#define SECOND_US 1000000u

static const uint8_t leased[16] = { 0xfd, 0x50, [15] = 0x42 };
static const struct net_addr server6 = { .ip = { 0xfd, 0x60, [15] = 9 }, .port = 69 };

static void pass(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        wire.machine.now_us += SECOND_US;
        drain();
    }
}

// A router's advertisement (RFC 4861 4.2) for as long as can be said, with the network fdNN::/64 on its link for so many seconds.
static void advertise(uint8_t network, uint32_t seconds)
{
    uint8_t ra[56] = { 134, [4] = 64, [6] = 0xff, 0xff, [16] = 1, 1 };
    const uint8_t prefix[32] = { 3, 4, 64, 0xc0, [16] = 0xfd, network };
    memcpy(ra + 18, peer_mac, 6);
    memcpy(ra + 24, prefix, sizeof prefix);
    store32_be(ra + 28, seconds);
    store32_be(ra + 32, seconds);
    store16_be(ra + 2, (uint16_t)~sum_up(pseudo(true, 58, sizeof ra), ra, sizeof ra));
    struct frame f = ip_packet(true, 58, ra, sizeof ra, 0, false);
    f.bytes[ETH + 7] = 255;
    wire_put(&f);
    drain();
    pass(4); // until the new address is known to be unique
}

static int say(struct net_udp *udp, const struct net_addr *to)
{
    t.sent.len = 0;
    int err = net_udp_send(udp, to, "x", 1);
    drain();
    return err;
}

// Where a datagram comes from, as its network's second byte; 0: none left.
static unsigned network_of(struct net_udp *udp, const struct net_addr *to)
{
    const uint8_t *ip = t.sent.bytes + ETH;
    if (say(udp, to) != 0 || t.sent.len < ETH + 48 || load16_be(ip - 2) != 0x86dd || ip[6] != 17 || memcmp(ip + 24, to->ip, 16) != 0)
        return 0;
    return ip[8] == 0xfd ? ip[9] : 1;
}

static void begin(void)
{
    static bool on;
    if (on)
        net_stop();
    on = true;
    wire.queued = 0;
    wire_start(wire_send);
    CHECK_EQ(net_add_ipv6(0, leased), 0);
    advertise(0x51, 0); // a router, and none of its addresses
}

TEST(an_advertisement_changes_no_source)
{
    begin();
    struct net_udp *old = net_udp_open(0, got, NULL), *new = net_udp_open(0, got, NULL);
    CHECK_EQ(network_of(old, &server6), 0x50);
    advertise(0x60, 10000); // the server's own network
    struct net_addr other_port = server6;
    other_port.port = 50000;
    CHECK_EQ(network_of(old, &server6), 0x50);
    CHECK_EQ(network_of(old, &other_port), 0x50); // RFC 1350 4: a transfer's port is chosen by the server
    CHECK_EQ(network_of(new, &server6), 0x60);
    net_udp_close(old);
    old = net_udp_open(0, got, NULL); // nothing of the socket before is left over
    CHECK_EQ(network_of(old, &server6), 0x60);
    net_udp_close(old);
    net_udp_close(new);
}

TEST(an_address_that_is_gone_is_not_used)
{
    begin();
    advertise(0x60, 10);
    struct net_udp *udp = net_udp_open(0, got, NULL);
    CHECK_EQ(network_of(udp, &server6), 0x60);
    pass(20);
    CHECK_EQ(network_of(udp, &server6), 0x50);
    net_udp_close(udp);
    // The whole card goes, and comes again with another one.
    udp = net_udp_open(0, got, NULL);
    CHECK_EQ(network_of(udp, &server6), 0x50);
    net_close(0);
    CHECK_EQ(say(udp, &server6), ERR_NET_NO_ADDRESS);
    CHECK_EQ(net_open(0), 0);
    advertise(0x61, 10000);
    CHECK_EQ(network_of(udp, &server6), 0x61);
    net_udp_close(udp);
}

// Who finds no answer wants another way: all of it is chosen anew.
TEST(a_doubt_chooses_anew)
{
    begin();
    struct net_udp *udp = net_udp_open(0, got, NULL);
    CHECK_EQ(network_of(udp, &server6), 0x50);
    advertise(0x60, 10000);
    CHECK_EQ(network_of(udp, &server6), 0x50);
    (void)net_doubt(&server6);
    CHECK_EQ(network_of(udp, &server6), 0x60);
    net_udp_close(udp);
}

TEST(more_hosts_than_are_remembered)
{
    begin();
    struct net_udp *udp = net_udp_open(0, got, NULL);
    struct net_addr to = server6;
    for (uint8_t i = 0; i < 8; i++) {
        to.ip[15] = (uint8_t)(100 + i);
        CHECK_EQ(network_of(udp, &to), 0x50);
    }
    advertise(0x60, 10000);
    for (uint8_t i = 0; i < 8; i++) {
        to.ip[15] = (uint8_t)(100 + i);
        CHECK_EQ(network_of(udp, &to), 0x50);
    }
    to.ip[15] = 200; // the ninth: the oldest one's place is its
    CHECK_EQ(network_of(udp, &to), 0x60);
    CHECK_EQ(network_of(udp, &to), 0x60);
    to.ip[15] = 101;
    CHECK_EQ(network_of(udp, &to), 0x50);
    to.ip[15] = 100;
    CHECK_EQ(network_of(udp, &to), 0x60);
    net_udp_close(udp);
}

// --- IPv4 has one address a card: what can change is the card, and its address ---

static struct {
    unsigned sent; // by the second card, but for IPv6
} second;

static int second_open(struct card *card)
{
    return 0;
}

static void second_close(struct card *card) {}

static int second_groups(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return 0;
}

static int second_send(struct card *card, const void *frame, size_t len)
{
    second.sent += load16_be((const uint8_t *)frame + 12) != 0x86dd;
    return 0;
}

static int second_receive(struct card *card, uint8_t **ret_frame)
{
    return 0;
}

static unsigned two_cards(void *ctx, struct card *ret[CARDS_MAX])
{
    static const struct card_ops ops = { second_open, second_close, NULL, second_groups, second_send, second_receive, NULL };
    static struct card card = { &ops, { .driver = "second", .mac = { 0x52, 0x54, 0, 0, 0, 2 }, .mtu = 1500 } };
    ret[0] = &wire.machine.card;
    ret[1] = &card;
    return 2;
}

static unsigned source4(struct net_udp *udp, const struct net_addr *to)
{
    const uint8_t *ip = t.sent.bytes + ETH;
    second.sent = 0;
    return say(udp, to) == 0 && !second.sent && t.sent.len >= ETH + 28 && load16_be(ip - 2) == 0x0800 ? ip[15] : 0;
}

TEST(another_card_takes_no_conversation)
{
    static const uint8_t second_ip[4] = { 10, 0, 1, 2 }, second_gateway[4] = { 10, 0, 1, 1 }, next_ip[4] = { 10, 0, 0, 3 };
    const struct net_addr far = net_addr_v4((const uint8_t[]){ 10, 9, 9, 9 }, 69);
    net_stop();
    wire.machine.platform.cards = two_cards;
    CHECK_EQ(net_start(&wire.machine.platform), 0);
    CHECK_EQ(net_open(0), 0);
    net_set_ipv4(0, own_ip4, wire_mask, peer_ip4);
    drain();
    struct net_udp *old = net_udp_open(0, got, NULL), *new = net_udp_open(0, got, NULL);
    CHECK_EQ(source4(old, &far), 2);
    CHECK_EQ(net_open(1), 0);
    net_set_ipv4(1, second_ip, wire_mask, second_gateway);
    // A leased route (option 121) sends that network by the second card.
    const struct dhcp_route route = { .net = { 10, 9 }, .prefix = 16, .gateway = { 10, 0, 1, 1 } };
    net_set_routes(1, &route, 1);
    CHECK_EQ(source4(old, &far), 2);
    CHECK_EQ(source4(new, &far), 0);
    CHECK(second.sent > 0);
    // Another lease in place of the first: its address is gone.
    net_set_ipv4(0, next_ip, wire_mask, peer_ip4);
    net_set_routes(1, NULL, 0);
    CHECK_EQ(source4(old, &far), 3);
    // The address stays and its gateway goes: one datagram finds that out.
    net_set_ipv4(0, next_ip, wire_mask, no_ip4);
    CHECK_EQ(say(old, &far), ERR_NET_NO_ROUTE);
    CHECK_EQ(say(old, &far), 0);
    CHECK_EQ(t.sent.len, 0); // the first card has sent nothing: it waits at the second one for the gateway's address
    net_udp_close(old);
    net_udp_close(new);
    net_stop();
}

TEST_MAIN(T(an_advertisement_changes_no_source), T(an_address_that_is_gone_is_not_used), T(a_doubt_chooses_anew),
          T(more_hosts_than_are_remembered), T(another_card_takes_no_conversation))
