// SPDX-License-Identifier: MPL-2.0
// Datagrams into the server machine. The input is a sequence of records: u8 kind, u8 length / 8, bytes. The
// kind chooses the address, and whether nonce, cookie and tag are patched in so that the bytes behind them
// are reached; and how much time passes and how much is drained. Checked: bounds, no amplification towards
// an address that has no cookie, every DATA inside the image.
#include "phase2/server.h"

#include "base/fuzz.h"
#include "base/range.h"

#define PEERS 20
#define JOBS 40
#define SIZE 100000

static uint8_t content[SIZE];
static struct p2_image image = { .id = { 'i', 'm', 'a', 'g', 'e' }, .seal_size = 600, .list_size = 64, .payload_size = SIZE,
                                 .chunk_size = 4096 };
static bool here;

static const struct p2_image *by_name(void *ctx, const char *name)
{
    return here && name[0] != 'x' ? &image : NULL;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    return here && memcmp(tag, image.id, P2_TAG_SIZE) == 0 ? &image : NULL;
}
static const uint8_t *bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    uint64_t size = space == P2_SPACE_SEAL ? i->seal_size : space == P2_SPACE_LIST ? i->list_size : i->payload_size;
    if (!range_fits(offset, length, size))
        __builtin_trap();
    return content + offset;
}

static struct p2_server server;
static struct p2_peer peers[PEERS];
static struct p2_job jobs[JOBS];
static uint8_t cookies[4][P2_COOKIE_SIZE];
static bool has_cookie[4];

// To some clients lead ways of jumbo frames.
static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    return to->port & 1 ? P2_BLOCK_LARGE : 1500;
}

static size_t drain(uint64_t now, uint32_t limit)
{
    uint8_t buf[P2_MESSAGE_LARGE];
    struct net_addr to;
    size_t sent = 0;
    for (uint32_t i = 0; i < limit; i++) {
        int n = p2_server_output_flat(&server, buf, sizeof buf, &to, now);
        if (n < 0)
            __builtin_trap();
        if (n == 0)
            break;
        sent += (size_t)n;
        struct p2_message m;
        if (p2_wire_read(buf, (size_t)n, &m) != 0)
            __builtin_trap(); // our own machine must write what can be read
        if (m.type == P2_OFFER && to.port < 4) {
            if (m.offer.block_max > path_block(NULL, &to))
                __builtin_trap();
            memcpy(cookies[to.port], m.offer.cookie, P2_COOKIE_SIZE);
            has_cookie[to.port] = true;
        }
    }
    struct p2_event e;
    while (p2_server_event(&server, &e))
        ;
    return sent;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct p2_server_config config = { .images = { .by_name = by_name, .by_tag = by_tag, .bytes = bytes }, .secret = { 1 }, .name = "fuzz",
                                       .path_block = path_block,
                                       .peers = peers, .peer_count = PEERS, .jobs = jobs, .job_count = JOBS };
    if (p2_server_init(&server, &config) != 0)
        __builtin_trap();
    memset(has_cookie, 0, sizeof has_cookie);
    here = true;
    uint64_t now = 1;
    size_t at = 0;
    while (size - at >= 2) {
        uint8_t kind = data[at], buf[P2_CLIENT_MESSAGE_MAX + 64];
        size_t len = MIN((size_t)data[at + 1] * 8, MIN(size - at - 2, sizeof buf));
        memcpy(buf, data + at + 2, len);
        at += 2 + len;
        uint8_t who = kind & 3;
        struct net_addr from = { .ip = { 0xfe, 0x80, [15] = who }, .port = who };
        if (kind & 4 && len >= P2_HEAD_SIZE) {
            memcpy(buf, P2_MAGIC, 4);
            buf[4] = P2_VERSION;
            buf[6] = buf[7] = 0;
            memset(buf + 8, who, P2_NONCE_SIZE);
        }
        bool valid = kind & 8 && has_cookie[who] && len >= 40 && (buf[5] == P2_READ || buf[5] == P2_FINISHED);
        if (valid) {
            memcpy(buf + 16, cookies[who], P2_COOKIE_SIZE);
            memcpy(buf + 32, image.id, P2_TAG_SIZE);
        }
        if (kind & 16)
            drain(now, UINT32_MAX);
        bool idle = p2_server_deadline(&server) == UINT64_MAX;
        p2_server_input(&server, buf, len, &from, now);
        if (idle && !valid && drain(now, UINT32_MAX) > len)
            __builtin_trap(); // amplification
        if (kind & 32)
            drain(now, 3);
        if (kind & 64)
            now += (uint64_t)20000000;
        if (kind & 128)
            here = !here;
    }
    drain(now, UINT32_MAX);
    uint32_t free_jobs = 0;
    for (uint32_t i = server.job_free; i; i = jobs[i - 1].next)
        free_jobs++;
    if (free_jobs != JOBS)
        __builtin_trap();
    return 0;
}
