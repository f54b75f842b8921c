// SPDX-License-Identifier: MPL-2.0
// Credit, and the size of datagrams.
#include "phase2/testclient.h"

static uint32_t credit_limit, asked, asked_most;
static uint64_t drop_state;
static bool watch_reads(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type != P2_READ)
        return true;
    if (m->read.flags & P2_READ_CANCEL)
        asked = 0;
    uint32_t piece = m->read.space == P2_SPACE_PAYLOAD ? 4096 : 1u << 20;
    for (uint32_t i = 0; i < m->read.range_count; i++)
        for (uint32_t at = 0; at < m->read.ranges[i].length;) {
            uint32_t to_end = piece - (uint32_t)((m->read.ranges[i].offset + at) & (piece - 1));
            at += MIN(MIN((uint32_t)m->read.block_size, m->read.ranges[i].length - at), to_end);
            asked++;
        }
    asked_most = MAX(asked_most, asked);
    return true;
}
static bool count_blocks(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] != P2_DATA)
        return true;
    asked -= asked > 0; // arrived or lost on the way: it occupies no buffer any more
    drop_state = drop_state * 6364136223846793005ull + 1;
    return drop_state >> 60 != 0; // 1 in 16 is lost
}
TEST(credit_never_exceeds_the_limit)
{
    struct testimage image;
    testimage_make(&image, "credit", 700000, 1, TESTKEY_P256_A);
    static const uint16_t limits[] = { 1, 2, 4, 8, 32, 200 };
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        setup();
        server_start(0, &image, 1);
        struct p2_client_config config = config_make(NULL, 0);
        config.rx_buffers = limits[i];
        config.window_max = limits[i];
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        to_server = watch_reads;
        to_client = count_blocks;
        asked = asked_most = 0;
        credit_limit = limits[i];
        CHECK(boot(now + 60000000));
        CHECK(memory_is(&image));
        CHECK(asked_most <= credit_limit);
        CHECK(asked_most >= MIN(credit_limit, 16u)); // and it is made use of
    }
    cleanup(&image, NULL);
}

TEST(reads_are_few_and_ranges_merged)
{
    struct testimage image;
    testimage_make(&image, "few", 2000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(boot(now + 60000000));
    struct p2_progress p = progress();
    CHECK(p.reads_sent * 32 <= p.blocks_received);
    CHECK_EQ(p.duplicates, 0);
    cleanup(&image, NULL);
}

// Many losses make for many ranges, and on a path of 576 bytes a READ has to be small, too.
static uint32_t longest_read;
static bool longest(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type == P2_READ)
        longest_read = MAX(longest_read, (uint32_t)(P2_READ_FIXED + m->read.range_count * P2_RANGE_SIZE));
    client.window.size = client.window.floor = 200; // one READ could ask for more than it may have ranges
    return true;
}
static bool lose_every_other(uint8_t *data, size_t *len, struct net_addr *from)
{
    bool odd = data[5] == P2_DATA && data[32] == P2_SPACE_PAYLOAD && load64_le(data + 24) / P2_BLOCK_MIN % 2;
    return !odd || ++drop_state > 1000;
}
TEST(everything_fits_576_bytes)
{
    struct testimage image;
    testimage_make(&image, "576", 700000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    servers[0].mtu = 576 - 60 - 8;
    start();
    to_client = lose_every_other;
    drop_state = 0;
    to_server = longest;
    longest_read = 0;
    CHECK(boot(now + 60000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().block_size, P2_BLOCK_MIN);
    CHECK(longest_read > 300, longest_read <= 576 - 60 - 8);
    cleanup(&image, NULL);
}

// A path that swallows large datagrams: smaller blocks are tried until they fit.
TEST(path_mtu_black_hole)
{
    struct testimage image;
    testimage_make(&image, "hole", 300000, 1, TESTKEY_P256_A);
    static const struct { uint32_t mtu, block; } holes[] = { { 0, 1408 }, { 1447, 1200 }, { 1240, 1200 }, { 1239, 512 }, { 600, 512 }, { 551, 448 },
                                                            { 488, 448 } }; // 508 is what a link of 576 bytes leaves at least
    for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
        setup();
        server_start(0, &image, 1);
        servers[0].mtu = holes[i].mtu;
        start();
        uint64_t began = now;
        CHECK(boot(now + 10000000));
        CHECK(memory_is(&image));
        CHECK_EQ(progress().block_size, holes[i].block);
        CHECK(now - began < 3000000);
    }
    cleanup(&image, NULL);
}

// What a server says that is not the current one is no reason to wait with smaller blocks.
static uint8_t nonces[SERVERS][P2_NONCE_SIZE]; // that each was asked with
static unsigned said_busy;
static bool other_is_busy(const struct p2_message *m, const struct net_addr *to)
{
    unsigned addressed = net_addr_equal(to, &servers[1].addr), silent = !addressed;
    if (m->type == P2_HELLO && !net_addr_equal(to, &group))
        memcpy(nonces[addressed], m->nonce, P2_NONCE_SIZE);
    if (m->type != P2_READ)
        return true;
    struct p2_message said = { .type = P2_ERROR, .error.code = P2_ERROR_BUSY };
    uint8_t buf[P2_MESSAGE_MAX];
    memcpy(said.nonce, nonces[silent], P2_NONCE_SIZE);
    int n = p2_wire_write(&said, buf, sizeof buf);
    said_busy += p2_client_input(&client, buf, (size_t)n, &servers[silent].addr, now) == 0;
    return true;
}
TEST(another_servers_busy_is_its_own)
{
    struct testimage image;
    testimage_make(&image, "hole", 300000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    servers[0].mtu = 600;
    servers[1].mtu = 600;
    start();
    to_server = other_is_busy;
    uint64_t began = now;
    CHECK(boot(now + 10000000));
    CHECK(memory_is(&image));
    CHECK(said_busy > 0);
    CHECK(now - began < 3000000);
    cleanup(&image, NULL);
}

TEST_MAIN(T(credit_never_exceeds_the_limit), T(reads_are_few_and_ranges_merged), T(everything_fits_576_bytes),
          T(path_mtu_black_hole), T(another_servers_busy_is_its_own))
