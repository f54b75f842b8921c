// SPDX-License-Identifier: MPL-2.0
// The client machine, datagram by datagram. What bad networks do to whole boots is client_sim.c's.
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
    uint32_t mtu; // largest datagram that gets through, 0 = any
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
    struct p2_server_config config = { .images = { s, by_name, by_tag, bytes }, .secret = { secret, (uint8_t)i },
                                       .instance = { secret, (uint8_t)i }, .name = "s", .peers = s->peers, .peer_count = 16,
                                       .jobs = s->jobs, .job_count = 256 };
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
    to_client = NULL;
    to_server = NULL;
    elsewhere = NULL;
    memset(&trust, 0, sizeof trust);
    testkey_trust(&trust, TESTKEY_P256_A);
}
static void start(void)
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
    uint8_t buf[P2_MESSAGE_MAX];
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
            if (servers[i].alive && (net_addr_equal(&to, &servers[i].addr) || net_addr_equal(&to, &group))) {
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
static bool boot(uint64_t deadline)
{
    return run_until(P2_SEALED, deadline) && accept_image() && run_until(P2_VERIFIED, deadline);
}
static bool at_first_server(void)
{
    struct p2_progress p;
    p2_client_progress(&client, &p);
    return p.has_server && net_addr_equal(&p.server, &servers[0].addr);
}
static bool memory_is(const struct testimage *image)
{
    return memcmp(memory, image->payload, image->seal.payload_size) == 0;
}
static struct p2_progress progress(void)
{
    struct p2_progress p;
    p2_client_progress(&client, &p);
    return p;
}
static void cleanup(struct testimage *a, struct testimage *b)
{
    testimage_free(a);
    if (b)
        testimage_free(b);
    free(memory);
    memory = NULL;
}

TEST(plain_boot_and_report)
{
    struct testimage image;
    testimage_make(&image, "plain", 100000, 3, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_STR(p2_client_seal(&client)->name, "plain");
    struct p2_progress p = progress();
    CHECK_EQ(p.bytes_verified, image.seal.payload_size);
    CHECK_EQ(p.duplicates, 0);
    CHECK_EQ(p.lost, 0);
    CHECK_EQ(p.bad_chunks, 0);
    CHECK_STR(p.server_name, "s");
    for (uint32_t i = 0; i < image.seal.chunk_count; i++)
        CHECK(chunk_bits[i / 8] >> (i % 8) & 1);
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING, .transport_ms = 12, .digest_ms = 34 };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 1000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_EQ(servers[0].last.finished.outcome, P2_OUTCOME_BOOTING);
    CHECK_EQ(servers[0].last.finished.transport_ms, 12);
    CHECK_EQ(servers[0].last.finished.digest_ms, 34);
    CHECK_EQ(servers[0].last.finished.bytes, image.seal.payload_size);
    CHECK_EQ(p2_client_deadline(&client), UINT64_MAX);
    cleanup(&image, NULL);
}

TEST(init_refuses)
{
    setup();
    struct net_addr many[P2_CLIENT_SERVERS + 1];
    memset(many, 0, sizeof many);
    struct p2_client_config good = config_make(NULL, 0), bad;
    CHECK_EQ(p2_client_init(&client, &good, 0), 0);
#define BAD(change)                                                                                                    \
    bad = good;                                                                                                        \
    bad.change;                                                                                                        \
    CHECK_EQ(p2_client_init(&client, &bad, 0), ERR_INVALID)
    BAD(trust = NULL);
    BAD(seed = NULL);
    BAD(seed_len = 15);
    BAD(seed_len = 65);
    BAD(seal_buf = NULL);
    BAD(seal_cap = SEAL_MAX - 1);
    BAD(target_count = 0);
    BAD(target_count = P2_CLIENT_TARGETS + 1);
    bad = good;
    bad.servers = many;
    bad.server_count = P2_CLIENT_SERVERS + 1;
    CHECK_EQ(p2_client_init(&client, &bad, 0), ERR_INVALID);
    char name[P2_NAME_MAX + 1];
    memset(name, 'n', P2_NAME_MAX);
    name[P2_NAME_MAX] = 0;
    BAD(image = name);
#undef BAD
}

TEST(accept_refuses_wrong_maps)
{
    struct testimage image;
    testimage_make(&image, "maps", 20000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    struct scatter m = { .size = 1 };
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID); // too early
    CHECK(run_until(P2_SEALED, now + 5000000));
    uint64_t size = image.seal.payload_size;
    memory = malloc(size);
    struct scatter good = { .size = size, .count = 2, .pieces = { { 0, 100, memory }, { 100, size - 100, memory + 100 } } };
    m = good;
    m.size--;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].offset = 101;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].length--;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].length = UINT64_MAX;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.count = SCATTER_PIECES_MAX + 1;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept(&client, &good, NULL, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept(&client, &good, list_buf, chunk_bits), 0);
    CHECK_EQ(p2_client_accept(&client, &good, list_buf, chunk_bits), ERR_INVALID); // twice
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// ---- forgers -------------------------------------------------------------------------------------------

static struct p2_client copy;

// The machine as before, but for the clock and the count of what it ignored.
static bool unchanged(void)
{
    struct p2_client *a = malloc(sizeof *a);
    memcpy(a, &client, sizeof *a);
    a->now = copy.now;
    a->progress.ignored = copy.progress.ignored;
    bool same = memcmp(a, &copy, sizeof *a) == 0;
    free(a);
    return same;
}

static const uint8_t kinds[] = { P2_HELLO, P2_OFFER, P2_READ, P2_DATA, P2_FINISHED, P2_FINISHED_ACK, P2_ERROR, P2_RESET };

// A message that would matter if it were real: the right image, blocks that are wanted.
static size_t forged(uint8_t type, const uint8_t *nonce, uint32_t variant, uint8_t *buf)
{
    static uint8_t junk[P2_BLOCK_MAX];
    struct p2_message m;
    memset(&m, 0, sizeof m);
    memset(junk, 0xee, sizeof junk);
    m.type = type;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    switch (type) {
    case P2_OFFER:
        memcpy(m.offer.image_id, client.image_id, P2_IMAGE_ID_SIZE);
        m.offer = client.servers[0].offer;
        m.offer.cookie[0] ^= 1;
        m.offer.seal_size += variant;
        break;
    case P2_READ:
        m.read.block_size = P2_BLOCK_MAX;
        m.read.range_count = 1;
        m.read.ranges[0].length = 1;
        break;
    case P2_DATA:
        memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
        m.data.space = client.space;
        m.data.stamp = client.stamp;
        m.data.offset = variant * (uint64_t)P2_BLOCK_MAX;
        m.data.bytes = junk;
        m.data.length = P2_BLOCK_MAX;
        if (client.space_size && m.data.offset + m.data.length > client.space_size)
            m.data.length = (uint32_t)(client.space_size > m.data.offset ? client.space_size - m.data.offset : 1);
        break;
    case P2_FINISHED: m.finished.outcome = P2_OUTCOME_BOOTING; break;
    case P2_ERROR:
        memcpy(m.error.tag, client.image_id, P2_TAG_SIZE);
        m.error.code = (uint16_t)(1 + variant % 4);
        break;
    case P2_RESET: m.reset_reason = P2_RESET_COOKIE; break;
    default: break;
    }
    int n = p2_wire_write(&m, buf, P2_MESSAGE_MAX);
    return n > 0 ? (size_t)n : 0;
}

// Every kind of message, from the right address with a wrong nonce, and from a wrong address with any nonce
// but discovery's: nothing in the machine may change.
static bool forgeries_have_no_effect(void)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr stranger = servers[0].addr;
    stranger.ip[15] ^= 0x80;
    struct net_addr other_port = servers[0].addr;
    other_port.port++;
    memcpy(&copy, &client, sizeof copy);
    for (size_t k = 0; k < sizeof kinds; k++)
        for (uint32_t variant = 0; variant < 20; variant++) {
            uint8_t wrong[P2_NONCE_SIZE];
            memcpy(wrong, client.servers[0].nonce, sizeof wrong);
            wrong[variant % 8] ^= (uint8_t)(1u << (variant % 7));
            size_t n = forged(kinds[k], wrong, variant, buf);
            p2_client_input(&client, buf, n, &servers[0].addr, now);
            memset(wrong, 0, sizeof wrong);
            n = forged(kinds[k], wrong, variant, buf);
            p2_client_input(&client, buf, n, &servers[0].addr, now);
            n = forged(kinds[k], client.servers[0].nonce, variant, buf);
            p2_client_input(&client, buf, n, &stranger, now);
            p2_client_input(&client, buf, n, &other_port, now);
            // With discovery's nonce, which the whole link knows, from a server that is known: nothing new.
            n = forged(kinds[k], client.discovery_nonce, variant, buf);
            if (kinds[k] != P2_ERROR)
                p2_client_input(&client, buf, n, &servers[0].addr, now);
            if (!unchanged()) {
                printf("  %s variant %u changed the machine in phase %s\n", p2_type_name(kinds[k]), variant,
                       p2_phase_name(client.phase));
                return false;
            }
        }
    return true;
}

TEST(without_the_nonce_nothing_happens)
{
    struct testimage image;
    testimage_make(&image, "forged", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    bool seen[P2_DONE + 1] = { false };
    for (int i = 0; i < 5000 && p2_client_phase(&client) != P2_DONE; i++) {
        enum p2_phase phase = p2_client_phase(&client);
        if (client.servers[0].state != P2S_FREE && (!seen[phase] || i % 16 == 0)) {
            CHECK(forgeries_have_no_effect());
            seen[phase] = true;
        }
        if (phase == P2_SEALED)
            CHECK(accept_image());
        if (phase == P2_VERIFIED)
            p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_BOOTING }, now);
        // One datagram at a time, so that every phase is seen from within.
        if (!turn())
            now = p2_client_deadline(&client) == UINT64_MAX ? now : MAX(now, p2_client_deadline(&client));
    }
    CHECK_EQ(p2_client_phase(&client), P2_DONE);
    CHECK(memory_is(&image));
    CHECK(seen[P2_SEAL] && seen[P2_SEALED] && seen[P2_LIST] && seen[P2_PAYLOAD] && seen[P2_VERIFIED]);
    cleanup(&image, NULL);
}

// Even with the nonce: what was not asked for is not taken, whatever it claims.
TEST(blocks_that_were_not_asked_for)
{
    struct testimage image;
    testimage_make(&image, "unasked", 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.window_initial = config.window_max = 4;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX], junk[P2_BLOCK_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0); // asks for 4 blocks = the first chunk and one more
    memset(junk, 0xee, sizeof junk);
    memcpy(&copy, &client, sizeof copy);
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, client.servers[0].nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.bytes = junk;
    const struct { uint8_t space; uint64_t offset; uint32_t length; } unasked[] = {
        { P2_SPACE_PAYLOAD, 4096 + 1408, 1408 }, { P2_SPACE_PAYLOAD, 8192, 1408 }, { P2_SPACE_PAYLOAD, 1, 1408 },
        { P2_SPACE_PAYLOAD, 0, 1407 }, { P2_SPACE_PAYLOAD, 2816, 1408 }, { P2_SPACE_PAYLOAD, 0, 512 },
        { P2_SPACE_SEAL, 0, 512 }, { P2_SPACE_LIST, 0, 1408 }, { P2_SPACE_PAYLOAD, 400000, 1408 },
        { P2_SPACE_PAYLOAD, (uint64_t)1 << 32, 1408 }, { P2_SPACE_PAYLOAD, (uint64_t)1 << 44, 1408 },
        { P2_SPACE_PAYLOAD, UINT64_MAX - 1408, 1408 }, { P2_SPACE_PAYLOAD, image.seal.payload_size - 1, 1 },
        { P2_SPACE_PAYLOAD, image.seal.payload_size, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(unasked); i++) {
        m.data.space = unasked[i].space;
        m.data.offset = unasked[i].offset;
        m.data.length = unasked[i].length;
        int n = p2_wire_write(&m, buf, sizeof buf);
        CHECK(n > 0);
        CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
        CHECK(unchanged());
    }
    m.data.space = P2_SPACE_PAYLOAD; // another image, or a group's stream
    m.data.offset = 0;
    m.data.length = 1408;
    m.data.tag[7] ^= 1;
    int n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
    m.data.tag[7] ^= 1;
    m.data.serial = 1;
    n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    for (uint64_t i = 0; i < image.seal.payload_size; i++)
        CHECK_EQ(memory[i], 0);
    cleanup(&image, NULL);
}

static size_t data_message(const uint8_t *nonce, uint64_t offset, const uint8_t *content, uint8_t *buf)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.space = P2_SPACE_PAYLOAD;
    m.data.stamp = client.stamp;
    m.data.offset = offset;
    m.data.length = 1408;
    m.data.bytes = content;
    int n = p2_wire_write(&m, buf, P2_MESSAGE_MAX);
    return n > 0 ? (size_t)n : 0;
}

// A server that is known but was never asked may send what it likes; and an OFFER that answers no HELLO of
// ours is nothing, even with the right nonce.
TEST(nothing_from_who_was_not_asked)
{
    struct testimage image;
    testimage_make(&image, "unasked2", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
        ;
    uint32_t other = client.current == 1 ? 1 : 0;
    CHECK_EQ(client.servers[other].state, P2S_BOUND);
    memcpy(&copy, &client, sizeof copy);
    size_t n = data_message(client.servers[other].nonce, 0, image.payload, buf);
    CHECK_EQ(p2_client_input(&client, buf, n, &client.servers[other].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t variant = 0; variant < 2; variant++) {
            n = forged(P2_OFFER, client.servers[i].nonce, variant, buf);
            CHECK_EQ(p2_client_input(&client, buf, n, &client.servers[i].addr, now), ERR_NOT_FOUND);
            CHECK(unchanged());
        }
    cleanup(&image, NULL);
}

// After a mismatch a chunk is taken from one server only, so that it is known whose fault the next one is.
TEST(chunk_that_was_bad_comes_from_one_server)
{
    struct testimage image;
    testimage_make(&image, "only", 300000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    static uint8_t junk[P2_BLOCK_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0); // asks; the server does not hear it
    uint32_t first = client.current - 1, second = 1 - first;
    for (uint32_t i = 0; i < 2; i++) // the first chunk: two blocks of junk from the first server
        CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers[first].nonce, i * 1408, junk, buf),
                                 &client.servers[first].addr, now), 0);
    servers[first].alive = false;
    now += P2_FAILOVER_AFTER + 1;
    while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
        ;
    CHECK_EQ(client.current, second + 1);
    struct p2_message m;
    size_t n = data_message(client.servers[second].nonce, 2816, image.payload + 2816, buf);
    CHECK_EQ(p2_wire_read(buf, n, &m), 0);
    m.data.length = 1280; // the rest of it from the second
    int len = p2_wire_write(&m, buf, sizeof buf);
    CHECK(len < 0 || p2_client_input(&client, buf, (size_t)len, &client.servers[second].addr, now) == 0);
    CHECK(p2_client_work(&client, 5000) > 0);
    CHECK_EQ(progress().bad_chunks, 1);
    CHECK_EQ(client.servers[0].strikes + client.servers[1].strikes, 0); // two had a part in it: no blame
    for (; client.slots[client.order[0]].next_new == 0; now += 10000) // until it is asked for again
        while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
            ;
    CHECK_EQ(client.current, second + 1);
    memcpy(&copy, &client, sizeof copy);
    CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers[first].nonce, 0, junk, buf),
                             &client.servers[first].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers[second].nonce, 0, image.payload, buf),
                             &client.servers[second].addr, now), 0);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// A block is written once: a second copy with other bytes changes nothing.
TEST(bytes_that_are_here_are_not_overwritten)
{
    struct testimage image;
    testimage_make(&image, "twice", 20000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0);
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, client.servers[0].nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.space = P2_SPACE_PAYLOAD;
    m.data.stamp = client.stamp;
    m.data.length = 1408;
    m.data.bytes = image.payload;
    int n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), 0);
    static uint8_t junk[1408];
    m.data.bytes = junk;
    n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), 0);
    CHECK_EQ(progress().duplicates, 1);
    CHECK(memcmp(memory, image.payload, 1408) == 0);
    cleanup(&image, NULL);
}

// RESET and ERROR with the right nonce from the right address, again and again: the boot goes on, and HELLOs
// stay few.
static uint32_t hellos;
static uint64_t flood_next;
static bool flood(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (now >= flood_next && client.current) {
        uint8_t buf[P2_MESSAGE_MAX];
        flood_next = now + 300;
        for (uint32_t i = 0; i < 3; i++) {
            p2_client_input(&client, buf, forged(P2_RESET, client.servers[0].nonce, i, buf), &servers[0].addr, now);
            p2_client_input(&client, buf, forged(P2_ERROR, client.servers[0].nonce, i, buf), &servers[0].addr, now);
            p2_client_input(&client, buf, forged(P2_FINISHED_ACK, client.servers[0].nonce, i, buf), &servers[0].addr, now);
        }
    }
    return true;
}
static bool count_hellos(const struct p2_message *m, const struct net_addr *to)
{
    hellos += m->type == P2_HELLO;
    return true;
}
TEST(reset_and_error_alone_end_nothing)
{
    struct testimage image;
    testimage_make(&image, "flood", 600000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = flood;
    to_server = count_hellos;
    hellos = 0;
    flood_next = 0;
    uint64_t began = now;
    CHECK(boot(now + 20000000));
    CHECK(memory_is(&image));
    CHECK(hellos <= 3 + (now - began) / P2_HINT_PAUSE);
    cleanup(&image, NULL);
}

// A forged OFFER in answer to a HELLO that is out spoils the cookie; the RESET that follows heals it.
static bool spoiled;
static bool spoil_offer(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_OFFER && !spoiled && memcmp(data + 8, client.discovery_nonce, 8) != 0) {
        data[16] ^= 0xff;
        spoiled = true;
    }
    return true;
}
TEST(bad_cookie_heals)
{
    struct testimage image;
    testimage_make(&image, "cookie", 50000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = spoil_offer;
    spoiled = false;
    CHECK(boot(now + 3000000));
    CHECK(spoiled && servers[0].machine.stats.cookies_bad >= 1);
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// ---- credit --------------------------------------------------------------------------------------------

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
    static const uint16_t limits[] = { 4, 8, 32, 200 };
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

// ---- chunks that are there already ---------------------------------------------------------------------

// Whether any READ asked for bytes of a chunk marked here.
static bool local_chunks[200], asked_for_local;
static uint32_t payload_reads;
static bool watch_local(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type != P2_READ || m->read.space != P2_SPACE_PAYLOAD)
        return true;
    payload_reads++;
    for (uint32_t i = 0; i < m->read.range_count; i++) {
        uint64_t first = m->read.ranges[i].offset / CHUNK_SIZE_MIN;
        uint64_t last = (m->read.ranges[i].offset + m->read.ranges[i].length - 1) / CHUNK_SIZE_MIN;
        for (uint64_t chunk = first; chunk <= last; chunk++)
            asked_for_local |= local_chunks[chunk];
    }
    return true;
}

// Brings the client to where chunks may be given.
static bool before_payload(struct testimage *image, const char *name)
{
    testimage_make(image, name, 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, image, 1);
    start();
    to_server = watch_local;
    memset(local_chunks, 0, sizeof local_chunks);
    asked_for_local = false;
    payload_reads = 0;
    return run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000);
}

static int give(const struct testimage *image, uint32_t chunk)
{
    uint32_t length = seal_chunk_length(&image->seal, chunk);
    memcpy(memory + (size_t)chunk * CHUNK_SIZE_MIN, image->payload + (size_t)chunk * CHUNK_SIZE_MIN, length);
    int rc = p2_client_local(&client, chunk);
    local_chunks[chunk] = rc == 1;
    return rc;
}

TEST(local_chunks_are_not_fetched)
{
    // Every second chunk, the first ten, the last ten, and in descending order.
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        struct testimage image;
        uint64_t bytes = 0;
        CHECK(before_payload(&image, "some"));
        uint32_t count = image.seal.chunk_count;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t chunk = pattern == 3 ? count - 1 - i : i;
            if (pattern == 0 ? chunk % 2 : pattern == 1 ? chunk >= 10 : pattern == 2 ? chunk < count - 10 : chunk % 3)
                continue;
            CHECK_EQ(give(&image, chunk), 1);
            CHECK_EQ(p2_client_local(&client, chunk), 1);
            bytes += seal_chunk_length(&image.seal, chunk);
        }
        CHECK(progress().bytes_local == bytes && progress().bytes_verified == bytes);
        CHECK(run_until(P2_VERIFIED, now + 10000000));
        CHECK(memory_is(&image));
        CHECK(!asked_for_local && payload_reads > 0);
        CHECK(progress().bytes_received == image.seal.payload_size - bytes);
        CHECK(progress().bytes_local == bytes && progress().bytes_verified == image.seal.payload_size);
        cleanup(&image, NULL);
    }
}

TEST(with_all_chunks_local_nothing_is_fetched)
{
    struct testimage image;
    CHECK(before_payload(&image, "all"));
    for (uint32_t i = 0; i < image.seal.chunk_count; i++)
        CHECK_EQ(give(&image, i), 1);
    CHECK(p2_client_deadline(&client) > now); // there is nothing to be asked for
    CHECK(run_until(P2_VERIFIED, now + 1000000));
    CHECK_EQ(payload_reads, 0);
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 1000000));
    CHECK_EQ(servers[0].finished, 1);
    cleanup(&image, NULL);
}

TEST(local_chunks_that_are_none)
{
    struct testimage image;
    testimage_make(&image, "none", 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    CHECK(run_until(P2_SEALED, now + 5000000));
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    testimage_free(&image);

    CHECK(before_payload(&image, "none"));
    uint32_t count = image.seal.chunk_count;
    CHECK_EQ(p2_client_local(&client, count), ERR_INVALID);
    CHECK_EQ(p2_client_local(&client, UINT32_MAX), ERR_INVALID);
    image.payload[5 * CHUNK_SIZE_MIN + 17] ^= 1; // what is given; the server's bytes are right again below
    CHECK_EQ(give(&image, 5), 0);
    image.payload[5 * CHUNK_SIZE_MIN + 17] ^= 1;
    CHECK_EQ(p2_client_local(&client, count - 1), 0); // zeros
    CHECK_EQ(progress().bytes_local, 0);
    CHECK(turn()); // the first READ
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    cleanup(&image, NULL);
}

// A slow disk: no server is dropped, and nothing is said to have stalled.
TEST(time_spent_on_local_chunks_is_nobodys_fault)
{
    struct testimage image;
    CHECK(before_payload(&image, "slow"));
    for (uint32_t i = 0; i < image.seal.chunk_count / 2; i++, now += 2000000)
        CHECK_EQ(give(&image, i), 1);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(!asked_for_local);
    CHECK_EQ(progress().failovers, 0);
    CHECK_EQ(progress().servers_dropped, 0);
    cleanup(&image, NULL);
}

// ---- bad bytes -----------------------------------------------------------------------------------------

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
static void spoil(uint8_t space, uint64_t at, uint32_t times)
{
    to_client = spoil_data;
    spoil_space = space;
    spoil_at = at;
    spoil_left = times;
}

TEST(bad_chunk_costs_that_chunk_only)
{
    struct testimage image;
    testimage_make(&image, "badchunk", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    struct p2_progress p = progress();
    CHECK_EQ(p.bad_chunks, 1);
    uint32_t clean = (uint32_t)(image.seal.chunk_count * 3 + 2); // chunks of 3 blocks, seal, list
    CHECK_EQ(p.blocks_received, clean + 3);
    cleanup(&image, NULL);
}

// Bad chunks now and then do not add up: good ones in between make up for them.
static uint32_t spoil_every;
static bool spoil_now_and_then(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_DATA && data[32] == P2_SPACE_PAYLOAD && ++spoil_every % 40 == 0)
        data[*len - 1] ^= 4;
    return true;
}
TEST(strikes_are_forgiven)
{
    struct testimage image;
    testimage_make(&image, "forgive", 1000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = spoil_now_and_then;
    CHECK(boot(now + 20000000));
    CHECK(memory_is(&image));
    CHECK(progress().bad_chunks >= 15);
    CHECK_EQ(progress().servers_dropped, 0);
    cleanup(&image, NULL);
}

// ---- digests elsewhere ---------------------------------------------------------------------------------

#define OUT_MAX 8
static struct hash_job out[OUT_MAX];
static uint32_t out_count, out_taken, out_wrong; // wrong: so many of the next digests are
static uint64_t out_held;                        // nothing is brought back before

static void bring_back(uint32_t i)
{
    struct hash_job *job = &out[i];
    for (uint32_t j = 0; j < job->piece_count; j++)
        sha256_update(&job->sha, job->pieces[j].data, job->pieces[j].len);
    sha256_final(&job->sha, job->digest);
    job->digest[0] ^= out_wrong > 0;
    out_wrong -= out_wrong > 0;
    p2_client_job_done(&client, job);
    *job = out[--out_count];
}

// Takes all that it can carry, then brings the latest back.
static bool latest_first(void)
{
    if (out_count < OUT_MAX && p2_client_job(&client, &out[out_count])) {
        out_count++;
        out_taken++;
        return true;
    }
    if (out_count == 0 || now < out_held)
        return false;
    bring_back(out_count - 1);
    return true;
}

static void setup_elsewhere(const struct testimage *image)
{
    setup();
    server_start(0, image, 1);
    start();
    elsewhere = latest_first;
    out_count = out_taken = out_wrong = 0;
    out_held = 0;
}

TEST(digests_in_any_order)
{
    struct testimage image;
    testimage_make(&image, "order", 300000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_taken, image.seal.chunk_count);
    cleanup(&image, NULL);
}

TEST(not_verified_before_the_last_digest_is_back)
{
    struct testimage image;
    testimage_make(&image, "held", OUT_MAX * 4096 - 30000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(image.seal.chunk_count <= OUT_MAX);
    out_held = now + 3600000000ull;
    CHECK(run_until(P2_SEALED, out_held) && accept_image());
    CHECK(!run_until(P2_VERIFIED, now + 10000000));
    CHECK_EQ(client.phase, P2_PAYLOAD);
    CHECK_EQ(out_count, image.seal.chunk_count); // all of them are out
    CHECK_EQ(progress().bytes_verified, 0);
    CHECK(memory_is(&image));
    while (out_count > 1) {
        bring_back(0);
        CHECK_EQ(p2_client_work(&client, 16384), 0);
        CHECK_EQ(client.phase, P2_PAYLOAD);
    }
    bring_back(0);
    CHECK_EQ(p2_client_work(&client, 16384), 0);
    CHECK_EQ(client.phase, P2_VERIFIED);
    cleanup(&image, NULL);
}

// A processor that errs costs its own chunk's time: no server is blamed, and nothing is fetched again.
TEST(wrong_digest_is_made_again_here)
{
    struct testimage image;
    testimage_make(&image, "errs", 300000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    out_wrong = 20;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_wrong, 0);
    CHECK_EQ(progress().bad_chunks, 0);
    CHECK_EQ(client.servers[0].strikes, 0);
    CHECK_EQ(progress().duplicates + progress().lost, 0);
    cleanup(&image, NULL);
}

TEST(bad_chunk_is_found_elsewhere_as_well)
{
    struct testimage image;
    testimage_make(&image, "badelse", 100000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().bad_chunks, 1);
    cleanup(&image, NULL);
}

// Nobody can vouch for a chunk that was not given out, or not any more.
TEST(digests_that_nobody_asked_for)
{
    struct testimage image;
    testimage_make(&image, "unasked", 100000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    elsewhere = NULL;
    CHECK(!p2_client_job(&client, &out[0]));
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    CHECK(!p2_client_job(&client, &out[0])); // nothing is whole
    memcpy(&copy, &client, sizeof copy);
    for (uint32_t chunk = 0; chunk <= image.seal.chunk_count; chunk++) {
        struct hash_job job = { .number = chunk };
        memcpy(job.digest, image.list + (size_t)MIN(chunk, image.seal.chunk_count - 1) * 32, 32);
        p2_client_job_done(&client, &job);
        CHECK(unchanged());
    }
    while (!p2_client_job(&client, &out[0])) // until one is
        CHECK(p2_client_phase(&client) == P2_PAYLOAD && (turn() || (now = MAX(now + 1, p2_client_deadline(&client)))));
    out_count = 1;
    p2_client_jobs_lost(&client);
    memcpy(&copy, &client, sizeof copy);
    struct hash_job late = out[0];
    memcpy(late.digest, image.list + (size_t)late.number * 32, 32);
    p2_client_job_done(&client, &late);
    CHECK(unchanged());
    CHECK(run_until(P2_VERIFIED, now + 5000000)); // all of it hashed here
    CHECK(memory_is(&image));
    memcpy(&copy, &client, sizeof copy);
    p2_client_job_done(&client, &late);
    CHECK(unchanged());
    CHECK(!p2_client_job(&client, &out[0]));
    cleanup(&image, NULL);
}

// More pieces of memory than a job holds: hashed here.
TEST(chunk_in_many_pieces_stays_here)
{
    struct testimage image;
    testimage_make(&image, "pieces", 20000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    // The first chunk in one piece more than fits, the second in as many as fit.
    uint32_t n = 0;
    for (uint64_t offset = 0; offset < 2 * 4096;) {
        uint64_t length = offset < 4096 ? 4096 / (HASH_JOB_PIECES + 1) : 4096 / HASH_JOB_PIECES;
        if (offset < 4096 && 4096 - offset < 2 * length)
            length = 4096 - offset;
        map.pieces[n++] = (struct scatter_piece){ .offset = offset, .length = length, .memory = memory + offset };
        offset += length;
    }
    map.pieces[n++] = (struct scatter_piece){ .offset = 8192, .length = image.seal.payload_size - 8192, .memory = memory + 8192 };
    map.count = n;
    client.phase = P2_SEALED;
    CHECK_EQ(p2_client_accept(&client, &map, list_buf, chunk_bits), 0);
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_taken, image.seal.chunk_count - 1);
    cleanup(&image, NULL);
}

TEST(chunk_that_stays_bad_is_named)
{
    struct testimage image;
    testimage_make(&image, "allbad", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_PAYLOAD, 5 * 4096, UINT32_MAX);
    CHECK(!boot(now + 60000000));
    CHECK_EQ(p2_client_phase(&client), P2_FAILED);
    CHECK_EQ(p2_client_error(&client), ERR_P2_SERVERS_BAD);
    CHECK_EQ(chunk_bits[0] >> 5 & 1, 0);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) }, now);
    CHECK(run_until(P2_DONE, now + 2000000));
    CHECK_STR(servers[0].last.finished.code, "P04");
    cleanup(&image, NULL);
}

TEST(list_that_is_bad)
{
    struct testimage image;
    testimage_make(&image, "badlist", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_LIST, 33, 2);
    CHECK(boot(now + 5000000)); // twice: asked for again
    CHECK(memory_is(&image));
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_LIST, 33, UINT32_MAX);
    CHECK(!boot(now + 60000000)); // always: named
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_LIST);
    cleanup(&image, NULL);
}

TEST(seal_that_is_damaged_on_the_way)
{
    struct testimage image;
    testimage_make(&image, "badseal", 30000, 1, TESTKEY_P256_A);
    static const uint16_t places[] = { 0, 9, 12, 20, 24, 40, 70, 200 };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        setup();
        server_start(0, &image, 1);
        start();
        spoil(P2_SPACE_SEAL, places[i], 2);
        CHECK(boot(now + 5000000));
        CHECK(memory_is(&image));
        setup();
        server_start(0, &image, 1);
        start();
        spoil(P2_SPACE_SEAL, places[i], UINT32_MAX);
        CHECK(!boot(now + 20000000));
        CHECK(err_code(p2_client_error(&client))[0] == 'S');
        CHECK(p2_client_seal(&client) == NULL);
    }
    cleanup(&image, NULL);
}

TEST(wrong_key_is_named_and_reported)
{
    struct testimage image;
    testimage_make(&image, "foreign", 30000, 1, TESTKEY_P256_B);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(!boot(now + 20000000));
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_UNTRUSTED);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) }, now);
    CHECK(run_until(P2_DONE, now + 2000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_STR(servers[0].last.finished.code, "S07");
    cleanup(&image, NULL);
}

TEST(wrong_key_beside_the_right_one)
{
    struct testimage foreign, image;
    testimage_make(&foreign, "foreign", 30000, 1, TESTKEY_P256_B);
    testimage_make(&image, "right", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &foreign, 1);
    server_start(1, &image, 1);
    start();
    servers[1].alive = false; // the other is the first to answer
    CHECK(run_until(P2_SEAL, now + 1000000));
    servers[1].alive = true;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().servers_dropped, 1);
    cleanup(&image, &foreign);
}

TEST(no_trust_fails_at_once)
{
    struct testimage image;
    testimage_make(&image, "notrust", 30000, 1, TESTKEY_P256_A);
    setup();
    memset(&trust, 0, sizeof trust);
    server_start(0, &image, 1);
    start();
    uint64_t began = now;
    CHECK(!boot(now + 20000000));
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_NO_TRUST);
    CHECK(now - began < 500000);
    cleanup(&image, NULL);
}

// A seal that is good, but of other sizes than were offered.
TEST(offer_that_lies_about_sizes)
{
    struct testimage image;
    testimage_make(&image, "liar", 30000, 1, TESTKEY_P256_A);
    for (int i = 0; i < 3; i++) {
        setup();
        server_start(0, &image, 1);
        if (i == 0)
            servers[0].view.payload_size += 4096;
        else if (i == 1)
            servers[0].view.list_size += 32;
        else
            servers[0].view.id[31] ^= 1;
        start();
        CHECK(!boot(now + 20000000));
        CHECK_EQ(p2_client_error(&client), ERR_P2_SERVERS_BAD);
    }
    cleanup(&image, NULL);
}

TEST(refusal_is_reported)
{
    struct testimage image;
    testimage_make(&image, "toolarge", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    CHECK_EQ(p2_client_deadline(&client), UINT64_MAX); // waits for its caller, however long
    now += 3600000000ull;
    struct p2_report report = { .outcome = P2_OUTCOME_REFUSED, .error = ERR_BOOT_NO_ROOM, .text = "needs 9 GiB, has 4" };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 5000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_EQ(servers[0].last.finished.outcome, P2_OUTCOME_REFUSED);
    CHECK_STR(servers[0].last.finished.text, "needs 9 GiB, has 4");
    cleanup(&image, NULL);
}

// The caller may take its time in SEALED: cookies grow stale, and the boot goes on.
TEST(long_pause_before_accept)
{
    struct testimage image;
    testimage_make(&image, "pause", 60000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    now += 3600000000ull;
    CHECK(accept_image());
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// ---- nobody there --------------------------------------------------------------------------------------

TEST(no_server_in_bounded_time)
{
    setup();
    start();
    to_server = count_hellos;
    hellos = 0;
    uint64_t began = now;
    CHECK(!run_until(P2_SEALED, now + 60000000));
    CHECK_EQ(p2_client_error(&client), ERR_P2_NO_SERVER);
    CHECK(now - began >= P2_DISCOVER_DEFAULT && now - began < P2_DISCOVER_DEFAULT + 10000);
    CHECK(hellos >= 5 && hellos <= 12);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = ERR_P2_NO_SERVER }, now);
    CHECK_EQ(p2_client_phase(&client), P2_DONE); // nobody to tell
}

TEST(no_image_is_named_but_not_believed_at_once)
{
    struct testimage image;
    testimage_make(&image, "late", 30000, 1, TESTKEY_P256_A);
    for (int fixed = 0; fixed < 2; fixed++) {
        setup();
        server_start(0, &image, 1);
        servers[0].no_image = true;
        struct p2_client_config config = config_make(fixed ? &servers[0].addr : NULL, fixed ? 1 : 0);
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        uint64_t began = now;
        CHECK(!run_until(P2_SEALED, now + 60000000));
        CHECK_EQ(p2_client_error(&client), ERR_P2_NO_IMAGE);
        CHECK(now - began >= P2_DECIDE_AFTER && now - began < P2_DISCOVER_DEFAULT);
        // A server that has it and comes a second later is found.
        setup();
        server_start(0, &image, 1);
        server_start(1, &image, 1);
        servers[0].no_image = true;
        servers[1].alive = false;
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        if (fixed)
            config.servers = (struct net_addr[]){ servers[0].addr, servers[1].addr }, config.server_count = 2;
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        CHECK(!run_until(P2_SEALED, now + 1000000));
        servers[1].alive = true;
        CHECK(boot(now + 5000000));
        CHECK(memory_is(&image));
    }
    cleanup(&image, NULL);
}

TEST(stalled_server_is_named)
{
    struct testimage image;
    testimage_make(&image, "stall", 300000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.stall_us = 10000000;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000));
    servers[0].alive = false;
    uint64_t began = now;
    CHECK(!run_until(P2_VERIFIED, now + 60000000));
    CHECK_EQ(p2_client_error(&client), ERR_P2_STALLED);
    CHECK(now - began >= 9000000 && now - began <= 11000000);
    cleanup(&image, NULL);
}

TEST(failover_keeps_progress)
{
    struct testimage image;
    testimage_make(&image, "failover", 2000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    while (progress().bytes_verified < 1000000)
        turn();
    uint64_t verified = progress().bytes_verified, began = now;
    uint32_t blocks = progress().blocks_received;
    CHECK(progress().has_server);
    servers[at_first_server() ? 0 : 1].alive = false;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(now - began < P2_FAILOVER_AFTER + 2000000);
    CHECK_EQ(progress().failovers, 1);
    CHECK(progress().blocks_received - blocks <= (image.seal.payload_size - verified) / 4096 * 3 + 3);
    cleanup(&image, NULL);
}

TEST(server_that_restarts_goes_on)
{
    struct testimage image;
    testimage_make(&image, "restart", 2000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    while (progress().bytes_verified < 1000000)
        turn();
    server_start(0, &image, 99); // another secret: the cookie is worth nothing
    uint64_t began = now;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(now - began < 1000000); // a RESET tells at once
    CHECK(servers[0].machine.stats.cookies_bad >= 1);
    cleanup(&image, NULL);
}

TEST(cookie_is_renewed_before_it_dies)
{
    struct testimage image;
    testimage_make(&image, "renew", 200000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.window_initial = config.window_max = 4;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    while (p2_client_phase(&client) == P2_LIST || p2_client_phase(&client) == P2_PAYLOAD) {
        for (int i = 0; i < 4 && turn(); i++)
            ;
        now += 2000000; // a very slow machine
    }
    CHECK_EQ(p2_client_phase(&client), P2_VERIFIED);
    CHECK(memory_is(&image));
    CHECK_EQ(servers[0].machine.stats.cookies_bad, 0);
    cleanup(&image, NULL);
}

// A path that swallows large datagrams: smaller blocks are tried until they fit.
TEST(path_mtu_black_hole)
{
    struct testimage image;
    testimage_make(&image, "hole", 300000, 1, TESTKEY_P256_A);
    static const struct { uint32_t mtu, block; } holes[] = { { 0, 1408 }, { 1447, 1200 }, { 1240, 1200 }, { 1239, 512 }, { 600, 512 } };
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

// Discovery's nonce is known to the whole link; it must buy no more than "ask me".
TEST(invented_servers_do_not_crowd_out_the_real_one)
{
    struct testimage image;
    testimage_make(&image, "crowd", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0);
    CHECK(net_addr_equal(&to, &group));
    for (uint32_t i = 0; i < 1000; i++) {
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [13] = 9, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i }, .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_OFFER, client.discovery_nonce, i, buf), &nobody, now);
    }
    CHECK(boot(now + 1000000)); // one more round of discovery, not until the crowd was asked in vain
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// The same, and they never stop coming.
static uint32_t nobody_count;
static bool crowd_on(const struct p2_message *m, const struct net_addr *to)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        uint32_t k = nobody_count++;
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [12] = 9, [13] = (uint8_t)(k >> 16), [14] = (uint8_t)(k >> 8), [15] = (uint8_t)k },
                                   .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_OFFER, client.discovery_nonce, 0, buf), &nobody, now);
    }
    return true;
}
TEST(invented_servers_that_never_stop)
{
    struct testimage image;
    testimage_make(&image, "crowd2", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_server = crowd_on;
    nobody_count = 0;
    CHECK(boot(now + 6000000));
    CHECK(memory_is(&image));
    CHECK(nobody_count > 100);
    cleanup(&image, NULL);
}

TEST(image_replaced_at_the_other_server)
{
    struct testimage image, newer;
    testimage_make(&image, "old", 2000000, 1, TESTKEY_P256_A);
    testimage_make(&newer, "new", 500000, 2, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &newer, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    bool first = at_first_server();
    while (progress().bytes_verified < 300000)
        turn();
    servers[first ? 0 : 1].alive = false;
    // The other one is no help: its image is another. The first comes back, and the boot ends well.
    CHECK(!run_until(P2_VERIFIED, now + 5000000));
    CHECK_EQ(p2_client_phase(&client), P2_PAYLOAD);
    CHECK_EQ(progress().failovers, 0);
    servers[first ? 0 : 1].alive = true;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(first ? &image : &newer));
    cleanup(&image, &newer);
}

// Replaced after its OFFER, before its seal was read: the new one is booted.
static const struct testimage *replacement;
static bool replace_at_first_read(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type == P2_READ && replacement) {
        servers[0].image = replacement;
        servers[0].view.seal_size = (uint32_t)replacement->seal_len;
        servers[0].view.list_size = replacement->seal.chunk_count * 32;
        servers[0].view.payload_size = replacement->seal.payload_size;
        memcpy(servers[0].view.id, replacement->seal.image_id, P2_IMAGE_ID_SIZE);
        replacement = NULL;
    }
    return true;
}
TEST(image_replaced_before_its_seal)
{
    struct testimage image, newer;
    testimage_make(&image, "old", 30000, 1, TESTKEY_P256_A);
    testimage_make(&newer, "new", 50000, 2, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    replacement = &newer;
    to_server = replace_at_first_read;
    CHECK(boot(now + 3000000));
    CHECK_STR(p2_client_seal(&client)->name, "new");
    CHECK(memory_is(&newer));
    cleanup(&image, &newer);
}

// Everyone on the link can answer discovery with "no such image"; a server that comes late is still waited for.
TEST(forged_no_image_does_not_shorten_the_wait)
{
    struct testimage image;
    testimage_make(&image, "patient", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    servers[0].alive = false;
    start();
    CHECK(!run_until(P2_SEALED, now + 200000));
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [13] = 9, [15] = (uint8_t)i }, .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_ERROR, client.discovery_nonce, 0, buf), &nobody, now);
        p2_client_input(&client, buf, forged(P2_ERROR, client.discovery_nonce, 0, buf), &servers[0].addr, now);
    }
    CHECK(!run_until(P2_SEALED, now + 4500000));
    CHECK_EQ(p2_client_phase(&client), P2_DISCOVER);
    servers[0].alive = true;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// A second server that is known but not read from cannot use up the attention that RESETs get.
static bool rival_noise(uint8_t *data, size_t *len, struct net_addr *from)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (client.servers[i].state == P2S_BOUND && i + 1 != client.current) {
            uint8_t buf[P2_MESSAGE_MAX];
            p2_client_input(&client, buf, forged(P2_RESET, client.servers[i].nonce, 0, buf), &client.servers[i].addr, now);
        }
    return true;
}
TEST(reset_of_a_rival_is_not_heeded)
{
    struct testimage image;
    testimage_make(&image, "rival", 1000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    to_client = rival_noise;
    CHECK(run_until(P2_SEALED, now + 5000000) && accept_image());
    while (progress().bytes_verified < 500000)
        turn();
    uint32_t current = at_first_server() ? 0 : 1;
    server_start(current, &image, 99);
    uint64_t began = now;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(now - began < 1000000);
    CHECK_EQ(progress().failovers, 0);
    cleanup(&image, NULL);
}

// FINISHED is repeated when it is lost, and given up when nobody hears it.
static uint32_t finished_seen;
static bool swallow_finished(const struct p2_message *m, const struct net_addr *to)
{
    finished_seen += m->type == P2_FINISHED;
    return m->type != P2_FINISHED || finished_seen > 2;
}
TEST(report_is_repeated)
{
    struct testimage image;
    testimage_make(&image, "report", 30000, 1, TESTKEY_P256_A);
    for (int deaf = 0; deaf < 2; deaf++) {
        setup();
        server_start(0, &image, 1);
        start();
        CHECK(boot(now + 5000000));
        to_server = swallow_finished;
        finished_seen = 0;
        servers[0].alive = !deaf;
        uint64_t began = now;
        p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_BOOTING }, now);
        CHECK(run_until(P2_DONE, now + 5000000));
        CHECK_EQ(servers[0].finished, deaf ? 0 : 1);
        CHECK_EQ(finished_seen, deaf ? P2_FINISH_TRIES : 3);
        CHECK(now - began <= P2_FINISH_TRIES * P2_FINISH_PAUSE + 10000);
    }
    cleanup(&image, NULL);
}

// ---- many gigabytes ------------------------------------------------------------------------------------

// A payload of 5 GiB of which only the last chunk is fetched: offsets beyond 32 bits, and beyond 2^32 blocks
// of nothing.
static uint64_t huge_size;
static uint8_t huge_last[CHUNK_SIZE_MAX], huge_list[4096 * 32];
static struct testimage huge;
static const uint8_t *huge_bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    if (space == P2_SPACE_SEAL)
        return huge.file + offset;
    if (space == P2_SPACE_LIST)
        return huge_list + offset;
    return offset >= huge_size - sizeof huge_last ? huge_last + (offset - (huge_size - sizeof huge_last)) : NULL;
}
TEST(offsets_beyond_4_gib)
{
    setup();
    struct testkey_stream stream = { .seed = { 5 } };
    CHECK_EQ(testkey_random(&stream, huge_last, sizeof huge_last), 0);
    struct seal fields = testimage_fields("huge");
    fields.chunk_size = CHUNK_SIZE_MAX;
    fields.target = TARGET_DATA;
    fields.payload_size = huge_size = 5 * GIB;
    fields.chunk_count = (uint32_t)(huge_size / CHUNK_SIZE_MAX);
    fields.part_count = 1;
    fields.parts[0] = (struct seal_part){ .kind = PART_RAMDISK, .size = huge_size, .align = 4096, .name = "disk" };
    uint32_t last = fields.chunk_count - 1;
    sha256(huge_last, sizeof huge_last, huge_list + (size_t)last * 32);
    sha256(huge_list, (size_t)fields.chunk_count * 32, fields.list_digest);
    huge.file = calloc(1, SEAL_MAX);
    int n = seal_build(&fields, huge.file, SEAL_MAX);
    CHECK(n > 0);
    enum testkey_name key = TESTKEY_P256_A;
    huge.seal_len = testimage_sign(huge.file, (size_t)n, &key, 1, SEAL_MAX);
    struct seal_view view;
    CHECK_EQ(seal_view(huge.file, huge.seal_len, &view), 0);
    huge.seal = fields;
    seal_image_id(&view, huge.seal.image_id);
    server_start(0, &huge, 1);
    servers[0].machine.config.images.bytes = huge_bytes;
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    memory = calloc(1, CHUNK_SIZE_MAX);
    struct scatter m = { .size = huge_size, .count = 2,
                         .pieces = { { 0, huge_size - CHUNK_SIZE_MAX, (uint8_t *)(uintptr_t)64 },
                                     { huge_size - CHUNK_SIZE_MAX, CHUNK_SIZE_MAX, memory } } };
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), 0);
    CHECK(run_until(P2_PAYLOAD, now + 5000000));
    for (uint32_t i = 0; i < last; i++) // as if all but the last were here
        chunk_bits[i / 8] |= (uint8_t)(1u << (i % 8));
    client.pieces_done = client.piece_next = last;
    CHECK(run_until(P2_VERIFIED, now + 60000000));
    CHECK(memcmp(memory, huge_last, sizeof huge_last) == 0);
    cleanup(&huge, NULL);
}

TEST_MAIN(T(plain_boot_and_report), T(init_refuses), T(accept_refuses_wrong_maps), T(without_the_nonce_nothing_happens),
          T(blocks_that_were_not_asked_for), T(nothing_from_who_was_not_asked),
          T(chunk_that_was_bad_comes_from_one_server), T(bytes_that_are_here_are_not_overwritten),
          T(reset_and_error_alone_end_nothing), T(bad_cookie_heals), T(credit_never_exceeds_the_limit),
          T(reads_are_few_and_ranges_merged), T(local_chunks_are_not_fetched),
          T(with_all_chunks_local_nothing_is_fetched), T(local_chunks_that_are_none),
          T(time_spent_on_local_chunks_is_nobodys_fault), T(bad_chunk_costs_that_chunk_only), T(strikes_are_forgiven),
          T(digests_in_any_order), T(not_verified_before_the_last_digest_is_back), T(wrong_digest_is_made_again_here),
          T(bad_chunk_is_found_elsewhere_as_well), T(digests_that_nobody_asked_for), T(chunk_in_many_pieces_stays_here),
          T(chunk_that_stays_bad_is_named),
          T(list_that_is_bad), T(seal_that_is_damaged_on_the_way), T(wrong_key_is_named_and_reported),
          T(wrong_key_beside_the_right_one), T(no_trust_fails_at_once), T(offer_that_lies_about_sizes),
          T(refusal_is_reported), T(long_pause_before_accept), T(no_server_in_bounded_time),
          T(no_image_is_named_but_not_believed_at_once), T(stalled_server_is_named), T(failover_keeps_progress),
          T(server_that_restarts_goes_on), T(cookie_is_renewed_before_it_dies), T(path_mtu_black_hole),
          T(invented_servers_do_not_crowd_out_the_real_one), T(invented_servers_that_never_stop),
          T(image_replaced_at_the_other_server),
          T(image_replaced_before_its_seal), T(forged_no_image_does_not_shorten_the_wait),
          T(reset_of_a_rival_is_not_heeded), T(report_is_repeated),
          T(offsets_beyond_4_gib))
