// SPDX-License-Identifier: MPL-2.0
// One greedy host and some honest clients at one server, on virtual time: the wire carries a block in so many microseconds,
// and what the server puts on it first leaves first. The greedy host says HELLO under one nonce after the other, echoes each
// cookie, asks for all that a READ may ask for and throws away what comes. No honest client may fall below half of what it
// has alone beside its like. No randomness: a failure is the same each time.
#include "phase2/server.h"

#include "base/test.h"

#define PEERS 2048 // as tools/bootserver.c has
#define JOBS 16384
#define CHUNK (256u * 1024)
#define PAYLOAD (64u << 20)
#define BLOCK_US 12      // of 1448 bytes at a gigabit a second
#define QUEUE_US 2000    // what the sender's queue holds
#define SECONDS 4
#define HONEST_MAX 20
#define GREEDY_EVERY 7000 // us between messages of 832 bytes: 106 kB a second

static struct p2_server server;
static struct p2_peer peers[PEERS];
static struct p2_job jobs[JOBS];
static struct p2_image image = { .id = { 7 }, .seal_size = 700, .list_size = 8192, .payload_size = PAYLOAD,
                                 .chunk_size = CHUNK, .name = "i" };

static const struct p2_image *by_name(void *ctx, const char *name)
{
    return &image;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    return &image;
}

static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    return P2_BLOCK_LARGE;
}

// A client that has `window` blocks asked for (large ones counted as p2_block_frames says), and asks for more when half of them
// came.
struct honest {
    struct net_addr addr;
    uint16_t block;
    uint8_t cookie[P2_COOKIE_SIZE];
    uint32_t window, waiting, busy; // busy: how often it was told so
    uint64_t next, got;
};

static struct honest honest[HONEST_MAX];
static uint64_t now, wire_free;
static uint32_t told_busy;
static bool mixed; // every other honest client has large blocks

// Where a host is: in IPv4, in one IPv6 network with all others, on the link.
enum where { V4, SAME_NET, LINK };

static struct net_addr address(enum where where, uint32_t host, uint16_t port)
{
    uint8_t v4[4] = { 10, 0, (uint8_t)(host >> 8), (uint8_t)host };
    struct net_addr a = where == V4 ? net_addr_v4(v4, port) : (struct net_addr){ .port = port };
    if (where == V4)
        return a;
    a.ip[0] = where == LINK ? 0xfe : 0x20;
    a.ip[1] = where == LINK ? 0x80 : 0x01;
    a.zone = where == LINK;
    a.ip[14] = (uint8_t)(host >> 8);
    a.ip[15] = (uint8_t)host;
    return a;
}

static void say(struct p2_message *m, uint32_t nonce, const struct net_addr *from)
{
    uint8_t buf[P2_MESSAGE_MAX];
    store32_le(m->nonce, nonce);
    int n = p2_wire_write(m, buf, sizeof buf);
    if (n <= 0 || p2_server_input(&server, buf, (size_t)n, from, now) != 0)
        abort();
}

static void say_hello(uint32_t nonce, const struct net_addr *from, uint16_t block)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_HELLO;
    m.hello.block_max = block > P2_BLOCK_MAX ? block : 0;
    say(&m, nonce, from);
}

static struct p2_message read_message(const uint8_t cookie[P2_COOKIE_SIZE], uint16_t block)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_READ;
    memcpy(m.read.cookie, cookie, P2_COOKIE_SIZE);
    memcpy(m.read.tag, image.id, P2_TAG_SIZE);
    m.read.space = P2_SPACE_PAYLOAD;
    m.read.block_size = block;
    m.read.stamp = 1;
    return m;
}

static void ask(struct honest *h)
{
    uint32_t blocks = (h->window - h->waiting) / p2_block_frames(h->block);
    struct p2_message m = read_message(h->cookie, h->block);
    m.read.range_count = 1;
    m.read.ranges[0] = (struct p2_range){ .offset = h->next, .length = blocks * h->block };
    // Whole chunks are 186 blocks and a rest: near enough to count in whole blocks here.
    h->next = (h->next + blocks * h->block) % (PAYLOAD / 2);
    blocks *= p2_block_frames(h->block);
    h->waiting += blocks;
    say(&m, 1, &h->addr);
}

// All that one READ may ask for: 64 ranges of 16 blocks, in the last chunks.
static void grab(uint32_t nonce, const uint8_t *cookie, const struct net_addr *from, uint16_t block)
{
    struct p2_message m = read_message(cookie, block);
    m.read.range_count = P2_RANGES_MAX;
    for (uint32_t i = 0; i < P2_RANGES_MAX; i++)
        m.read.ranges[i] = (struct p2_range){ .offset = PAYLOAD / 2 + i * CHUNK / 2, .length = 16 / p2_block_frames(block) * block };
    say(&m, nonce, from);
}

static struct honest *whose(const struct net_addr *to, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (net_addr_equal(to, &honest[i].addr))
            return &honest[i];
    return NULL;
}

struct greedy {
    struct net_addr addr;
    uint16_t block;
    uint32_t nonce;
    bool asked;
    uint8_t cookie[P2_COOKIE_SIZE];
};

static void take(const struct p2_send *send, uint32_t count, struct greedy *greedy)
{
    struct honest *h = whose(&send->to, count);
    if (send->length) {
        uint32_t blocks = (send->length + send->block_size - 1) / send->block_size * p2_block_frames(send->block_size);
        wire_free = MAX(wire_free, now) + blocks * BLOCK_US;
        if (!h)
            return;
        h->got += send->length;
        h->waiting -= MIN(h->waiting, blocks);
        return;
    }
    struct p2_message m;
    if (p2_wire_read(send->head, send->head_len, &m) != 0)
        abort();
    if (m.type == P2_OFFER)
        memcpy(h ? h->cookie : greedy->cookie, m.offer.cookie, P2_COOKIE_SIZE);
    if (m.type == P2_ERROR && h) {
        h->busy += m.error.code == P2_ERROR_BUSY;
        h->waiting = 0; // asks again
    }
}

// The least that an honest client got, in bytes a second.
static uint64_t run(enum where where, enum where greedy_where, uint32_t count, uint32_t window, uint16_t block, uint16_t greedy_block,
                    bool attacked)
{
    struct p2_server_config config = { .images = { .by_name = by_name, .by_tag = by_tag }, .secret = { 3 }, .name = "s",
                                       .peers = peers, .peer_count = PEERS, .jobs = jobs, .job_count = JOBS,
                                       .path_block = path_block };
    struct greedy greedy = { .addr = address(greedy_where, 1000, 99), .block = greedy_block, .nonce = 100 };
    struct p2_send send;
    struct p2_event event;
    uint64_t greedy_next = 0, least = UINT64_MAX;
    now = wire_free = 1;
    told_busy = 0;
    if (p2_server_init(&server, &config) != 0)
        abort();
    for (uint32_t i = 0; i < count; i++) {
        honest[i] = (struct honest){ .addr = address(where, 1 + i, 50), .block = mixed && i % 2 ? P2_BLOCK_LARGE : block, .window = window };
        say_hello(1, &honest[i].addr, honest[i].block);
    }
    for (; now < SECONDS * 1000000u; now += 50) {
        if (attacked && now >= greedy_next) {
            greedy_next = now + GREEDY_EVERY;
            if (greedy.asked)
                grab(greedy.nonce, greedy.cookie, &greedy.addr, greedy.block);
            else
                say_hello(++greedy.nonce, &greedy.addr, greedy.block);
            greedy.asked = !greedy.asked;
        }
        while (wire_free < now + QUEUE_US && p2_server_output(&server, &send, P2_SERVER_QUANTUM, now))
            take(&send, count, &greedy);
        for (uint32_t i = 0; i < count; i++)
            if (honest[i].waiting <= window / 2)
                ask(&honest[i]);
        while (p2_server_event(&server, &event))
            ;
    }
    for (uint32_t i = 0; i < count; i++) {
        least = MIN(least, honest[i].got / SECONDS);
        told_busy += honest[i].busy;
    }
    return least;
}

static void compare_blocks(enum where where, enum where greedy_where, uint32_t count, uint32_t window, uint16_t block,
                           uint16_t greedy_block)
{
    uint64_t alone = run(where, greedy_where, count, window, block, greedy_block, false);
    uint64_t beside = run(where, greedy_where, count, window, block, greedy_block, true);
    printf("# %u honest, window %u, blocks of %u: %.1f MB/s, beside a greedy host with %u %.1f MB/s\n", count, window, block,
           (double)alone / 1e6, greedy_block, (double)beside / 1e6);
    CHECK(alone > 0);
    uint32_t turn = P2_SERVER_QUANTUM / p2_block_frames(block) * p2_block_frames(block); // of whole blocks
    CHECK(beside * 2 * P2_SERVER_QUANTUM >= alone * turn);
    CHECK_EQ(told_busy, 0); // there is room for who holds little
    CHECK_EQ(server.stats.peers_evicted, 0);
}

static void compare(enum where where, enum where greedy_where, uint32_t count, uint32_t window)
{
    compare_blocks(where, greedy_where, count, window, P2_BLOCK_MAX, P2_BLOCK_MAX);
}

TEST(greedy_host_beside_ipv4_clients)
{
    compare(V4, V4, 1, 896);
    compare(V4, V4, 1, 256);
    compare(V4, V4, 5, 896);
    compare(V4, V4, HONEST_MAX, 256);
}

TEST(greedy_host_on_the_link)
{
    compare(LINK, LINK, 1, 896);
    compare(LINK, LINK, 5, 256);
}

TEST(greedy_host_in_the_same_ipv6_network)
{
    compare(SAME_NET, SAME_NET, 1, 896);
    compare(SAME_NET, SAME_NET, 5, 256);
    compare(V4, SAME_NET, 5, 256);
}

TEST(greedy_host_with_large_blocks)
{
    compare_blocks(V4, V4, 1, 896, P2_BLOCK_MAX, P2_BLOCK_LARGE);
    compare_blocks(V4, V4, 5, 256, P2_BLOCK_MAX, P2_BLOCK_LARGE);
    compare_blocks(V4, V4, 1, 896, P2_BLOCK_LARGE, P2_BLOCK_MAX);
    compare_blocks(SAME_NET, SAME_NET, 5, 256, P2_BLOCK_LARGE, P2_BLOCK_LARGE);
    compare_blocks(LINK, LINK, HONEST_MAX, 256, P2_BLOCK_LARGE, P2_BLOCK_MAX);
}

// Half of the clients have jumbo frames: to each the same, nearly.
TEST(large_and_usual_blocks_share_alike)
{
    uint64_t usual = 0, large = 0;
    mixed = true;
    run(V4, V4, 10, 256, P2_BLOCK_MAX, P2_BLOCK_MAX, false);
    mixed = false;
    for (uint32_t i = 0; i < 10; i++)
        *(honest[i].block > P2_BLOCK_MAX ? &large : &usual) += honest[i].got;
    printf("# usual blocks %.1f MB/s each, large ones %.1f MB/s\n", (double)usual / 5 / SECONDS / 1e6, (double)large / 5 / SECONDS / 1e6);
    CHECK(large * 10 >= usual * 8, large * 8 <= usual * 10);
}

TEST_MAIN(T(greedy_host_with_large_blocks), T(large_and_usual_blocks_share_alike),
          T(greedy_host_beside_ipv4_clients), T(greedy_host_on_the_link), T(greedy_host_in_the_same_ipv6_network))
