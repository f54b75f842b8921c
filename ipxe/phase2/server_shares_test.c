// SPDX-License-Identifier: MPL-2.0
// How the server machine shares out what it has: by source, and never by what costs a sender nothing.
#include "phase2/testserver.h"

static struct net_addr host6(uint8_t net, uint8_t last, uint16_t port)
{
    struct net_addr a = { .ip = { 0x20, 0x01, 0x0d, 0xb8, [7] = net, [15] = last }, .port = port };
    return a;
}
static struct net_addr link_local(uint8_t last, uint16_t port)
{
    struct net_addr a = { .ip = { 0xfe, 0x80, [15] = last }, .port = port, .zone = 3 };
    return a;
}

// A client under a new nonce that asks for `ranges` ranges of one block from `first` on.
static void ask(uint8_t nonce, const struct net_addr *from, uint32_t first, uint32_t ranges)
{
    struct p2_message m = message(P2_HELLO, nonce), r;
    struct net_addr to;
    say(&m, from, 1);
    do { // behind what was said to others
        if (!answer(&r, &to, 1) || r.type == P2_DATA)
            abort();
    } while (r.type != P2_OFFER);
    m = read_of(nonce, r.offer.cookie, P2_SPACE_PAYLOAD, 0, 1);
    m.read.range_count = (uint8_t)ranges;
    for (uint32_t i = 0; i < ranges; i++)
        m.read.ranges[i] = (struct p2_range){ .offset = first + i, .length = 1 };
    say(&m, from, 1);
}

// Of the next `count` blocks: how many go to each of two addresses (ports aside)?
static void share_of(unsigned count, const struct net_addr *a, const struct net_addr *b, unsigned *ret_a, unsigned *ret_b)
{
    struct p2_message m;
    struct net_addr to;
    for (*ret_a = *ret_b = 0; count && answer(&m, &to, 1);) {
        if (m.type != P2_DATA)
            continue;
        count--;
        *ret_a += memcmp(to.ip, a->ip, sizeof to.ip) == 0;
        *ret_b += memcmp(to.ip, b->ip, sizeof to.ip) == 0;
    }
}

TEST(sources)
{
    struct net_addr a = host6(1, 5, 1), b = host6(1, 200, 2), c = host6(2, 5, 1);
    a.zone = 4; // the path of a global address tells nothing of its sender
    struct net_addr sa = p2_server_source(&a), sb = p2_server_source(&b), sc = p2_server_source(&c);
    CHECK(net_addr_equal(&sa, &sb), !net_addr_equal(&sa, &sc));
    a = host(1, 5), b = host(1, 6), c = host(2, 5);
    a.zone = 4;
    sa = p2_server_source(&a), sb = p2_server_source(&b), sc = p2_server_source(&c);
    CHECK(net_addr_equal(&sa, &sb), !net_addr_equal(&sa, &sc));
    a = link_local(1, 1), b = link_local(1, 2), c = link_local(2, 1); // one /64, and every machine of the link in it
    sa = p2_server_source(&a), sb = p2_server_source(&b), sc = p2_server_source(&c);
    CHECK(net_addr_equal(&sa, &sb), !net_addr_equal(&sa, &sc));
    b.zone = 4; // the same on another link
    sb = p2_server_source(&b);
    CHECK(!net_addr_equal(&sa, &sb));
}

// Three nonces of one source beside one of another: they have one turn together, and then it is the other's.
static void check_turns(struct net_addr greedy, bool other_ports, const struct net_addr *modest)
{
    unsigned g, m;
    setup();
    for (uint8_t i = 0; i < 3; i++) {
        greedy.port = (uint16_t)(1000 + (other_ports ? i : 0));
        ask(i, &greedy, 0, 64);
    }
    ask(99, modest, 0, 40);
    CHECK_EQ(server.root.jobs, JOBS / 2 + 40);
    share_of(P2_SERVER_QUANTUM, &greedy, modest, &g, &m);
    CHECK_EQ(g, P2_SERVER_QUANTUM);
    share_of(40, &greedy, modest, &g, &m);
    CHECK_EQ(m, 40);
    share_of(JOBS, &greedy, modest, &g, &m);
    CHECK_EQ(g, JOBS / 2 - P2_SERVER_QUANTUM);
    CHECK_EQ(server.root.jobs + server.root.blocks, 0);
}

TEST(turns_by_source)
{
    struct net_addr v4 = host(2, 7), v6 = host6(1, 2, 7), other_net = host6(2, 2, 7), link = link_local(2, 7);
    for (int ports = 0; ports < 2; ports++) {
        check_turns(host(1, 0), ports, &v4);
        check_turns(host6(1, 1, 0), ports, &v4);
        check_turns(host6(1, 1, 0), ports, &other_net);
        check_turns(host6(1, 1, 0), ports, &v6); // an address in the same /64
        check_turns(link_local(1, 0), ports, &link);
        check_turns(link_local(1, 0), ports, &v4);
    }
}

// Addresses cost nothing in a /64 either.
TEST(many_addresses_of_one_network_are_one_source)
{
    struct net_addr modest = host(2, 7), greedy = host6(1, 0, 5);
    unsigned g = 0, m = 0, sent_before = 0;
    setup();
    for (uint8_t i = 0; i < 3; i++) {
        greedy.ip[15] = i;
        ask(i, &greedy, 0, 60);
    }
    ask(99, &modest, 0, 10);
    while (m == 0) {
        share_of(1, &greedy, &modest, &g, &m);
        sent_before++;
    }
    CHECK(sent_before <= P2_SERVER_QUANTUM + 1);
}

TEST(something_is_left_for_who_holds_little)
{
    struct net_addr greedy = host(1, 7), modest = host(2, 7), network = host6(1, 1, 7), neighbour = host6(1, 2, 7);
    setup();
    for (uint8_t i = 0; i < 30; i++)
        ask(i, &greedy, 64 * i, 64);
    CHECK_EQ(server.root.jobs, JOBS / 2);
    CHECK(server.stats.busy > 0);
    drain(1);
    setup();
    for (uint8_t i = 0; i < 30; i++)
        ask(i, &network, 64 * i, 64);
    uint64_t before = server.stats.jobs_dropped;
    ask(98, &neighbour, 0, 20); // the same /64, another address
    ask(99, &modest, 0, 20);
    CHECK_EQ(server.stats.jobs_dropped, before);
    CHECK_EQ(server.root.jobs, JOBS / 2 + 40);
}

// The same question again, as a client asks whose timer expired: nothing is sent twice, and the place is kept.
TEST(a_repeated_read_replaces)
{
    setup();
    struct net_addr a = host(1, 1000), b = host(2, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 20 * 512);
    m.read.block_size = 512;
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), r.data.offset == 0);
    ask(6, &b, 0, 64);
    for (uint16_t stamp = 78; stamp < 90; stamp++) {
        m.read.stamp = stamp;
        m.read.flags = stamp % 2 ? P2_READ_CANCEL : 0;
        say(&m, &a, 2);
    }
    CHECK_EQ(server.root.blocks, 20 + 64);
    unsigned blocks = 0;
    while (answer(&r, &to, 2) && net_addr_equal(&to, &a)) { // its turn goes on
        CHECK(r.data.stamp == 89, r.data.offset == 512 * blocks);
        blocks++;
    }
    CHECK_EQ(blocks, 20);
    // What is asked for twice in one READ is meant so; what was asked for of another space stays.
    drain(2);
    m = read_of(5, cookie, P2_SPACE_LIST, 0, 100);
    say(&m, &a, 3);
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    m.read.range_count = 2;
    m.read.ranges[1] = m.read.ranges[0];
    say(&m, &a, 3);
    say(&m, &a, 3);
    CHECK_EQ(drain(3), 3);
}

// A host that asks under ever new nonces pushes out its own entries, not those of others.
TEST(nonces_push_out_their_own_kind)
{
    uint8_t cookie[P2_COOKIE_SIZE], mine[8][P2_COOKIE_SIZE];
    struct net_addr greedy = host(1, 7);
    setup();
    for (uint8_t i = 0; i < 8; i++) {
        struct net_addr a = host((uint8_t)(10 + i), 1000);
        CHECK(hello(i, &a, 1, mine[i]));
        struct p2_message m = read_of(i, mine[i], P2_SPACE_PAYLOAD, 0, 100);
        say(&m, &a, 1);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        greedy.port = (uint16_t)(1 + i);
        struct p2_message m = message(P2_HELLO, 77), r;
        struct net_addr to;
        say(&m, &greedy, 2 + i);
        CHECK(answer(&r, &to, 2 + i), r.type == P2_OFFER);
        memcpy(cookie, r.offer.cookie, sizeof cookie);
        m = read_of(77, cookie, P2_SPACE_SEAL, 0, 100);
        say(&m, &greedy, 2 + i);
    }
    unsigned here = 0;
    for (uint32_t i = 0; i < PEERS; i++)
        here += peers[i].used && peers[i].addr.ip[15] >= 10;
    CHECK_EQ(here, 8);
    CHECK(server.stats.peers_evicted > 2000);
    CHECK_EQ(drain(9000) >= 8, 1);
}

TEST(questions_for_what_is_not_here)
{
    setup();
    struct net_addr noisy = host(1, 1), other = host(2, 1);
    struct p2_message m = message(P2_HELLO, 5);
    struct p2_event e;
    unsigned told = 0;
    p2_wire_text(m.hello.name, sizeof m.hello.name, "nothing");
    for (uint32_t i = 0; i < 1000; i++) { // half a second
        noisy.port = (uint16_t)i;
        m.nonce[0] = (uint8_t)i;
        say(&m, &noisy, 1000 + 500 * i);
        drain(1000 + 500 * i);
        while (p2_server_event(&server, &e))
            told++;
    }
    CHECK_EQ(told, 1);
    say(&m, &other, 1000 + 500000); // another one is heard beside it
    CHECK(p2_server_event(&server, &e), e.type == P2_EVENT_NO_IMAGE, net_addr_equal(&e.peer.addr, &other));
    // Invented addresses are told of in bounds.
    for (uint32_t i = told = 0; i < 200; i++) {
        struct net_addr any = host((uint8_t)(20 + i), 1);
        say(&m, &any, 5000000);
        drain(5000000);
        while (p2_server_event(&server, &e))
            told++;
    }
    CHECK_EQ(told, P2_SERVER_STRANGERS);
}

// A caller that takes events after each input misses none, whatever else goes on.
TEST(no_input_causes_more_events_than_it_says)
{
    setup();
    struct net_addr a = host(1, 1);
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_event e;
    CHECK(hello(5, &a, 3000000, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100); // the first READ, of the last space
    say(&m, &a, 3000000);
    unsigned events = 0;
    while (p2_server_event(&server, &e))
        events++;
    CHECK_EQ(events, P2_SERVER_EVENT_ROOM);
}

// Many blocks at once: the same as one by one.
TEST(runs_of_blocks)
{
    static uint8_t singly[64][P2_MESSAGE_MAX];
    static int lengths[64];
    uint8_t cookie[P2_COOKIE_SIZE], head[P2_DATA_FIXED];
    struct net_addr a = host(1, 1000), to;
    unsigned count = 0, at = 0;
    struct p2_send send;
    setup();
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 700, 2 * CHUNK);
    say(&m, &a, 1);
    while ((lengths[count] = p2_server_output_flat(&server, singly[count], P2_MESSAGE_MAX, &to, 1)) > 0)
        count++;
    say(&m, &a, 1);
    while (p2_server_output(&server, &send, 4, 1)) {
        CHECK(send.length <= 4u * send.block_size);
        for (uint32_t k = 0; k < send.length; k += send.block_size, at++) {
            uint32_t length = MIN(send.length - k, (uint32_t)send.block_size);
            p2_send_head(&send, send.offset + k, head);
            CHECK(at < count, lengths[at] == (int)(P2_DATA_FIXED + length));
            CHECK(memcmp(singly[at], head, sizeof head) == 0);
            CHECK(memcmp(singly[at] + P2_DATA_FIXED, payload + send.offset + k, length) == 0);
        }
    }
    CHECK(at == count, count > 10);
}

TEST_MAIN(T(sources), T(turns_by_source), T(many_addresses_of_one_network_are_one_source),
          T(something_is_left_for_who_holds_little), T(a_repeated_read_replaces), T(nonces_push_out_their_own_kind),
          T(questions_for_what_is_not_here), T(no_input_causes_more_events_than_it_says), T(runs_of_blocks))
