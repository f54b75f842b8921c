// SPDX-License-Identifier: MPL-2.0
// Datagrams into the client machine, in whichever phase an honest server has brought it to. The input: u8 how
// many turns of an honest boot come first, then records: u8 kind, u8 length / 8, bytes. The kind chooses the
// address, whether the right nonce, tag and space are patched in, and what the caller does in between: turns, hashing, and
// claiming chunks that it has, whether it has them or not.
// Checked: it never says VERIFIED with other bytes than the payload's, never writes outside the map, and ends
// or waits with a deadline.
#include "phase2/client.h"

#include "base/fuzz.h"
#include "crypto/testkeys.h"
#include "phase2/server.h"
#include "phase2/testimage.h"

#define PAYLOAD (5 * 4096)
#define GUARD 32
#define TURNS_MAX 128

static struct testimage image;
static struct p2_image view;
static struct trust_store trust;
static struct p2_client client;
static struct p2_server server;
static struct p2_peer peers[8];
static struct p2_job jobs[64];
static uint8_t seal_buf[SEAL_MAX], list_buf[4096], bits[16], memory[2 * PAYLOAD + 3 * GUARD];
static const struct net_addr server_addr = { .ip = { 0xfe, 0x80, [15] = 1 }, .port = P2_PORT };
static const struct net_addr client_addr = { .ip = { 0xfe, 0x80, [15] = 2 }, .port = 4444 };
static uint64_t now;
static bool large; // blocks are

static const struct p2_image *by_name(void *ctx, const char *name)
{
    return &view;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    return memcmp(tag, view.id, P2_TAG_SIZE) == 0 ? &view : NULL;
}
static const uint8_t *bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    return (space == P2_SPACE_SEAL ? image.file : space == P2_SPACE_LIST ? image.list : image.payload) + offset;
}

static void image_make(void)
{
    if (image.file)
        return;
    testimage_make(&image, "fuzz", PAYLOAD, 1, TESTKEY_P256_A);
    testkey_trust(&trust, TESTKEY_P256_A);
    view = (struct p2_image){ .seal_size = (uint32_t)image.seal_len, .list_size = image.seal.chunk_count * 32,
                              .payload_size = image.seal.payload_size, .chunk_size = image.seal.chunk_size };
    memcpy(view.id, image.seal.image_id, sizeof view.id);
}

static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    return P2_BLOCK_LARGE;
}

static void start(void)
{
    static const uint8_t seed[16] = { 3 };
    static const struct net_addr group = { .ip = P2_GROUP_V6, .port = P2_PORT };
    struct p2_server_config sc = { .images = { .by_name = by_name, .by_tag = by_tag, .bytes = bytes }, .peers = peers, .peer_count = 8,
                                   .jobs = jobs, .job_count = 64, .path_block = path_block };
    struct p2_client_config cc = { .trust = &trust, .image = "", .seed = seed, .seed_len = sizeof seed, .seal_buf = seal_buf,
                                   .seal_cap = sizeof seal_buf, .targets = &group, .target_count = 1, .window_max = 8,
                                   .block_max = large ? P2_BLOCK_LARGE : 0 };
    now = 1;
    if (p2_server_init(&server, &sc) != 0 || p2_client_init(&client, &cc, now) != 0)
        __builtin_trap();
}

static void check_memory(void)
{
    const uint8_t *a = memory + GUARD;
    uint64_t size = image.seal.payload_size;
    for (uint32_t i = 0; i < GUARD; i++)
        if (memory[i] != 0x5a || a[size + i] != 0x5a)
            __builtin_trap();
    if (p2_client_phase(&client) == P2_VERIFIED && memcmp(a, image.payload, size) != 0)
        __builtin_trap();
}

// What a caller does; the honest server answers when `served`.
static void turn(bool served)
{
    uint8_t buf[P2_MESSAGE_LARGE];
    struct net_addr to;
    int n = p2_client_output(&client, buf, sizeof buf, &to, now);
    if (n < 0)
        __builtin_trap();
    if (n > 0) {
        struct p2_message m;
        if (p2_wire_read(buf, (size_t)n, &m) != 0)
            __builtin_trap();
        if (!served)
            return;
        p2_server_input(&server, buf, (size_t)n, &client_addr, now);
        while ((n = p2_server_output_flat(&server, buf, sizeof buf, &to, now)) > 0)
            p2_client_input(&client, buf, (size_t)n, &server_addr, now);
        return;
    }
    if (p2_client_work(&client, 5000) > 0)
        return;
    struct scatter map = { .size = image.seal.payload_size, .count = 2 };
    switch (p2_client_phase(&client)) {
    case P2_SEALED:
        memset(memory, 0x5a, sizeof memory);
        map.pieces[0] = (struct scatter_piece){ 0, 5000, memory + GUARD };
        map.pieces[1] = (struct scatter_piece){ 5000, map.size - 5000, memory + GUARD + 5000 };
        if (p2_client_accept(&client, &map, list_buf, bits) != 0)
            __builtin_trap();
        break;
    case P2_VERIFIED: check_memory(); break;
    default: {
        uint64_t t = p2_client_deadline(&client);
        if (t == UINT64_MAX && p2_client_phase(&client) < P2_VERIFIED)
            __builtin_trap(); // a hang
        if (t != UINT64_MAX)
            now = MAX(now, t);
    }
    }
}

// A claim at any time, which the contract does not allow; right bytes at most, so that none is spoilt that was verified.
static void claim(uint8_t chunk, bool write)
{
    uint64_t offset = (uint64_t)chunk * CHUNK_SIZE_MIN;
    if (write && offset < image.seal.payload_size)
        memcpy(memory + GUARD + offset, image.payload + offset, seal_chunk_length(&image.seal, chunk));
    if (p2_client_local(&client, chunk) == 1 &&
        memcmp(memory + GUARD + offset, image.payload + offset, seal_chunk_length(&image.seal, chunk)) != 0)
        __builtin_trap();
}

static void patch(uint8_t kind, uint8_t *buf, size_t len)
{
    if (len < P2_HEAD_SIZE)
        return;
    memcpy(buf, P2_MAGIC, 4);
    buf[4] = P2_VERSION;
    buf[6] = buf[7] = 0;
    memcpy(buf + 8, kind & 2 ? client.hello.nonce : client.servers.at[0].nonce, P2_NONCE_SIZE);
    if (kind & 4 && len >= P2_DATA_FIXED && buf[5] == P2_DATA) {
        memcpy(buf + 16, client.image_id, P2_TAG_SIZE);
        memset(buf + 28, 0, 4);
        memset(buf + 36, 0, 4);
        buf[32] = client.intake.space;
        buf[33] = 0;
        if (kind & 8) // on the grid of blocks
            store64_le(buf + 24, (uint64_t)(buf[24] & 15) * client.intake.block_size + (uint64_t)(buf[25] & 7) * 4096);
    }
}

// The world after each turn of an honest boot up to VERIFIED. Machines without I/O can be copied, so that no
// input pays for the signature again.
static struct moment {
    struct p2_client client;
    struct p2_server server;
    struct p2_peer peers[8];
    struct p2_job jobs[64];
    uint8_t seal_buf[1024], list_buf[1024], bits[16], memory[sizeof memory];
    uint64_t now;
} moments[TURNS_MAX];
static uint32_t moment_count;

static void moments_make(void)
{
    uint32_t end = moment_count + TURNS_MAX / 2;
    start();
    memset(memory, 0x5a, sizeof memory);
    while (moment_count < end && p2_client_phase(&client) != P2_VERIFIED) {
        struct moment *m = &moments[moment_count++];
        m->client = client;
        m->server = server;
        memcpy(m->peers, peers, sizeof peers);
        memcpy(m->jobs, jobs, sizeof jobs);
        memcpy(m->seal_buf, seal_buf, sizeof m->seal_buf);
        memcpy(m->list_buf, list_buf, sizeof m->list_buf);
        memcpy(m->bits, bits, sizeof bits);
        memcpy(m->memory, memory, sizeof memory);
        m->now = now;
        turn(true);
    }
    if (moment_count < 10 || image.seal_len > sizeof moments[0].seal_buf)
        __builtin_trap();
}

static void moment_take(uint32_t i)
{
    const struct moment *m = &moments[i % moment_count];
    client = m->client;
    server = m->server;
    memcpy(peers, m->peers, sizeof peers);
    memcpy(jobs, m->jobs, sizeof jobs);
    memcpy(seal_buf, m->seal_buf, sizeof m->seal_buf);
    memcpy(list_buf, m->list_buf, sizeof m->list_buf);
    memcpy(bits, m->bits, sizeof bits);
    memcpy(memory, m->memory, sizeof memory);
    now = m->now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    image_make();
    if (!moment_count) {
        moments_make();
        large = true;
        moments_make();
    }
    if (size < 1)
        return 0;
    moment_take(data[0]);
    size_t at = 1;
    while (size - at >= 2) {
        uint8_t kind = data[at], buf[P2_MESSAGE_MAX];
        size_t len = MIN((size_t)data[at + 1] * 8, MIN(size - at - 2, sizeof buf));
        memcpy(buf, data + at + 2, len);
        at += 2 + len;
        struct net_addr from = server_addr;
        if (kind & 1)
            patch(kind, buf, len);
        else if (kind & 8 && len > 0)
            claim(buf[0] & 15, kind & 4);
        if (kind & 16)
            from.ip[15] = (uint8_t)(2 + (kind >> 5));
        p2_client_input(&client, buf, len, &from, now);
        if (kind & 32)
            turn(true);
        if (kind & 64)
            turn(false);
        if (kind & 128)
            p2_client_work(&client, 3000);
        check_memory();
    }
    // With the honest server alone from here on it must come to an end. (Before SEALED that would
    // mean a signature to check, a hundred times the cost of all the rest: client_sim does that.)
    if (!client.bound)
        return 0;
    for (uint32_t i = 0; i < 20000 && p2_client_phase(&client) < P2_VERIFIED; i++)
        turn(true);
    if (p2_client_phase(&client) < P2_VERIFIED)
        __builtin_trap();
    check_memory();
    return 0;
}
