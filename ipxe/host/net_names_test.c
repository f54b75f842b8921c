// SPDX-License-Identifier: MPL-2.0
// Names that the machine asks for, and name servers: which are asked, and what of their answers counts.
#include "host/testpackets.h"

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
    store16_be(f.bytes + ETH + 10, (uint16_t)~sum_up(0, f.bytes + ETH, 20));
    wire_put(&f);
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
    CHECK(memcmp(ret[0].ip, v6[0], 16) == 0, memcmp(ret[1].ip, v6[1], 16) == 0);
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
    CHECK(net_addr_equal(&ret[0], &first), net_addr_equal(&ret[1], &second));
    answer_cut(ask_name("all.example", false), v4[0], 1, 4, 1);
    CHECK_EQ(net_resolve("all.example", false, ret), ERR_TIMED_OUT);
}

// A router's advertisement (RFC 4861 4.2) that names a name server (RFC 8106 5.1) for so many seconds.
static void advertise(const uint8_t server[16], uint32_t lifetime_s)
{
    uint8_t ra[40] = { 134, [4] = 64, [16] = 25, 3 };
    store32_be(ra + 20, lifetime_s);
    memcpy(ra + 24, server, 16);
    store16_be(ra + 2, (uint16_t)~sum_up(pseudo(true, 58, sizeof ra), ra, sizeof ra));
    struct frame f = ip_packet(true, 58, ra, sizeof ra, 0, false);
    f.bytes[ETH + 7] = 255;
    wire_put(&f);
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
    CHECK(net_has_dns(), asks("1.example", router, 16));
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
    net_set_ipv4(0, own_ip4, wire_mask, no_ip4);
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
    wire_put(&f);
    drain();
    CHECK_EQ(net_resolve("closed.example", false, ret), ERR_TIMED_OUT);
    f = closed(false, &t.sent, 500);
    wire_put(&f);
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
        wire_put(&f);
        drain();
        CHECK(memcmp(t.sent.bytes + ETH + 16, other_ip, 4) == 0);
        CHECK_EQ(net_resolve(name, false, ret), ERR_TIMED_OUT);
        answer_name(&t.sent, found_ip, (unsigned)known, 4);
        CHECK_EQ(net_resolve(name, false, ret), known ? 1 : ERR_DNS_FAILED);
    }
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
}

TEST_MAIN(T(late_answer_is_no_other_names), T(families_of_a_name_are_told_apart), T(every_address_of_a_name_is_given),
          T(a_bad_record_costs_no_good_ones), T(name_servers_that_refuse), T(name_servers_of_a_router_come_last))
