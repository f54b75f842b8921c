// SPDX-License-Identifier: MPL-2.0
// Blocks larger than everybody takes: who gets them, who does not, and ways that do not carry them after all.
#include "phase2/testclient.h"

static struct testimage image;

// Chunks that are larger than the blocks.
static void image_make(void)
{
    static uint8_t data[700000];
    static const enum testkey_name key = TESTKEY_P256_A;
    struct seal fields = testimage_fields("large");
    struct testpart part = { .kind = PART_RAMDISK, .name = "disk", .data = data, .size = sizeof data, .align = 4096 };
    struct testkey_stream stream = { .block = 1 };
    fields.chunk_size = 64 * 1024;
    fields.target = TARGET_DATA;
    if (testkey_random(&stream, data, sizeof data) != 0 || !testimage_build(&image, &fields, &part, 1, &key, 1))
        abort();
}

// One server by its address; the client takes its way to carry `asked`, the server takes it to carry `path`.
static void begin(uint16_t asked, uint16_t path)
{
    if (!image.file)
        image_make();
    setup();
    now = 60000000; // so that times before now are times
    server_start(0, &image, 1);
    servers[0].path = path;
    struct p2_client_config config = config_make(&servers[0].addr, 1);
    config.block_max = asked;
    if (p2_client_init(&client, &config, now) != 0)
        abort();
}

static void boots_with(uint32_t block, uint64_t within)
{
    uint64_t began = now;
    CHECK(boot(now + 10000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().block_size, block);
    CHECK(now - began < within);
}

static uint32_t large_hellos, plain_hellos, largest_read;
static bool count_sizes(const struct p2_message *m, const struct net_addr *to)
{
    large_hellos += m->type == P2_HELLO && m->hello.block_max;
    plain_hellos += m->type == P2_HELLO && !m->hello.block_max;
    if (m->type == P2_READ)
        largest_read = MAX(largest_read, m->read.block_size);
    return true;
}

// A server of 0.1 takes a HELLO for malformed that has anything behind the version.
static bool to_old_server(const struct p2_message *m, const struct net_addr *to)
{
    count_sizes(m, to);
    return m->type != P2_HELLO || !m->hello.block_max;
}

static void count_anew(bool (*hook)(const struct p2_message *m, const struct net_addr *to))
{
    to_server = hook;
    large_hellos = plain_hellos = largest_read = 0;
}

TEST(both_must_want_them)
{
    static const struct { uint16_t asked, path, block; } ways[] = {
        { P2_BLOCK_LARGE, P2_BLOCK_LARGE, P2_BLOCK_LARGE }, { 4000, P2_BLOCK_LARGE, 4000 }, { P2_BLOCK_LARGE, 4000, 4000 },
        { UINT16_MAX, UINT16_MAX, P2_BLOCK_LARGE }, { P2_BLOCK_LARGE, P2_BLOCK_MAX, P2_BLOCK_MAX }, { P2_BLOCK_LARGE, 0, P2_BLOCK_MAX },
        { 0, P2_BLOCK_LARGE, P2_BLOCK_MAX }, { P2_BLOCK_MAX, P2_BLOCK_LARGE, P2_BLOCK_MAX }, { 1200, P2_BLOCK_LARGE, 1200 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        begin(ways[i].asked, ways[i].path);
        count_anew(count_sizes);
        boots_with(ways[i].block, 1000000);
        CHECK_EQ(largest_read, ways[i].block);
        CHECK_EQ(large_hellos, ways[i].asked > P2_BLOCK_MAX);
        CHECK(large_hellos + plain_hellos == 1); // here the answer comes before the second one is sent
        CHECK(progress().timeouts == 0, progress().lost == 0);
    }
}

TEST(an_old_server_is_as_quick_as_ever)
{
    begin(0, 0);
    count_anew(to_old_server);
    uint64_t began = now;
    CHECK(boot(now + 10000000));
    uint64_t took = now - began;
    begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE);
    count_anew(to_old_server);
    boots_with(P2_BLOCK_MAX, took + 10 * STEP);
    CHECK(large_hellos == 1, plain_hellos == 1);
}

// Between two hosts with jumbo frames lies something that has none.
TEST(a_way_that_does_not_carry_them)
{
    static const struct { uint32_t mtu, block; } holes[] = { { 8231, 1408 }, { 1448, 1408 }, { 1447, 1200 }, { 600, 512 } };
    for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
        begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE);
        servers[0].mtu = holes[i].mtu;
        boots_with(holes[i].block, holes[i].block == P2_BLOCK_MAX ? 200000 : 3000000);
        if (holes[i].block == P2_BLOCK_MAX)
            CHECK_EQ(progress().timeouts, 1);
    }
}

static uint32_t narrow_after; // blocks
static bool narrowing(uint8_t *data, size_t *len, struct net_addr *from)
{
    narrow_after -= data[5] == P2_DATA && narrow_after;
    return narrow_after || *len <= P2_MESSAGE_MAX;
}
TEST(a_way_that_becomes_narrow)
{
    begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE);
    to_client = narrowing;
    narrow_after = 30;
    boots_with(P2_BLOCK_MAX, 1000000);
    CHECK(progress().timeouts >= P2_STEP_DOWN_AFTER);
}

// Where they come through, one lost burst is no reason to give them up.
static bool lose_a_burst(uint8_t *data, size_t *len, struct net_addr *from)
{
    narrow_after += data[5] == P2_DATA;
    return narrow_after < 30 || narrow_after > 45;
}
TEST(a_burst_of_losses)
{
    begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE);
    to_client = lose_a_burst;
    narrow_after = 0;
    boots_with(P2_BLOCK_LARGE, 1000000);
    CHECK(progress().lost > 0);
}

// A cookie is good for what was offered with it.
static bool renewed_by_the_plain_one(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type == P2_READ && m->read.space == P2_SPACE_PAYLOAD && !narrow_after++)
        client.servers.at[0].cookie_time = now - P2_COOKIE_RENEW;
    return !narrow_after || to_old_server(m, to);
}
TEST(a_cookie_that_allows_less)
{
    begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE);
    narrow_after = 0;
    count_anew(renewed_by_the_plain_one);
    boots_with(P2_BLOCK_MAX, 1000000);
    CHECK(progress().has_server, progress().timeouts == 0);
    CHECK_EQ(servers[0].machine.stats.cookies_bad, 0);
    begin(P2_BLOCK_LARGE, P2_BLOCK_LARGE); // and where the other one arrives nothing changes
    narrow_after = 0;
    count_anew(count_sizes);
    CHECK(run_until(P2_SEALED, now + 1000000), accept_image());
    client.servers.at[0].cookie_time = now - P2_COOKIE_RENEW;
    CHECK(run_until(P2_VERIFIED, now + 1000000), memory_is(&image));
    CHECK_EQ(progress().block_size, P2_BLOCK_LARGE);
    CHECK_EQ(large_hellos, 2);
}

TEST(the_next_server_is_an_old_one)
{
    begin(0, 0);
    server_start(1, &image, 2);
    servers[0].path = P2_BLOCK_LARGE;
    struct net_addr both[] = { servers[0].addr, servers[1].addr };
    struct p2_client_config config = config_make(both, 2);
    config.block_max = P2_BLOCK_LARGE;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    servers[1].alive = false;
    CHECK(run_until(P2_SEALED, now + 1000000), accept_image());
    servers[1].alive = true;
    CHECK(run_until(P2_PAYLOAD, now + 1000000));
    servers[0].alive = false;
    CHECK(run_until(P2_VERIFIED, now + 10000000), memory_is(&image));
    CHECK_EQ(progress().block_size, P2_BLOCK_MAX);
    CHECK(progress().failovers > 0);
}

static bool offer_more(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_OFFER)
        store16_le(data + 80, (uint16_t)narrow_after);
    return true;
}
TEST(nobody_is_offered_more_than_it_asked_for)
{
    static const struct { uint16_t asked, offered; bool good; } offers[] = {
        { 0, P2_BLOCK_MAX, true }, { 0, P2_BLOCK_MAX + 1, false }, { 1200, P2_BLOCK_MAX, true }, { 4000, 4000, true },
        { 4000, 4001, false }, { P2_BLOCK_LARGE, P2_BLOCK_LARGE, true }, { P2_BLOCK_LARGE, P2_BLOCK_LARGE + 1, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
        begin(offers[i].asked, P2_BLOCK_LARGE);
        to_client = offer_more;
        narrow_after = offers[i].offered;
        (void)run_until(P2_SEAL, now + 300000);
        CHECK_EQ(progress().has_server, offers[i].good);
    }
}

TEST_MAIN(T(both_must_want_them), T(an_old_server_is_as_quick_as_ever), T(a_way_that_does_not_carry_them),
          T(a_way_that_becomes_narrow), T(a_burst_of_losses), T(a_cookie_that_allows_less), T(the_next_server_is_an_old_one),
          T(nobody_is_offered_more_than_it_asked_for))
