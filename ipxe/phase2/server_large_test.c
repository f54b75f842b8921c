// SPDX-License-Identifier: MPL-2.0
// The server machine and blocks larger than everybody takes: offered to who asks for them and can be reached by them, to nobody
// else, and no larger a share for who has them.
#include "phase2/testserver.h"

#define LARGE_CHUNK (256u * 1024)
#define LARGE_PAYLOAD (16u << 20)
#define FRAMES 6 // that a block of P2_BLOCK_LARGE counts as

static uint16_t carried;
static uint32_t asked_for_way;
static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    asked_for_way++;
    return carried;
}

static void begin(uint16_t path)
{
    setup();
    struct p2_server_config config = config_make(7);
    config.path_block = path_block;
    carried = path;
    asked_for_way = 0;
    image.payload_size = LARGE_PAYLOAD;
    image.chunk_size = LARGE_CHUNK;
    if (p2_server_init(&server, &config) != 0)
        abort();
}

// What is offered to who asks for so much; its cookie.
static uint16_t offered(uint16_t wanted, uint8_t nonce, const struct net_addr *from, uint8_t cookie[P2_COOKIE_SIZE])
{
    struct p2_message m = message(P2_HELLO, nonce);
    struct p2_send send;
    m.hello.block_max = wanted;
    say(&m, from, 1);
    if (!p2_server_output(&server, &send, 1, 1) || p2_wire_read(send.head, send.head_len, &m) != 0 || m.type != P2_OFFER ||
        m.offer.window_max != P2_READ_BLOCKS_MAX)
        abort();
    memcpy(cookie, m.offer.cookie, P2_COOKIE_SIZE);
    return m.offer.block_max;
}

static void ask(uint8_t nonce, const struct net_addr *from, const uint8_t *cookie, uint16_t block, uint32_t blocks)
{
    struct p2_message m = read_of(nonce, cookie, P2_SPACE_PAYLOAD, 0, block * blocks);
    m.read.block_size = block;
    say(&m, from, 1);
}

TEST(only_who_asks_is_offered_them)
{
    static const struct { uint16_t wanted, carried, offered; } cases[] = {
        { 0, P2_BLOCK_LARGE, P2_BLOCK_MAX }, { 1, P2_BLOCK_LARGE, P2_BLOCK_MAX }, { P2_BLOCK_MAX, P2_BLOCK_LARGE, P2_BLOCK_MAX },
        { P2_BLOCK_MAX + 1, P2_BLOCK_LARGE, P2_BLOCK_MAX + 1 }, { UINT16_MAX, P2_BLOCK_LARGE, P2_BLOCK_LARGE },
        { P2_BLOCK_LARGE, 3912, 3912 }, { P2_BLOCK_LARGE, 1412, 1412 }, { P2_BLOCK_LARGE, 1000, P2_BLOCK_MAX }, { P2_BLOCK_LARGE, 0, P2_BLOCK_MAX },
        { UINT16_MAX, UINT16_MAX, P2_BLOCK_LARGE },
    };
    struct net_addr a = host(1, 7);
    uint8_t cookie[P2_COOKIE_SIZE];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(cases[i].carried);
        CHECK_EQ(offered(cases[i].wanted, 5, &a, cookie), cases[i].offered);
        CHECK_EQ(asked_for_way, cases[i].wanted > P2_BLOCK_MAX); // who asks for nothing costs nothing
    }
    setup(); // a server that has no such ways
    CHECK_EQ(offered(P2_BLOCK_LARGE, 5, &a, cookie), P2_BLOCK_MAX);
}

static uint16_t error_of(struct p2_send *send)
{
    struct p2_message m;
    if (!p2_server_output(&server, send, 1, 1) || send->length || p2_wire_read(send->head, send->head_len, &m) != 0)
        return 0;
    return m.type == P2_ERROR ? m.error.code : m.type == P2_RESET ? 1000 : 0;
}

// The server remembers nobody for it: what was offered stands in the cookie, which nobody else can make.
TEST(more_than_was_offered_is_refused)
{
    struct net_addr a = host(1, 7), b = host(2, 7);
    uint8_t small[P2_COOKIE_SIZE], middle[P2_COOKIE_SIZE], large[P2_COOKIE_SIZE], forged[P2_COOKIE_SIZE];
    struct p2_send send;
    begin(P2_BLOCK_LARGE);
    offered(0, 5, &a, small);
    offered(4000, 5, &a, middle);
    offered(P2_BLOCK_LARGE, 5, &a, large);
    memset(peers, 0, sizeof peers); // all entries are lost
    begin(P2_BLOCK_LARGE);
    const struct { const uint8_t *cookie; uint16_t block, code; } reads[] = {
        { small, P2_BLOCK_MAX, 0 }, { small, P2_BLOCK_MAX + 1, P2_ERROR_BAD_READ }, { small, P2_BLOCK_LARGE, P2_ERROR_BAD_READ },
        { middle, P2_BLOCK_MAX, 0 }, { middle, 4000, 0 }, { middle, 4001, P2_ERROR_BAD_READ }, { large, P2_BLOCK_LARGE, 0 },
        { large, P2_BLOCK_MIN, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
        ask(5, &a, reads[i].cookie, reads[i].block, 1);
        CHECK_EQ(error_of(&send), reads[i].code);
        CHECK_EQ(send.length, reads[i].code ? 0 : reads[i].block);
    }
    ask(5, &b, large, P2_BLOCK_LARGE, 1);
    CHECK_EQ(error_of(&send), 1000);
    for (uint32_t block = 1; block <= UINT16_MAX; block += 17) {
        memcpy(forged, small, sizeof forged);
        store16_le(forged, (uint16_t)block);
        if (block == P2_BLOCK_MAX)
            continue;
        ask(5, &a, forged, P2_BLOCK_MAX, 1);
        CHECK_EQ(error_of(&send), 1000);
    }
}

// A turn is the same number of bytes, nearly; and so is what waits for a client, and what one READ may ask for.
TEST(large_blocks_are_no_larger_share)
{
    struct net_addr a = host(1, 7), b = host(2, 7);
    uint8_t small[P2_COOKIE_SIZE], large[P2_COOKIE_SIZE];
    struct p2_send send;
    uint64_t got[2] = { 0 };
    begin(P2_BLOCK_LARGE);
    offered(0, 5, &a, small);
    offered(P2_BLOCK_LARGE, 6, &b, large);
    ask(5, &a, small, P2_BLOCK_MAX, P2_READ_BLOCKS_MAX / 2);
    ask(6, &b, large, P2_BLOCK_LARGE, P2_READ_BLOCKS_MAX / 2 / FRAMES);
    CHECK_EQ(peers[0].used + peers[1].used <= 2, 1);
    for (int turns = 0; turns < 8; turns++) {
        uint64_t turn = 0;
        struct net_addr to = { .port = 0 };
        do {
            uint32_t before = server.quantum;
            if (!p2_server_output(&server, &send, P2_SERVER_QUANTUM, 1))
                abort();
            CHECK(turn == 0 || net_addr_equal(&to, &send.to) || before < FRAMES);
            to = send.to;
            turn += send.length;
        } while (server.quantum >= FRAMES && server.quantum < P2_SERVER_QUANTUM);
        CHECK(turn <= P2_SERVER_QUANTUM * P2_BLOCK_MAX);
        got[net_addr_equal(&to, &b)] += turn;
    }
    CHECK(got[1] * 10 >= got[0] * 8, got[1] * 8 <= got[0] * 10);
    while (p2_server_output(&server, &send, P2_SERVER_QUANTUM, 1))
        ;
    CHECK(server.root.jobs == 0, server.root.blocks == 0);
}

TEST(bounds_are_of_bytes)
{
    struct net_addr a = host(1, 7);
    uint8_t large[P2_COOKIE_SIZE];
    struct p2_send send;
    begin(P2_BLOCK_LARGE);
    offered(P2_BLOCK_LARGE, 6, &a, large);
    ask(6, &a, large, P2_BLOCK_LARGE, P2_READ_BLOCKS_MAX / FRAMES + 1); // one READ
    CHECK_EQ(error_of(&send), P2_ERROR_BUSY);
    uint32_t reads = 0;
    for (uint32_t i = 0; i < 64; i++) { // all that wait
        struct p2_message m = read_of(6, large, P2_SPACE_PAYLOAD, i * LARGE_CHUNK, 16 * P2_BLOCK_LARGE);
        m.read.block_size = P2_BLOCK_LARGE;
        say(&m, &a, 1);
        reads += server.reply_count == 0;
    }
    CHECK(reads > 0, server.root.blocks == reads * 16 * FRAMES);
    CHECK(server.root.blocks <= P2_SERVER_PEER_BLOCKS);
    CHECK(reads < 64, server.stats.busy > 1);
    uint64_t bytes_sent = 0;
    while (p2_server_output(&server, &send, P2_SERVER_QUANTUM, 1)) {
        CHECK(send.length <= P2_SERVER_QUANTUM / FRAMES * P2_BLOCK_LARGE);
        bytes_sent += send.length;
    }
    CHECK_EQ(bytes_sent, reads * 16 * (uint64_t)P2_BLOCK_LARGE);
    CHECK(server.root.jobs == 0, server.root.blocks == 0);
}

TEST(flat_needs_room_for_them)
{
    static uint8_t flat[P2_MESSAGE_LARGE];
    struct net_addr a = host(1, 7), to;
    uint8_t large[P2_COOKIE_SIZE];
    begin(P2_BLOCK_LARGE);
    image.payload_size = PAYLOAD_BYTES; // whose bytes are there
    offered(P2_BLOCK_LARGE, 6, &a, large);
    ask(6, &a, large, P2_BLOCK_LARGE, 2);
    CHECK_EQ(p2_server_output_flat(&server, flat, P2_MESSAGE_LARGE - 1, &to, 1), ERR_TOO_LARGE);
    CHECK_EQ(p2_server_output_flat(&server, flat, sizeof flat, &to, 1), P2_MESSAGE_LARGE);
    CHECK(memcmp(flat + P2_DATA_FIXED, payload, P2_BLOCK_LARGE) == 0);
}

TEST_MAIN(T(only_who_asks_is_offered_them), T(more_than_was_offered_is_refused), T(large_blocks_are_no_larger_share), T(bounds_are_of_bytes),
          T(flat_needs_room_for_them))
