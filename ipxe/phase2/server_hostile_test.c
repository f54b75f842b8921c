// SPDX-License-Identifier: MPL-2.0
// The server machine against clients that forge, flood and ask for too much.
#include "phase2/testserver.h"

// Whatever comes from an address that has not echoed a cookie: never more bytes back than came.
TEST(no_amplification)
{
    setup();
    uint64_t state = 1;
    uint8_t stolen[P2_COOKIE_SIZE];
    struct net_addr victim = host(66, 53), thief = host(2, 2000);
    uint64_t kinds = 0;
    CHECK(hello(9, &thief, 1, stolen)); // a cookie of another address is no help
    for (unsigned i = 0; i < 60000; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t r = (uint32_t)(state >> 33);
        struct p2_message m = message((uint8_t)(1 + r % 8), (uint8_t)(r >> 8));
        uint8_t buf[P2_MESSAGE_MAX], out[P2_MESSAGE_MAX];
        size_t len;
        switch (m.type) {
        case P2_READ:
            m = read_of((uint8_t)(r >> 8), stolen, (uint8_t)((r >> 5) % 3), (r >> 3) % 9000, 1 + (r >> 4) % 30000);
            if (r & 1)
                m.read.tag[0] ^= 1;
            if (r & 2)
                memset(m.read.cookie, (int)r, P2_COOKIE_SIZE);
            break;
        case P2_HELLO:
            if (r & 1)
                p2_wire_text(m.hello.name, sizeof m.hello.name, "nothing");
            if (r & 2)
                memset(m.hello.tag, (int)r, P2_TAG_SIZE);
            break;
        case P2_FINISHED:
            m.finished.outcome = P2_OUTCOME_BOOTING;
            memcpy(m.finished.cookie, stolen, P2_COOKIE_SIZE);
            break;
        case P2_DATA:
            m.data.bytes = payload;
            m.data.length = 1;
            break;
        default: break;
        }
        int n = p2_wire_write(&m, buf, sizeof buf);
        CHECK(n > 0);
        len = (size_t)n;
        if (r % 5 == 0)
            buf[(r >> 7) % len] ^= (uint8_t)(1u << ((r >> 20) & 7));
        if (r % 7 == 0)
            len = (r >> 9) % (len + 1);
        p2_server_input(&server, buf, len, &victim, 1000 + i);
        size_t sent = 0;
        struct net_addr to;
        for (int k; (k = p2_server_output_flat(&server, out, sizeof out, &to, 1000 + i)) > 0;)
            sent += (size_t)k, kinds |= 1u << out[5];
        CHECK(sent <= len);
    }
    CHECK_EQ(kinds, 1u << P2_OFFER | 1u << P2_ERROR | 1u << P2_RESET); // and these it was tempted into
}

TEST(cookie_belongs_to_one_address_port_nonce_and_time)
{
    setup();
    struct net_addr a = host(1, 1000), other_port = host(1, 1001), other_host = host(2, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    uint64_t epoch = (uint64_t)1 << P2_SERVER_COOKIE_EPOCH_BITS;
    CHECK(hello(5, &a, epoch * 10, cookie));
    struct p2_message good = read_of(5, cookie, P2_SPACE_LIST, 0, 10);
#define EXPECT(m, from, now, kind)                                                                                     \
    do {                                                                                                               \
        say(&(m), &(from), now);                                                                                       \
        CHECK(answer(&r, &to, now));                                                                                   \
        CHECK_EQ(r.type, kind);                                                                                        \
        CHECK(!answer(&r, &to, now));                                                                                  \
    } while (0)
    EXPECT(good, a, epoch * 10, P2_DATA);
    EXPECT(good, a, epoch * 11 + epoch - 1, P2_DATA); // the epoch after is good as well
    EXPECT(good, a, epoch * 12, P2_RESET);
    EXPECT(good, a, epoch * 9, P2_RESET);
    EXPECT(good, other_port, epoch * 10, P2_RESET);
    EXPECT(good, other_host, epoch * 10, P2_RESET);
    struct p2_message bad = good;
    bad.nonce[7] ^= 1;
    EXPECT(bad, a, epoch * 10, P2_RESET);
    for (int i = 0; i < P2_COOKIE_SIZE; i++) {
        bad = good;
        bad.read.cookie[i] ^= 0x10;
        EXPECT(bad, a, epoch * 10, P2_RESET);
    }
    struct p2_server_config config = config_make(8); // restarted with another secret
    CHECK_EQ(p2_server_init(&server, &config), 0);
    EXPECT(good, a, epoch * 10, P2_RESET);
    CHECK_EQ(server.stats.cookies_bad, 1);
#undef EXPECT
}

// A client that asks for all it may at once gets no more than its share of the wire.
TEST(clients_take_turns)
{
    setup();
    struct net_addr greedy = host(1, 1000), modest = host(2, 1000), to;
    uint8_t a[P2_COOKIE_SIZE], b[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &greedy, 1, a), hello(6, &modest, 1, b));
    struct p2_message m = read_of(5, a, P2_SPACE_PAYLOAD, 0, 1408 * 5);
    for (int i = 0; i < 100; i++)
        say(&m, &greedy, 2);
    m = read_of(6, b, P2_SPACE_PAYLOAD, 0, 1408 * 3);
    say(&m, &modest, 2);
    unsigned before_modest_done = 0, modest_got = 0;
    while (answer(&r, &to, 2)) {
        if (net_addr_equal(&to, &modest))
            modest_got++;
        else if (modest_got < 3)
            before_modest_done++;
    }
    CHECK_EQ(modest_got, 3);
    CHECK(before_modest_done <= P2_SERVER_QUANTUM);
}

// One client asking again and again without reading: its share of the queue is bounded, others still get in.
TEST(queue_is_bounded)
{
    setup();
    struct net_addr a = host(1, 1000), b = host(2, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE], other[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 1);
    m.read.range_count = P2_RANGES_MAX;
    for (uint32_t k = 0; k < 100; k++) {
        for (uint32_t i = 0; i < P2_RANGES_MAX; i++)
            m.read.ranges[i] = (struct p2_range){ .offset = 2 * (k * P2_RANGES_MAX + i), .length = 1 };
        say(&m, &a, 2);
    }
    unsigned waiting = 0;
    for (uint32_t i = 0; i < PEERS; i++)
        waiting += peers[i].node.jobs;
    CHECK_EQ(waiting, P2_SERVER_PEER_JOBS);
    CHECK_EQ(server.root.jobs, P2_SERVER_PEER_JOBS);
    CHECK_EQ(server.reply_count, P2_SERVER_REPLIES / 2); // "busy", as often as one source may have
    CHECK(server.stats.replies_dropped > 0);
    struct p2_message ask = message(P2_HELLO, 6);
    say(&ask, &b, 2);
    CHECK_EQ(server.reply_count, P2_SERVER_REPLIES / 2 + 1); // others' answers find room all the same
    CHECK_EQ(drain(2), P2_SERVER_REPLIES / 2 + 1 + P2_SERVER_PEER_JOBS);
    CHECK(hello(6, &b, 2, other));
    m = read_of(6, other, P2_SPACE_PAYLOAD, 0, 1);
    say(&m, &b, 2);
    CHECK(answer(&r, &to, 2), r.type == P2_DATA);
    // In blocks as well.
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
    m.read.block_size = P2_BLOCK_MIN;
    for (uint32_t i = 0; i < 200; i++) {
        m.read.ranges[0] = (struct p2_range){ .offset = 0, .length = PAYLOAD_BYTES - i }; // no two end alike
        say(&m, &a, 3);
    }
    unsigned blocks = 0;
    while (answer(&r, &to, 3))
        blocks += r.type == P2_DATA;
    CHECK(blocks > 1024, blocks <= P2_SERVER_PEER_BLOCKS);
}

// A flood of HELLOs from invented addresses must not push out clients that boot.
TEST(hello_flood_evicts_no_client)
{
    setup();
    uint8_t cookies[8][P2_COOKIE_SIZE], junk[P2_COOKIE_SIZE];
    struct p2_message r;
    struct net_addr to;
    for (uint8_t i = 0; i < 8; i++) {
        struct net_addr a = host((uint8_t)(10 + i), 1000);
        CHECK(hello(i, &a, 1, cookies[i]));
        struct p2_message m = read_of(i, cookies[i], P2_SPACE_SEAL, 0, 100);
        say(&m, &a, 1);
    }
    drain(1);
    for (uint32_t i = 0; i < 5000; i++) {
        struct net_addr x = host((uint8_t)i, (uint16_t)(2000 + i));
        CHECK(hello((uint8_t)(i >> 4), &x, 2 + i, junk));
    }
    unsigned readers = 0;
    for (uint32_t i = 0; i < PEERS; i++)
        readers += peers[i].used && peers[i].validated && peers[i].reads == 1;
    CHECK_EQ(readers, 8);
    for (uint8_t i = 0; i < 8; i++) { // and they go on
        struct net_addr a = host((uint8_t)(10 + i), 1000);
        struct p2_message m = read_of(i, cookies[i], P2_SPACE_SEAL, 100, 100);
        say(&m, &a, 9000);
        CHECK(answer(&r, &to, 9000), r.type == P2_DATA);
    }
}

// The same when every entry belongs to a client that boots.
TEST(hello_flood_on_a_full_table)
{
    setup();
    uint8_t cookie[P2_COOKIE_SIZE];
    for (uint32_t i = 0; i < 600; i++) {
        struct net_addr a = host((uint8_t)i, (uint16_t)(1000 + i));
        CHECK(hello((uint8_t)i, &a, i, cookie));
        struct p2_message m = read_of((uint8_t)i, cookie, P2_SPACE_SEAL, 0, 100);
        say(&m, &a, i);
        drain(i);
    }
    unsigned validated = 0, after = 0;
    for (uint32_t i = 0; i < PEERS; i++)
        validated += peers[i].used && peers[i].validated;
    CHECK_EQ(validated, PEERS);
    for (uint32_t i = 0; i < 2000; i++) {
        struct net_addr x = host((uint8_t)i, (uint16_t)(9000 + i));
        CHECK(hello((uint8_t)(i >> 4), &x, 1000 + i, cookie)); // answered all the same
    }
    for (uint32_t i = 0; i < PEERS; i++)
        after += peers[i].used && peers[i].validated;
    CHECK_EQ(after, PEERS);
}

// More clients than entries: the oldest are forgotten, with what waited for them, and nobody is refused.
TEST(more_clients_than_entries)
{
    setup();
    struct p2_message r;
    struct net_addr to;
    unsigned got = 0;
    for (uint32_t i = 0; i < 500; i++) {
        struct net_addr a = host((uint8_t)i, (uint16_t)(1000 + i));
        uint8_t cookie[P2_COOKIE_SIZE];
        while (answer(&r, &to, i) && i % 4 == 0) // mostly with work left in the queue
            got += r.type == P2_DATA;
        drain(i);
        CHECK(hello((uint8_t)i, &a, i, cookie));
        struct p2_message m = read_of((uint8_t)i, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
        say(&m, &a, i);
        CHECK(answer(&r, &to, i));
        if (i >= 1)
            got += r.type == P2_DATA;
    }
    CHECK(got >= 400);
    CHECK(server.stats.peers_evicted > 100);
    drain(1000);
    unsigned count = 0;
    for (uint32_t i = server.job_free; i; i = jobs[i - 1].next)
        count++;
    CHECK_EQ(count, JOBS);
}

TEST(eviction_with_work_waiting)
{
    setup();
    for (uint32_t i = 0; i < 3000; i++) { // nothing is ever drained
        struct net_addr a = host((uint8_t)i, (uint16_t)(1000 + i));
        uint8_t cookie[P2_COOKIE_SIZE];
        struct p2_message m = message(P2_HELLO, (uint8_t)i), r;
        struct net_addr to;
        say(&m, &a, i);
        if (!answer(&r, &to, i) || r.type != P2_OFFER)
            continue;
        memcpy(cookie, r.offer.cookie, sizeof cookie);
        m = read_of((uint8_t)i, cookie, P2_SPACE_PAYLOAD, 0, 100);
        say(&m, &a, i);
    }
    drain(5000);
    unsigned count = 0;
    for (uint32_t i = server.job_free; i; i = jobs[i - 1].next)
        count++;
    CHECK_EQ(count, JOBS);
    CHECK_EQ(server.root.first, 0);
}

TEST_MAIN(T(no_amplification), T(cookie_belongs_to_one_address_port_nonce_and_time), T(clients_take_turns), T(queue_is_bounded),
          T(hello_flood_evicts_no_client), T(hello_flood_on_a_full_table), T(more_clients_than_entries),
          T(eviction_with_work_waiting))
