// SPDX-License-Identifier: MPL-2.0
// Names that the machine asks for, and name servers: which are asked, and what of their answers counts.
#include "host/testpackets.h"

// How an answer differs from a good one.
struct oddity {
    uint16_t flags; // 0: those of an answer that has addresses, or of one that has none (RFC 1035 4.1.1)
    uint16_t number, port, to_port; // so much more than right, the answer's and its ports'
    uint8_t other;  // the last byte of the sender's address; 0: who was asked
    bool other_name;
    size_t cut;     // so many bytes less
};

// The answer to the query in `query`, with so many addresses (of 4 or 16 bytes each).
static void answer_oddly(const struct frame *query, const struct oddity *o, const uint8_t *addresses, unsigned count, uint16_t size)
{
    const uint8_t *in = query->bytes + ETH + 20;
    uint8_t packet[1024] = { 0 }, *dns = packet + 8;
    size_t len = load16_be(in + 4) - 8u, question = len;
    memcpy(dns, in + 8, len);
    store16_be(dns, (uint16_t)(load16_be(dns) + o->number));
    dns[13] ^= o->other_name;
    store16_be(dns + 2, o->flags ? o->flags : count ? 0x8180 : 0x8183);
    store16_be(dns + 6, (uint16_t)count);
    for (unsigned i = 0; i < count; i++, len += 12u + size) {
        store16_be(dns + len, 0xc00c);
        memcpy(dns + len + 2, dns + question - 4, 4); // type and class of the question
        store32_be(dns + len + 6, 60);
        store16_be(dns + len + 10, size);
        memcpy(dns + len + 12, addresses + i * size, size);
    }
    len -= o->cut;
    store16_be(packet, (uint16_t)(53 + o->port));
    store16_be(packet + 2, (uint16_t)(load16_be(in) + o->to_port));
    store16_be(packet + 4, (uint16_t)(8 + len)); // no checksum of its own
    struct frame f = ip_packet(false, 17, packet, 8 + len, 0, false);
    memcpy(f.bytes + ETH + 12, query->bytes + ETH + 16, 4);
    if (o->other)
        f.bytes[ETH + 15] = o->other;
    store16_be(f.bytes + ETH + 10, 0);
    store16_be(f.bytes + ETH + 10, (uint16_t)~sum_up(0, f.bytes + ETH, 20));
    wire_put(&f);
    drain();
}

static void answer_cut(const struct frame *query, const uint8_t *addresses, unsigned count, uint16_t size, size_t cut)
{
    answer_oddly(query, &(struct oddity){ .cut = cut }, addresses, count, size);
}

static void answer_name(const struct frame *query, const uint8_t *addresses, unsigned count, uint16_t size)
{
    answer_cut(query, addresses, count, size, 0);
}

// Asks for a name: the query.
static const struct frame *ask_name(const char *name, bool v6)
{
    struct net_addr ret[NET_ADDRESSES_MAX];
    if (net_resolve(name, v6, ret) == PENDING)
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
    CHECK_EQ(net_resolve("second.example", false, ret), PENDING);
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
    CHECK_EQ(net_resolve("both.example", true, ret), PENDING);
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
    CHECK_EQ(net_resolve("all.example", false, ret), PENDING);
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
    CHECK_EQ(net_resolve("closed.example", false, ret), PENDING);
    drain();
    struct frame f = closed(false, &t.sent, 28); // without the question: it says too little
    wire_put(&f);
    drain();
    CHECK_EQ(net_resolve("closed.example", false, ret), PENDING);
    f = closed(false, &t.sent, 500);
    wire_put(&f);
    drain();
    CHECK_EQ(net_resolve("closed.example", false, ret), ERR_CONN_REFUSED);
    // The next server is asked at once, and what it says holds.
    for (int known = 0; known < 2; known++) {
        net_set_dns(NET_DNS_SETTINGS, NULL, 0); // who answered last is forgotten
        net_set_dns(NET_DNS_SETTINGS, servers, 2);
        const char *name = known ? "known.example" : "unknown.example";
        CHECK_EQ(net_resolve(name, false, ret), PENDING);
        drain();
        CHECK(memcmp(t.sent.bytes + ETH + 16, peer_ip4, 4) == 0);
        f = closed(false, &t.sent, 500);
        wire_put(&f);
        drain();
        CHECK(memcmp(t.sent.bytes + ETH + 16, other_ip, 4) == 0);
        CHECK_EQ(net_resolve(name, false, ret), PENDING);
        answer_name(&t.sent, found_ip, (unsigned)known, 4);
        CHECK_EQ(net_resolve(name, false, ret), known ? 1 : ERR_DNS_FAILED);
    }
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
}

static const uint8_t right_ip[4] = { 10, 0, 0, 44 }, forged_ip[4] = { 10, 0, 0, 66 };

static bool only_the_right_one(const char *name)
{
    struct net_addr ret[NET_ADDRESSES_MAX], expected = net_addr_v4(right_ip, 0);
    return net_resolve(name, false, ret) == 1 && net_addr_equal(&ret[0], &expected);
}

// Who does not see the question guesses its number or its port; here one of the two is known, and the other is the only one not tried.
TEST(forged_answers_by_the_thousand)
{
    struct net_addr ret[NET_ADDRESSES_MAX];
    set_up_names();
    struct frame query = *ask_name("www.example", false);
    for (unsigned i = 1; i <= UINT16_MAX; i++) {
        answer_oddly(&query, &(struct oddity){ .number = (uint16_t)i }, forged_ip, 1, 4);
        answer_oddly(&query, &(struct oddity){ .to_port = (uint16_t)i }, forged_ip, 1, 4);
        CHECK_EQ(net_resolve("www.example", false, ret), PENDING);
    }
    static const struct oddity others[] = { { .other = 99 }, { .other_name = true }, { .flags = 0x0180 } };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        answer_oddly(&query, &others[i], forged_ip, 1, 4);
        CHECK_EQ(net_resolve("www.example", false, ret), PENDING);
    }
    answer_name(&query, right_ip, 1, 4);
    CHECK(only_the_right_one("www.example"));
}

#define SERVERS 3
static void set_servers(unsigned count)
{
    struct net_addr servers[SERVERS];
    for (uint8_t i = 0; i < count; i++)
        servers[i] = net_addr_v4((const uint8_t[]){ 10, 0, 0, (uint8_t)(53 + i) }, 53);
    set_up();
    net_set_dns(NET_DNS_SETTINGS, NULL, 0); // who answered last is forgotten
    net_set_dns(NET_DNS_SETTINGS, servers, count);
}

static unsigned asked(void)
{
    return t.query.bytes[ETH + 19] - 53u;
}

static void a_second_passes(void)
{
    wire.machine.now_us += 1000000;
    drain(); // asks who has the address
    drain();
}

// Who says no, or that his answer is cut off and gives none of it, has not the last word; the next one does. 3: no such name, 2: a
// fault of the server, 5: it refuses.
TEST(another_server_may_know)
{
    static const uint16_t flags[] = { 0x8183, 0x8182, 0x8185, 0x8380 };
    struct net_addr ret[NET_ADDRESSES_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        for (unsigned known = 0; known < 2; known++) {
            set_servers(2);
            (void)ask_name("a.example", false);
            CHECK_EQ(asked(), 0);
            answer_oddly(&t.query, &(struct oddity){ .flags = flags[i] }, right_ip, 0, 4);
            CHECK_EQ(asked(), 1);
            CHECK_EQ(net_resolve("a.example", false, ret), PENDING);
            answer_oddly(&t.query, &(struct oddity){ .flags = known ? 0 : flags[i] }, right_ip, known, 4);
            if (known)
                CHECK(only_the_right_one("a.example"));
            else
                CHECK_EQ(net_resolve("a.example", false, ret), ERR_DNS_FAILED);
        }
    // Cut off behind an address: that one is good.
    set_servers(2);
    answer_oddly(ask_name("b.example", false), &(struct oddity){ .flags = 0x8380 }, right_ip, 1, 4);
    CHECK(only_the_right_one("b.example"));
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
}

// Silent ones cost a second each, once: who has answered is asked first from then on. Late answers count.
TEST(silent_servers_are_passed_over)
{
    struct net_addr ret[NET_ADDRESSES_MAX];
    for (unsigned live = 0; live < SERVERS; live++) {
        set_servers(SERVERS);
        (void)ask_name("a.example", false);
        for (unsigned i = 0; i < live; i++) {
            CHECK_EQ(asked(), i);
            a_second_passes();
        }
        CHECK_EQ(asked(), live);
        answer_name(&t.query, right_ip, 1, 4);
        CHECK(only_the_right_one("a.example"));
        (void)ask_name("b.example", true);
        answer_name(&t.query, NULL, 0, 16); // no, says the one that is there: the others are asked
        for (unsigned i = 1; i < SERVERS; i++) {
            CHECK_EQ(net_resolve("b.example", true, ret), PENDING);
            CHECK_EQ(asked(), (live + i) % SERVERS);
            a_second_passes();
        }
        CHECK_EQ(net_resolve("b.example", true, ret), ERR_DNS_FAILED);
    }
    set_servers(2);
    struct frame first = *ask_name("late.example", false);
    a_second_passes();
    CHECK_EQ(asked(), 1);
    answer_name(&first, right_ip, 1, 4);
    CHECK(only_the_right_one("late.example"));
    // Nobody answers at all: that ends, too.
    set_servers(2);
    (void)ask_name("nobody.example", false);
    for (unsigned i = 0; i < 20; i++)
        a_second_passes();
    CHECK_EQ(net_resolve("nobody.example", false, ret), ERR_DNS_FAILED);
    net_set_dns(NET_DNS_SETTINGS, NULL, 0);
}

TEST_MAIN(T(late_answer_is_no_other_names), T(families_of_a_name_are_told_apart), T(every_address_of_a_name_is_given),
          T(a_bad_record_costs_no_good_ones), T(forged_answers_by_the_thousand), T(another_server_may_know),
          T(silent_servers_are_passed_over), T(name_servers_that_refuse),
          T(name_servers_of_a_router_come_last))
