// SPDX-License-Identifier: MPL-2.0
// The server machine against hostile and ordinary clients.
#include "phase2/testserver.h"

TEST(offer_says_what_there_is)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    say(&m, &a, 1);
    CHECK_EQ(p2_server_deadline(&server), 0);
    CHECK(answer(&r, &to, 1));
    CHECK_EQ(r.type, P2_OFFER);
    CHECK_EQ(r.nonce[0], 5);
    CHECK(memcmp(r.offer.image_id, image.id, P2_IMAGE_ID_SIZE) == 0);
    CHECK_EQ(r.offer.seal_size, SEAL_BYTES);
    CHECK_EQ(r.offer.list_size, LIST_BYTES);
    CHECK_EQ(r.offer.payload_size, PAYLOAD_BYTES);
    CHECK_EQ(r.offer.block_max, P2_BLOCK_MAX);
    CHECK_STR(r.offer.server, "boot-1");
    CHECK(!answer(&r, &to, 1));
    CHECK_EQ(p2_server_deadline(&server), UINT64_MAX);
}

TEST(names_and_tags)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    p2_wire_text(m.hello.name, sizeof m.hello.name, "debian");
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && r.type == P2_OFFER);
    p2_wire_text(m.hello.name, sizeof m.hello.name, "other");
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && r.type == P2_ERROR && r.error.code == P2_ERROR_NO_IMAGE);
    struct p2_event e;
    CHECK(p2_server_event(&server, &e) && e.type == P2_EVENT_NO_IMAGE);
    CHECK_STR(e.name, "other");
    say(&m, &a, 2); // the same a moment later is answered, but told once a second
    CHECK(answer(&r, &to, 2) && !p2_server_event(&server, &e));
    say(&m, &a, 2000002);
    CHECK(answer(&r, &to, 2) && p2_server_event(&server, &e));
    memcpy(m.hello.tag, image.id, P2_TAG_SIZE); // a tag that is held goes before the name
    say(&m, &a, 3);
    CHECK(answer(&r, &to, 3) && r.type == P2_OFFER);
}

// None of several is the default: who names none is told what there is, a piece of the list with each answer.
static uint32_t last_turn;
static const struct p2_image *two_pieces(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    last_turn = turn;
    snprintf(text, P2_ERROR_TEXT, "%s", turn % 2 ? "rescue" : "db, web");
    return &image;
}
TEST(choice_is_told_where_there_is_no_default)
{
    setup();
    image_here = false;
    server.config.images.choice = two_pieces;
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    static const char *const texts[] = { "db, web", "rescue", "db, web" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        say(&m, &a, 1);
        CHECK(answer(&r, &to, 1) && r.type == P2_ERROR && r.error.code == P2_ERROR_NO_IMAGE);
        CHECK(equal8(r.error.tag, image.id));
        CHECK_STR(r.error.text, texts[i]);
        CHECK(!answer(&r, &to, 1)); // no more bytes than were asked with
    }
    CHECK_EQ(last_turn, 2);
    // Who named one, or is at an image, hears of that alone.
    for (int tag = 0; tag < 2; tag++) {
        memset(&m.hello, 0, sizeof m.hello);
        if (tag)
            memset(m.hello.tag, 0x77, P2_TAG_SIZE);
        else
            p2_wire_text(m.hello.name, sizeof m.hello.name, "wbe");
        say(&m, &a, 1);
        CHECK(answer(&r, &to, 1) && r.type == P2_ERROR && equal8(r.error.tag, m.hello.tag));
        CHECK_STR(r.error.text, "no image of that name");
    }
    CHECK_EQ(last_turn, 2);
    // Where there is no room for the answer nobody works it out.
    memset(&m.hello, 0, sizeof m.hello);
    for (unsigned i = 0; i < 3 * P2_SERVER_REPLIES; i++)
        say(&m, &a, 1);
    for (uint32_t answers = 1; answer(&r, &to, 1); answers++)
        CHECK_STR(r.error.text, texts[answers % 2]);
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && last_turn == 3 + (P2_SERVER_REPLIES + 1) / 2);
}

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

TEST(read_gives_exactly_these_blocks)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 1408, 1408);
    m.read.range_count = 2;
    m.read.ranges[1] = (struct p2_range){ .offset = CHUNK - 2000, .length = 3000 }; // over a chunk's end
    say(&m, &a, 2);
    static const struct { uint64_t offset; uint32_t length; } expected[] = {
        { 1408, 1408 }, { CHUNK - 2000, 1408 }, { CHUNK - 592, 592 }, { CHUNK, 1000 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        CHECK(answer(&r, &to, 2));
        CHECK_EQ(r.type, P2_DATA);
        CHECK_EQ(r.data.offset, expected[i].offset);
        CHECK_EQ(r.data.length, expected[i].length);
        CHECK_EQ(r.data.stamp, 77);
        CHECK_EQ(r.data.space, P2_SPACE_PAYLOAD);
        CHECK(memcmp(r.data.tag, image.id, P2_TAG_SIZE) == 0);
        CHECK(memcmp(r.data.bytes, payload + expected[i].offset, expected[i].length) == 0);
        CHECK_EQ(r.nonce[0], 5);
    }
    CHECK(!answer(&r, &to, 2));
    CHECK_EQ(server.stats.data_messages, 4);
    CHECK_EQ(server.stats.data_bytes, 1408 + 3000);
    // The whole of each space.
    static const uint32_t sizes[] = { SEAL_BYTES, LIST_BYTES, PAYLOAD_BYTES };
    for (uint8_t space = 0; space < P2_SPACES; space++) {
        m = read_of(5, cookie, space, 0, sizes[space]);
        m.read.block_size = P2_BLOCK_MIN;
        say(&m, &a, 3);
        uint64_t at = 0;
        while (answer(&r, &to, 3)) {
            CHECK_EQ(r.data.offset, at);
            at += r.data.length;
        }
        CHECK_EQ(at, sizes[space]);
    }
    CHECK_EQ(server.job_free != 0, 1);
}

TEST(reference_and_flat_say_the_same)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE], flat[P2_MESSAGE_MAX];
    struct p2_send send;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 2000);
    say(&m, &a, 2);
    CHECK(p2_server_output(&server, &send, 1, 2));
    CHECK_EQ(send.head_len, P2_DATA_FIXED);
    CHECK_EQ(send.length, 1408);
    CHECK(send.image == &image);
    CHECK(net_addr_equal(&send.to, &a));
    CHECK(p2_server_output(&server, &send, 1, 2));
    CHECK_EQ(send.offset, 1408);
    CHECK_EQ(send.length, 592);
    say(&m, &a, 3);
    CHECK_EQ(p2_server_output_flat(&server, flat, sizeof flat, &to, 3), P2_DATA_FIXED + 1408);
    CHECK_EQ(p2_server_output_flat(&server, flat, sizeof flat, &to, 3), P2_DATA_FIXED + 592);
    CHECK(memcmp(flat, send.head, P2_DATA_FIXED) == 0);
    CHECK_EQ(p2_server_output_flat(&server, flat, P2_MESSAGE_MAX - 1, &to, 3), ERR_TOO_LARGE);
}

TEST(ranges_outside_the_image_are_refused_whole)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    static const struct { uint8_t space; uint64_t offset; uint32_t length; } outside[] = {
        { P2_SPACE_SEAL, 0, SEAL_BYTES + 1 }, { P2_SPACE_SEAL, SEAL_BYTES, 1 }, { P2_SPACE_LIST, LIST_BYTES - 1, 2 },
        { P2_SPACE_PAYLOAD, PAYLOAD_BYTES, 1 }, { P2_SPACE_PAYLOAD, 0, UINT32_MAX },
        { P2_SPACE_PAYLOAD, (uint64_t)1 << 63, 1 }, { P2_SPACE_PAYLOAD, UINT64_MAX - 1, 1 },
        { P2_SPACE_PAYLOAD, (uint64_t)1 << 32, 10 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
        struct p2_message m = read_of(5, cookie, outside[i].space, 0, 1);
        m.read.range_count = 2;
        m.read.ranges[1] = (struct p2_range){ .offset = outside[i].offset, .length = outside[i].length };
        say(&m, &a, 2);
        CHECK(answer(&r, &to, 2));
        CHECK_EQ(r.type, P2_ERROR);
        CHECK_EQ(r.error.code, P2_ERROR_BAD_READ);
        CHECK(!answer(&r, &to, 2));
    }
}

TEST(smaller_blocks_where_the_server_says_so)
{
    setup();
    struct p2_server_config config = config_make(7);
    config.block_max = 1200;
    CHECK_EQ(p2_server_init(&server, &config), 0);
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1));
    CHECK_EQ(r.offer.block_max, 1200);
    m = read_of(5, r.offer.cookie, P2_SPACE_PAYLOAD, 0, 3000);
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && r.type == P2_ERROR && r.error.code == P2_ERROR_BAD_READ);
    m.read.block_size = 1200;
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && r.type == P2_DATA && r.data.length == 1200);
}

TEST(cancel_forgets_what_waits)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
    say(&m, &a, 2);
    CHECK(answer(&r, &to, 2));
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 4000, 100);
    m.read.flags = P2_READ_CANCEL;
    say(&m, &a, 2);
    CHECK(answer(&r, &to, 2));
    CHECK_EQ(r.data.offset, 4000);
    CHECK(!answer(&r, &to, 2));
}

// A client that asks for all it may at once gets no more than its share of the wire.
TEST(clients_take_turns)
{
    setup();
    struct net_addr greedy = host(1, 1000), modest = host(2, 1000), to;
    uint8_t a[P2_COOKIE_SIZE], b[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &greedy, 1, a) && hello(6, &modest, 1, b));
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
    CHECK(answer(&r, &to, 2) && r.type == P2_DATA);
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
    CHECK(blocks > 1024 && blocks <= P2_SERVER_PEER_BLOCKS);
}

TEST(one_read_is_bounded)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
    m.read.block_size = P2_BLOCK_MIN;
    m.read.range_count = P2_RANGES_MAX;
    for (uint32_t i = 0; i < P2_RANGES_MAX; i++)
        m.read.ranges[i] = m.read.ranges[0];
    say(&m, &a, 2);
    unsigned blocks = 0;
    while (answer(&r, &to, 2))
        blocks += r.type == P2_DATA;
    CHECK(blocks > 900 && blocks <= P2_READ_BLOCKS_MAX);
}

TEST(job_pool_comes_back)
{
    setup();
    struct net_addr a = host(1, 1000);
    uint8_t cookie[P2_COOKIE_SIZE];
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    for (int round = 0; round < 50; round++) {
        m.read.flags = round % 3 == 0 ? P2_READ_CANCEL : 0;
        for (int i = 0; i < 20; i++)
            say(&m, &a, 2);
        if (round % 2)
            drain(2);
    }
    drain(2);
    unsigned count = 0;
    for (uint32_t i = server.job_free; i; i = jobs[i - 1].next)
        count++;
    CHECK_EQ(count, JOBS);
    CHECK_EQ(server.root.first, 0);
    CHECK_EQ(server.root.last, 0);
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
        CHECK(answer(&r, &to, 9000) && r.type == P2_DATA);
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

TEST(events_tell_a_boot)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_event e;
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    CHECK(!p2_server_event(&server, &e)); // anyone can say HELLO
    struct p2_message m = read_of(5, cookie, P2_SPACE_SEAL, 0, SEAL_BYTES);
    say(&m, &a, 2);
    CHECK(p2_server_event(&server, &e) && e.type == P2_EVENT_CLIENT);
    CHECK_EQ(e.peer.facts.mac[0], 5);
    CHECK(net_addr_equal(&e.peer.addr, &a));
    m = read_of(5, cookie, P2_SPACE_LIST, 0, LIST_BYTES);
    say(&m, &a, 3);
    CHECK(p2_server_event(&server, &e) && e.type == P2_EVENT_SEAL);
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    for (uint32_t i = 0; i < 40; i++) {
        m.read.verified = i * 100;
        say(&m, &a, 2000000 + i * 100000); // 4 s
    }
    unsigned progress = 0;
    uint64_t last = 0;
    while (p2_server_event(&server, &e)) {
        CHECK_EQ(e.type, P2_EVENT_PROGRESS);
        CHECK(e.peer.verified >= last);
        last = e.peer.verified;
        progress++;
    }
    CHECK_EQ(progress, 4);
    drain(6000000);
    m = message(P2_FINISHED, 5);
    memcpy(m.finished.cookie, cookie, sizeof cookie);
    memcpy(m.finished.tag, image.id, P2_TAG_SIZE);
    m.finished.outcome = P2_OUTCOME_FAILED;
    p2_wire_text(m.finished.code, sizeof m.finished.code, "S16");
    for (int i = 0; i < 3; i++) { // every copy is acknowledged, the event comes once
        say(&m, &a, 6000000);
        CHECK(answer(&r, &to, 6000000) && r.type == P2_FINISHED_ACK && r.nonce[0] == 5);
    }
    CHECK(p2_server_event(&server, &e) && e.type == P2_EVENT_FINISHED);
    CHECK_STR(e.finished.code, "S16");
    CHECK_EQ(e.peer.outcome, P2_OUTCOME_FAILED);
    CHECK(!p2_server_event(&server, &e));
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100); // an old READ that comes late starts nothing
    say(&m, &a, 6000001);
    CHECK_EQ(drain(6000001), 0);
    CHECK(!p2_server_event(&server, &e));
}

TEST(image_that_goes_away)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
    say(&m, &a, 2);
    CHECK(answer(&r, &to, 2));
    CHECK(p2_server_in_use(&server, image.id, 2, 1000000));
    CHECK(!p2_server_in_use(&server, image.id, 2000000, 1000000));
    CHECK(!p2_server_in_use(&server, (const uint8_t *)"another!", 2, 1000000));
    image_here = false;
    CHECK(!answer(&r, &to, 2));
    say(&m, &a, 3);
    CHECK(answer(&r, &to, 3) && r.type == P2_ERROR && r.error.code == P2_ERROR_NO_TAG);
    image_here = true;
    say(&m, &a, 4);
    CHECK(answer(&r, &to, 4) && r.type == P2_DATA);
    image.payload_size = 50; // replaced by a shorter one under the same tag: nothing outside it is touched
    while (answer(&r, &to, 4))
        CHECK(r.data.offset + r.data.length <= 50);
    image.payload_size = PAYLOAD_BYTES;
    CHECK_EQ(p2_server_deadline(&server), UINT64_MAX);
}

TEST(only_clients_are_answered)
{
    setup();
    struct net_addr a = host(1, 1000);
    static const uint8_t kinds[] = { P2_OFFER, P2_DATA, P2_FINISHED_ACK, P2_ERROR, P2_RESET };
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct p2_message m = message(kinds[i], 5);
        m.data.bytes = kinds[i] == P2_DATA ? payload : m.data.bytes;
        m.data.length = kinds[i] == P2_DATA ? 10 : m.data.length;
        say(&m, &a, 1);
        CHECK_EQ(drain(1), 0);
    }
    CHECK_EQ(server.stats.malformed, sizeof kinds);
}

TEST(init_refuses_missing_tables)
{
    struct p2_server_config config = config_make(1);
    config.peers = NULL;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1);
    config.job_count = 0;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1);
    config.images.by_tag = NULL;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1); // the smallest server serves
    config.peer_count = config.job_count = 1;
    CHECK_EQ(p2_server_init(&server, &config), 0);
    image_here = true;
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1) && r.type == P2_DATA);
}

TEST_MAIN(T(offer_says_what_there_is), T(names_and_tags), T(choice_is_told_where_there_is_no_default), T(no_amplification),
          T(cookie_belongs_to_one_address_port_nonce_and_time), T(read_gives_exactly_these_blocks),
          T(reference_and_flat_say_the_same), T(ranges_outside_the_image_are_refused_whole),
          T(smaller_blocks_where_the_server_says_so), T(cancel_forgets_what_waits), T(clients_take_turns),
          T(queue_is_bounded), T(one_read_is_bounded), T(job_pool_comes_back), T(hello_flood_evicts_no_client), T(hello_flood_on_a_full_table),

          T(more_clients_than_entries), T(eviction_with_work_waiting), T(events_tell_a_boot), T(image_that_goes_away),
          T(only_clients_are_answered), T(init_refuses_missing_tables))
