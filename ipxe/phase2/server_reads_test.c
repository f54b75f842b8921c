// SPDX-License-Identifier: MPL-2.0
// What the server machine answers a READ with: exactly those blocks, or nothing.
#include "phase2/testserver.h"

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
    CHECK(answer(&r, &to, 1), r.type == P2_ERROR, r.error.code == P2_ERROR_BAD_READ);
    m.read.block_size = 1200;
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), r.type == P2_DATA, r.data.length == 1200);
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
    CHECK(blocks > 900, blocks <= P2_READ_BLOCKS_MAX);
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

TEST_MAIN(T(read_gives_exactly_these_blocks), T(reference_and_flat_say_the_same), T(ranges_outside_the_image_are_refused_whole),
          T(smaller_blocks_where_the_server_says_so), T(cancel_forgets_what_waits), T(one_read_is_bounded),
          T(job_pool_comes_back))
