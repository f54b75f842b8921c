// SPDX-License-Identifier: MPL-2.0
// The world that the client's tests share: one client, up to two servers, and a wire that the test looks into.
#pragma once
#include "phase2/client.h"

#include "base/test.h"
#include "crypto/testkeys.h"
#include "phase2/server.h"
#include "phase2/testimage.h"

#define SERVERS 2
#define STEP 100 // us that every datagram takes

static struct p2_client client;
static struct trust_store trust;
static uint8_t seal_buf[SEAL_MAX], list_buf[64 * 1024], chunk_bits[1024], *memory;
static struct scatter map;
static uint64_t now;

static struct world_server {
    struct p2_server machine;
    struct p2_peer peers[16];
    struct p2_job jobs[256];
    struct net_addr addr;
    bool alive, no_image;
    const struct testimage *image;
    struct p2_image view;
    struct p2_event last;
    unsigned finished;
    uint32_t mtu; // largest datagram that gets through either way, 0 = any
    uint16_t path; // the largest block that it takes the way to carry
} servers[SERVERS];
static uint32_t server_count;

// Looks at a datagram on its way, may change it; false: it is lost.
static bool (*to_client)(uint8_t *bytes, size_t *len, struct net_addr *from);
static bool (*to_server)(const struct p2_message *m, const struct net_addr *to);
// Takes digests out and brings them back before the client hashes by itself; false: neither.
static bool (*elsewhere)(void);
static const struct net_addr client_addr = { .ip = { 0xfe, 0x80, [15] = 7 }, .port = 5555, .zone = 1 };
static const struct net_addr group = { .ip = P2_GROUP_V6, .port = P2_PORT, .zone = 1 };

static const struct p2_image *by_name(void *ctx, const char *name)
{
    struct world_server *s = ctx;
    return s->no_image ? NULL : &s->view;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    struct world_server *s = ctx;
    return s->no_image || memcmp(s->view.id, tag, P2_TAG_SIZE) != 0 ? NULL : &s->view;
}
static const uint8_t *bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    const struct testimage *t = ((struct world_server *)ctx)->image;
    return (space == P2_SPACE_SEAL ? t->file : space == P2_SPACE_LIST ? t->list : t->payload) + offset;
}

static const char *const *choices; // pieces of text, NULL at their end
static const struct p2_image *choice(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    struct world_server *s = ctx;
    uint32_t count = 0;
    while (choices && choices[count])
        count++;
    if (count)
        snprintf(text, P2_ERROR_TEXT, "%s", choices[turn % count]);
    return count ? &s->view : NULL;
}

static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    return ((struct world_server *)ctx)->path;
}

static void server_start(uint32_t i, const struct testimage *image, uint8_t secret)
{
    struct world_server *s = &servers[i];
    uint8_t ip[16] = { 0xfe, 0x80, [14] = 1, [15] = (uint8_t)(10 + i) };
    memset(s, 0, sizeof *s);
    memcpy(s->addr.ip, ip, 16);
    s->addr.port = P2_PORT;
    s->addr.zone = 1;
    s->alive = true;
    s->image = image;
    s->view = (struct p2_image){ .seal_size = (uint32_t)image->seal_len, .list_size = image->seal.chunk_count * 32,
                                 .payload_size = image->seal.payload_size, .chunk_size = image->seal.chunk_size };
    memcpy(s->view.id, image->seal.image_id, P2_IMAGE_ID_SIZE);
    struct p2_server_config config = { .images = { s, by_name, by_tag, bytes, choice }, .secret = { secret, (uint8_t)i },
                                       .instance = { secret, (uint8_t)i }, .name = "s", .peers = s->peers, .peer_count = 16,
                                       .jobs = s->jobs, .job_count = 256,
                                       .path_block = path_block, .path_ctx = s };
    if (p2_server_init(&s->machine, &config) != 0)
        abort();
    server_count = MAX(server_count, i + 1);
}

static struct p2_client_config config_make(const struct net_addr *fixed, uint32_t count)
{
    static const uint8_t seed[16] = { 1, 2, 3 };
    return (struct p2_client_config){ .trust = &trust, .image = "", .seed = seed, .seed_len = sizeof seed,
                                      .seal_buf = seal_buf, .seal_cap = sizeof seal_buf, .servers = fixed,
                                      .server_count = count, .targets = &group, .target_count = count ? 0 : 1 };
}

static void setup(void)
{
    now = 1000;
    server_count = 0;
    choices = NULL;
    to_client = NULL;
    to_server = NULL;
    elsewhere = NULL;
    memset(&trust, 0, sizeof trust);
    testkey_trust(&trust, TESTKEY_P256_A);
}
static UNUSED void start(void)
{
    struct p2_client_config config = config_make(NULL, 0);
    if (p2_client_init(&client, &config, now) != 0)
        abort();
}

static void feed(const uint8_t *data, size_t len, const struct net_addr *from)
{
    uint8_t *exact = malloc(len + 1); // so that a read beyond the end is caught
    struct net_addr f = *from;
    memcpy(exact, data, len);
    if (!to_client || to_client(exact, &len, &f))
        p2_client_input(&client, exact, len, &f, now);
    free(exact);
}

static void serve(uint32_t i)
{
    struct world_server *s = &servers[i];
    uint8_t buf[P2_MESSAGE_LARGE];
    struct net_addr to;
    struct p2_event e;
    for (int n; (n = p2_server_output_flat(&s->machine, buf, sizeof buf, &to, now)) > 0; now += STEP)
        if (!s->mtu || (uint32_t)n <= s->mtu)
            feed(buf, (size_t)n, &s->addr);
    while (p2_server_event(&s->machine, &e)) {
        s->last = e;
        s->finished += e.type == P2_EVENT_FINISHED;
    }
}

// One turn of the caller's loop. False: nothing was to be done at this time.
static bool turn(void)
{
    uint8_t buf[P2_CLIENT_MESSAGE_MAX];
    struct net_addr to;
    struct p2_message m;
    int n = p2_client_output(&client, buf, sizeof buf, &to, now);
    if (n > 0) {
        now += STEP;
        if (p2_wire_read(buf, (size_t)n, &m) != 0)
            abort();
        bool lost = to_server && !to_server(&m, &to);
        for (uint32_t i = 0; i < server_count && !lost; i++)
            if (servers[i].alive && (!servers[i].mtu || (uint32_t)n <= servers[i].mtu) &&
                (net_addr_equal(&to, &servers[i].addr) || net_addr_equal(&to, &group))) {
                p2_server_input(&servers[i].machine, buf, (size_t)n, &client_addr, now);
                serve(i);
            }
        return true;
    }
    return (elsewhere && elsewhere()) || p2_client_work(&client, 16384) > 0;
}

static bool run_until(enum p2_phase phase, uint64_t deadline)
{
    for (uint32_t turns = 0; turns < 2000000 && p2_client_phase(&client) != phase; turns++) {
        if (p2_client_phase(&client) == P2_FAILED || now > deadline)
            return false;
        if (!turn()) {
            uint64_t t = p2_client_deadline(&client);
            if (t == UINT64_MAX)
                return p2_client_phase(&client) == phase;
            now = MAX(now + 1, t);
        }
    }
    return p2_client_phase(&client) == phase;
}

static bool accept_image(void)
{
    const struct seal *seal = p2_client_seal(&client);
    free(memory);
    memory = calloc(1, seal->payload_size);
    map = (struct scatter){ .size = seal->payload_size, .count = 1,
                            .pieces = { { .offset = 0, .length = seal->payload_size, .memory = memory } } };
    return memory && p2_client_accept(&client, &map, list_buf, chunk_bits) == 0;
}
static UNUSED bool boot(uint64_t deadline)
{
    return run_until(P2_SEALED, deadline) && accept_image() && run_until(P2_VERIFIED, deadline);
}
static UNUSED bool at_first_server(void)
{
    struct p2_progress p;
    p2_client_progress(&client, &p);
    return p.has_server && net_addr_equal(&p.server, &servers[0].addr);
}
static bool memory_is(const struct testimage *image)
{
    return memcmp(memory, image->payload, image->seal.payload_size) == 0;
}
static UNUSED struct p2_progress progress(void)
{
    struct p2_progress p;
    p2_client_progress(&client, &p);
    return p;
}
static UNUSED void cleanup(struct testimage *a, struct testimage *b)
{
    testimage_free(a);
    if (b)
        testimage_free(b);
    free(memory);
    memory = NULL;
}

static struct p2_client copy;

// The machine as before, but for the clock and the count of what it ignored.
static UNUSED bool unchanged(void)
{
    struct p2_client *a = malloc(sizeof *a);
    memcpy(a, &client, sizeof *a);
    a->now = copy.now;
    a->progress.ignored = copy.progress.ignored;
    bool same = memcmp(a, &copy, sizeof *a) == 0;
    free(a);
    return same;
}

static UNUSED size_t data_message(const uint8_t *nonce, uint64_t offset, const uint8_t *content, uint8_t *buf)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.space = P2_SPACE_PAYLOAD;
    m.data.stamp = client.flow.stamp;
    m.data.offset = offset;
    m.data.length = 1408;
    m.data.bytes = content;
    int n = p2_wire_write(&m, buf, P2_MESSAGE_MAX);
    return n > 0 ? (size_t)n : 0;
}

// --- what a test hangs into the wire ---

static uint32_t hellos;
static UNUSED bool count_hellos(const struct p2_message *m, const struct net_addr *to)
{
    hellos += m->type == P2_HELLO;
    return true;
}

static uint64_t spoil_at;
static uint32_t spoil_left;
static uint8_t spoil_space;
static bool spoil_data(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_DATA && spoil_left && data[32] == spoil_space && load64_le(data + 24) <= spoil_at &&
        spoil_at < load64_le(data + 24) + *len - P2_DATA_FIXED) {
        data[P2_DATA_FIXED + spoil_at - load64_le(data + 24)] ^= 1;
        spoil_left--;
    }
    return true;
}
static UNUSED void spoil(uint8_t space, uint64_t at, uint32_t times)
{
    to_client = spoil_data;
    spoil_space = space;
    spoil_at = at;
    spoil_left = times;
}
