// SPDX-License-Identifier: MPL-2.0
// What the tests of the server machine share: a server with one image of bytes only (it never looks into them), and the
// messages of its clients.
#pragma once
#include "phase2/server.h"

#include "base/test.h"

#define PEERS 64
#define JOBS 256
#define CHUNK 8192
#define SEAL_BYTES 700
#define LIST_BYTES 128
#define PAYLOAD_BYTES (3 * CHUNK + 1000)

static struct p2_server server;
static struct p2_peer peers[PEERS];
static struct p2_job jobs[JOBS];
static uint8_t seal[SEAL_BYTES], list[LIST_BYTES], payload[PAYLOAD_BYTES];
static struct p2_image image = { .id = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, .seal_size = SEAL_BYTES, .list_size = LIST_BYTES,
                                 .payload_size = PAYLOAD_BYTES, .chunk_size = CHUNK, .name = "debian" };
static bool image_here;

static const struct p2_image *by_name(void *ctx, const char *name)
{
    return image_here && (!name[0] || strcmp(name, "debian") == 0) ? &image : NULL;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    return image_here && memcmp(tag, image.id, P2_TAG_SIZE) == 0 ? &image : NULL;
}
static const uint8_t *bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    return (space == P2_SPACE_SEAL ? seal : space == P2_SPACE_LIST ? list : payload) + offset;
}

static struct p2_server_config config_make(uint8_t secret)
{
    struct p2_server_config config = {
        .images = { .by_name = by_name, .by_tag = by_tag, .bytes = bytes },
        .secret = { secret, 1, 2, 3 }, .instance = { 9, 9 }, .name = "boot-1",
        .peers = peers, .peer_count = PEERS, .jobs = jobs, .job_count = JOBS,
    };
    return config;
}
static void setup(void)
{
    struct p2_server_config config = config_make(7);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + (i >> 8));
    memset(seal, 0x51, sizeof seal);
    memset(list, 0x61, sizeof list);
    image_here = true;
    if (p2_server_init(&server, &config) != 0)
        abort();
}

static struct net_addr host(uint8_t last, uint16_t port)
{
    uint8_t ip[4] = { 192, 0, 2, last };
    return net_addr_v4(ip, port);
}
static struct p2_message message(uint8_t type, uint8_t nonce)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = type;
    memset(m.nonce, nonce, sizeof m.nonce);
    return m;
}
static void say(const struct p2_message *m, const struct net_addr *from, uint64_t now)
{
    uint8_t buf[P2_MESSAGE_MAX];
    int n = p2_wire_write(m, buf, sizeof buf);
    if (n <= 0)
        abort();
    p2_server_input(&server, buf, (size_t)n, from, now);
}
static bool answer(struct p2_message *ret, struct net_addr *ret_to, uint64_t now)
{
    static uint8_t buf[P2_MESSAGE_MAX]; // DATA's bytes point here until the next answer
    int n = p2_server_output_flat(&server, buf, sizeof buf, ret_to, now);
    return n > 0 && p2_wire_read(buf, (size_t)n, ret) == 0;
}
static UNUSED unsigned drain(uint64_t now)
{
    struct p2_message m;
    struct net_addr to;
    unsigned n = 0;
    while (answer(&m, &to, now))
        n++;
    return n;
}

static UNUSED bool hello(uint8_t nonce, const struct net_addr *from, uint64_t now, uint8_t cookie[P2_COOKIE_SIZE])
{
    struct p2_message m = message(P2_HELLO, nonce), r;
    struct net_addr to;
    memset(m.hello.facts.mac, nonce, 6);
    say(&m, from, now);
    if (!answer(&r, &to, now) || r.type != P2_OFFER || !net_addr_equal(&to, from))
        return false;
    memcpy(cookie, r.offer.cookie, P2_COOKIE_SIZE);
    return true;
}
static UNUSED struct p2_message read_of(uint8_t nonce, const uint8_t *cookie, uint8_t space, uint64_t offset, uint32_t length)
{
    struct p2_message m = message(P2_READ, nonce);
    memcpy(m.read.cookie, cookie, P2_COOKIE_SIZE);
    memcpy(m.read.tag, image.id, P2_TAG_SIZE);
    m.read.space = space;
    m.read.block_size = P2_BLOCK_MAX;
    m.read.stamp = 77;
    m.read.range_count = 1;
    m.read.ranges[0] = (struct p2_range){ .offset = offset, .length = length };
    return m;
}
