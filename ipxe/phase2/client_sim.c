// SPDX-License-Identifier: MPL-2.0
// The firmware's client machine against bootserver's server machines on a seeded, bad wire with a fake
// clock. Every seed is one boot on one network of one class. It must end before a deadline: VERIFIED with
// memory equal to the payload, or FAILED with a named error where the class allows it. Anything else prints
// the seed, which replays it exactly:
//
//     client_sim [FIRST [COUNT]]     default 1 1000
//     client_sim -v SEED             one seed, with its figures
//     client_sim speed [PART]        the rows of `speeds` whose name has PART
#include "crypto/testkeys.h"
#include "phase2/client.h"
#include "phase2/server.h"
#include "phase2/testimage.h"

#include <stdio.h>
#include <stdlib.h>

#define SIM_SERVERS 3
#define SIM_IMAGES 8
#define SIM_PEERS 32
#define SIM_JOBS 512
#define SIM_HELPERS 4
#define SIM_DEADLINE 300000000ull // us of simulated time in which a boot must have ended
#define SIM_EVENTS_MAX 500000u    // a machine that spins instead of waiting hangs as well
#define PACKETS_MAX 16384
#define PACKET_SIZE 1472
#define RING_MAX 1024
#define GUARD 64
#define SPEED_SEEDS 3

// ---- randomness: one stream a seed ---------------------------------------------------------------------

static uint64_t rng_state;
static uint64_t rng(void)
{
    rng_state += 0x9e3779b97f4a7c15ull; // splitmix64
    uint64_t z = rng_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
static uint32_t below(uint32_t n)
{
    return n ? (uint32_t)(rng() % n) : 0;
}
static bool chance(uint32_t per_10000)
{
    return below(10000) < per_10000;
}
static uint32_t between(uint32_t a, uint32_t b)
{
    return a + below(b - a + 1);
}

// ---- the networks --------------------------------------------------------------------------------------

enum class_name {
    CLEAN, LOSSY, REORDER, DUPLICATE, JITTER, NARROW, SMALL_RING, LONG_PATH, DEATH_RETURN, FAILOVER, ALL_DEAD,
    REPLACED, MTU_HOLE, OFFPATH, ONPATH, BITFLIPS, REPLAY, BAD_SERVER, ALL_BAD, WRONG_KEY, WRONG_KEY_BESIDE, NO_IMAGE,
    CROWD, ROGUE_BESIDE, STUCK_ROM, LOCAL_COPY, NEVER_ENDS, EVERYTHING, CLASSES
};
static const char *const class_names[CLASSES] = {
    "clean", "lossy", "reorder", "duplicate", "jitter", "narrow", "small-ring", "long-path", "death-return", "failover",
    "all-dead", "replaced", "mtu-hole", "offpath-forger", "onpath-forger", "bitflips", "replay", "bad-server",
    "all-bad", "wrong-key", "wrong-key-beside", "no-image", "invented-servers", "rogue-beside", "stuck-rom",
    "local-copy", "never-ends", "everything",
};

// Servers that give a little for ever, or nothing, but never fall silent.
enum never { NEVER_NO, NEVER_TRICKLE, NEVER_REPEAT, NEVER_RESET, NEVER_BUSY, NEVER_ANOTHER, NEVER_KINDS };

struct net {
    enum class_name class;
    uint32_t loss, duplicate, reorder, flip, truncate, replay; // of 10000
    uint32_t delay, jitter;  // us one way
    uint32_t us_per_kib;     // the wire's speed towards the client
    uint32_t queue;          // bytes that wait for that wire before they are dropped
    uint32_t ring;           // frames the client's card holds
    uint32_t client_packet;  // us the client spends on one datagram
    uint32_t client_kib;     // us the client hashes 1 KiB
    uint32_t helpers;        // other processors that hash as well
    uint32_t helper_errs;    // of 10000 digests
    bool helper_dies;        // the first one never brings its job back
    uint32_t mtu[SIM_SERVERS]; // IP bytes; bigger ones vanish
    uint32_t servers;
    bool blind; // the client does not know its ring
    bool discover, may_fail, must_fail;
    int expect;              // with must_fail: the error, 0 = any
    uint32_t forge_off, forge_on; // datagrams forged for each 10000 delivered
    bool crowd, late;
    uint32_t local, local_bad; // of 10000 chunks: on the client's disk already; not what they should be
    enum never never;    // how servers never end
    uint64_t never_pause; // us
    uint32_t stuck; // so many frames waiting, and the card receives nothing until the next one is sent
};

struct sim_server {
    struct p2_server machine;
    struct p2_peer peers[SIM_PEERS];
    struct p2_job jobs[SIM_JOBS];
    struct net_addr addr;
    bool alive, keeps_old, corrupt_all;
    uint32_t corrupt;  // of 10000 blocks
    const struct testimage *now, *old;
    struct p2_image image_now, image_old;
    uint8_t scratch[P2_BLOCK_MAX];
    uint64_t dies, returns, replaces; // times, 0 = never
    uint32_t restarts;
};

struct packet {
    uint64_t at, order;
    struct net_addr from;
    uint16_t len;
    int8_t to; // server index, -1 = client
    uint8_t bytes[PACKET_SIZE];
};

static struct testimage images[SIM_IMAGES], foreign, newer;
static struct trust_store trust;
static struct net net;
static struct sim_server servers[SIM_SERVERS];
static struct p2_client client;
static struct packet packets[PACKETS_MAX];
static uint32_t heap[PACKETS_MAX], heap_count, free_list[PACKETS_MAX], free_count;
static uint64_t packet_order, wire_free, events;
static uint32_t ring[RING_MAX], ring_head, ring_count;
static struct net_addr client_addr;
static uint64_t clock_now, client_at, client_busy;
static bool client_asleep, verbose, card_stuck;
static bool local_given, local[256], local_asked_for; // by chunk
static uint8_t seal_buf[SEAL_MAX], *memory, *list_buf, chunk_bits[1024];
static struct scatter map;
static const struct testimage *image;
// What a listener on the path knows.
static uint8_t seen_nonce[P2_NONCE_SIZE], seen_discovery[P2_NONCE_SIZE];
static struct net_addr seen_server;
static bool seen;
static struct packet old_packets[32];
static uint32_t old_count;

// ---- the packets under way: a heap by time -------------------------------------------------------------

static bool earlier(uint32_t a, uint32_t b)
{
    return packets[a].at != packets[b].at ? packets[a].at < packets[b].at : packets[a].order < packets[b].order;
}
static void heap_swap(uint32_t i, uint32_t j)
{
    uint32_t t = heap[i];
    heap[i] = heap[j];
    heap[j] = t;
}
static void heap_push(uint32_t index)
{
    uint32_t i = heap_count++;
    heap[i] = index;
    for (; i && earlier(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(i, (i - 1) / 2);
}
static uint32_t heap_pop(void)
{
    uint32_t top = heap[0];
    heap[0] = heap[--heap_count];
    for (uint32_t i = 0;;) {
        uint32_t l = 2 * i + 1, m = i;
        if (l < heap_count && earlier(heap[l], heap[m]))
            m = l;
        if (l + 1 < heap_count && earlier(heap[l + 1], heap[m]))
            m = l + 1;
        if (m == i)
            return top;
        heap_swap(i, m);
        i = m;
    }
}

static void put(const uint8_t *bytes, size_t len, int to, const struct net_addr *from, uint64_t at)
{
    if (free_count == 0 || len > PACKET_SIZE)
        return; // the world is full: dropped
    uint32_t index = free_list[--free_count];
    struct packet *p = &packets[index];
    p->at = at;
    p->order = packet_order++;
    p->from = *from;
    p->len = (uint16_t)len;
    p->to = (int8_t)to;
    memcpy(p->bytes, bytes, len);
    heap_push(index);
}

// One datagram onto the wire, with all that can befall it there.
static void wire_send(const uint8_t *bytes, size_t len, int to, const struct net_addr *from, uint64_t now)
{
    uint8_t copy[PACKET_SIZE];
    uint64_t at = now;
    memcpy(copy, bytes, len);
    if (to < 0) { // towards the client the wire has a speed and a queue before it
        uint64_t start = MAX(now, wire_free);
        if (net.us_per_kib && (start - now) * 1024 / net.us_per_kib > net.queue)
            return;
        wire_free = start + len * net.us_per_kib / 1024;
        at = wire_free;
    }
    if (chance(net.loss))
        return;
    if (chance(net.flip))
        copy[below((uint32_t)len)] ^= (uint8_t)(1u << below(8));
    if (chance(net.truncate))
        len = below((uint32_t)len + 1);
    at += net.delay + below(net.jitter + 1);
    put(copy, len, to, from, chance(net.reorder) ? at + below(4 * net.delay + 3000) : at);
    if (chance(net.duplicate))
        put(copy, len, to, from, at + below(2 * net.delay + 2000));
    if (net.replay && len <= PACKET_SIZE) {
        struct packet *o = &old_packets[old_count++ % ARRAY_SIZE(old_packets)];
        o->from = *from;
        o->len = (uint16_t)len;
        o->to = (int8_t)to;
        memcpy(o->bytes, copy, len);
        const struct packet *r = &old_packets[below(MIN(old_count, (uint32_t)ARRAY_SIZE(old_packets)))];
        if (chance(net.replay))
            put(r->bytes, r->len, r->to, &r->from, at + below(2000000));
    }
}

// ---- forgers -------------------------------------------------------------------------------------------

static void forge(const uint8_t *nonce, const struct net_addr *from, bool knows_image, uint64_t now)
{
    static const uint8_t types[] = { P2_DATA, P2_DATA, P2_DATA, P2_RESET, P2_ERROR, P2_OFFER, P2_FINISHED_ACK };
    struct p2_message m;
    uint8_t junk[P2_BLOCK_MAX], buf[P2_MESSAGE_MAX];
    memset(&m, 0, sizeof m);
    m.type = types[below(ARRAY_SIZE(types))];
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    const uint8_t *id = knows_image ? image->seal.image_id : junk;
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * 7 + now);
    switch (m.type) {
    case P2_DATA: {
        struct p2_data *d = &m.data;
        memcpy(d->tag, id, P2_TAG_SIZE);
        d->space = (uint8_t)below(3);
        uint32_t sizes[] = { (uint32_t)image->seal_len, image->seal.chunk_count * 32, (uint32_t)image->seal.payload_size };
        uint32_t piece = d->space == P2_SPACE_PAYLOAD ? image->seal.chunk_size : 1u << 20;
        uint32_t start = below(sizes[d->space]) / piece * piece, end = MIN(start + piece, sizes[d->space]);
        uint32_t block = below((end - start + P2_BLOCK_MAX - 1) / P2_BLOCK_MAX);
        d->offset = start + block * P2_BLOCK_MAX;
        d->length = MIN((uint32_t)P2_BLOCK_MAX, end - (uint32_t)d->offset);
        d->stamp = (uint16_t)below(40);
        d->bytes = junk;
        break;
    }
    case P2_RESET: m.reset_reason = P2_RESET_COOKIE; break;
    case P2_ERROR:
        memcpy(m.error.tag, id, P2_TAG_SIZE);
        m.error.code = (uint16_t)between(1, 4);
        break;
    case P2_OFFER:
        memcpy(m.offer.cookie, junk, P2_COOKIE_SIZE);
        memcpy(m.offer.image_id, chance(5000) ? id : junk, P2_IMAGE_ID_SIZE);
        m.offer.seal_size = chance(5000) ? (uint32_t)image->seal_len : below(SEAL_MAX + 10);
        m.offer.list_size = image->seal.chunk_count * 32;
        m.offer.payload_size = chance(5000) ? image->seal.payload_size : rng();
        m.offer.block_max = (uint16_t)between(500, 1500);
        m.offer.window_max = (uint16_t)below(2000);
        break;
    default: break;
    }
    int n = p2_wire_write(&m, buf, sizeof buf);
    if (n > 0)
        put(buf, (size_t)n, -1, from, now + below(2 * net.delay + 500));
}

static void forgers(uint64_t now)
{
    if (chance(net.forge_off)) {
        uint8_t guess[P2_NONCE_SIZE];
        for (size_t i = 0; i < sizeof guess; i++)
            guess[i] = (uint8_t)rng();
        // Off the path, but on the link: it hears discovery's HELLO.
        bool heard = net.discover && chance(5000);
        forge(heard ? seen_discovery : guess, &servers[below(net.servers)].addr, true, now);
    }
    if (seen && chance(net.forge_on))
        forge(seen_nonce, &seen_server, chance(9000), now);
    if (net.crowd && chance(3000)) {
        uint8_t ip[4] = { 10, 9, (uint8_t)below(256), (uint8_t)below(256) };
        struct net_addr nobody = net_addr_v4(ip, P2_PORT);
        struct p2_message m;
        uint8_t buf[P2_OFFER_SIZE];
        memset(&m, 0, sizeof m);
        m.type = P2_OFFER;
        memcpy(m.nonce, seen_discovery, P2_NONCE_SIZE);
        int n = p2_wire_write(&m, buf, sizeof buf);
        if (n > 0)
            put(buf, (size_t)n, -1, &nobody, now + below(300));
    }
}

// ---- servers -------------------------------------------------------------------------------------------

static void image_view(struct p2_image *v, const struct testimage *t)
{
    *v = (struct p2_image){ .seal_size = (uint32_t)t->seal_len, .list_size = t->seal.chunk_count * 32,
                            .payload_size = t->seal.payload_size, .chunk_size = t->seal.chunk_size,
                            .handle = (void *)(uintptr_t)t, .name = t->seal.name };
    memcpy(v->id, t->seal.image_id, P2_IMAGE_ID_SIZE);
}
static const struct p2_image *by_name(void *ctx, const char *name)
{
    struct sim_server *s = ctx;
    if (!s->now || (name[0] && strcmp(name, s->now->seal.name) != 0 && strcmp(name, "boot") != 0))
        return NULL;
    return &s->image_now;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    struct sim_server *s = ctx;
    if (s->now && memcmp(s->image_now.id, tag, P2_TAG_SIZE) == 0)
        return &s->image_now;
    return s->old && s->keeps_old && memcmp(s->image_old.id, tag, P2_TAG_SIZE) == 0 ? &s->image_old : NULL;
}
static const uint8_t *image_bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    struct sim_server *s = ctx;
    const struct testimage *t = i->handle;
    const uint8_t *p = (space == P2_SPACE_SEAL ? t->file : space == P2_SPACE_LIST ? t->list : t->payload) + offset;
    if (space != P2_SPACE_PAYLOAD || (!s->corrupt_all && !chance(s->corrupt)))
        return p;
    memcpy(s->scratch, p, length);
    s->scratch[below(length)] ^= 1;
    return s->scratch;
}

static void server_start(struct sim_server *s, uint32_t index)
{
    struct p2_server_config config = {
        .images = { .ctx = s, .by_name = by_name, .by_tag = by_tag, .bytes = image_bytes },
        .name = index ? "spare" : "first",
        .peers = s->peers, .peer_count = SIM_PEERS, .jobs = s->jobs, .job_count = SIM_JOBS,
    };
    for (size_t i = 0; i < sizeof config.secret; i++)
        config.secret[i] = (uint8_t)rng();
    for (size_t i = 0; i < sizeof config.instance; i++)
        config.instance[i] = (uint8_t)rng();
    if (p2_server_init(&s->machine, &config) != 0)
        abort();
    s->alive = true;
}

static void server_image(struct sim_server *s, const struct testimage *t)
{
    s->now = t;
    if (t)
        image_view(&s->image_now, t);
}

// What such a server sends in place of a message: its length, 0 = nothing.
static size_t never_say(uint8_t *buf, size_t len, uint64_t now)
{
    static struct { uint8_t bytes[P2_MESSAGE_MAX]; size_t len; uint64_t next; } old;
    if (now < old.next && old.next - now > net.never_pause)
        old.len = 0, old.next = 0; // of an earlier boot
    bool data = buf[5] == P2_DATA, due = now >= old.next;
    if (buf[5] == P2_OFFER && net.never == NEVER_ANOTHER)
        buf[32] = (uint8_t)rng(); // the id of an image that was not offered before
    if (!data || net.never == NEVER_NO)
        return len;
    old.next = due ? now + net.never_pause : old.next;
    switch (net.never) {
    case NEVER_REPEAT:
        if (!old.len)
            memcpy(old.bytes, buf, old.len = len);
        memcpy(buf + P2_HEAD_SIZE, old.bytes + P2_HEAD_SIZE, old.len - P2_HEAD_SIZE);
        return due ? old.len : 0;
    case NEVER_RESET:
    case NEVER_ANOTHER:
        memset(buf + P2_HEAD_SIZE, 0, P2_RESET_SIZE - P2_HEAD_SIZE);
        buf[5] = P2_RESET;
        buf[P2_HEAD_SIZE] = P2_RESET_COOKIE;
        return P2_RESET_SIZE;
    case NEVER_BUSY:
        memset(buf + P2_HEAD_SIZE + P2_TAG_SIZE, 0, P2_ERROR_SIZE - P2_HEAD_SIZE - P2_TAG_SIZE);
        buf[5] = P2_ERROR;
        buf[24] = P2_ERROR_BUSY;
        return due ? P2_ERROR_SIZE : 0;
    default: return due ? len : 0;
    }
}

static void server_drain(uint32_t index, uint64_t now)
{
    struct sim_server *s = &servers[index];
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    struct p2_event event;
    int n;
    while ((n = p2_server_output_flat(&s->machine, buf, sizeof buf, &to, now)) > 0) {
        uint32_t mtu = net.mtu[index];
        n = (int)never_say(buf, (size_t)n, now);
        if (n && net_addr_equal(&to, &client_addr) && (!mtu || (uint32_t)n + 28 <= mtu))
            wire_send(buf, (size_t)n, -1, &s->addr, now);
    }
    while (p2_server_event(&s->machine, &event))
        if (verbose && event.type != P2_EVENT_PROGRESS)
            printf("  %9.3f ms server %u: event %u outcome %u %s\n", (double)now / 1000, index, event.type,
                   event.finished.outcome, event.finished.text);
}

static void server_times(uint32_t index, uint64_t now)
{
    struct sim_server *s = &servers[index];
    if (s->dies && now >= s->dies) {
        s->alive = false;
        s->dies = 0;
    }
    if (s->returns && now >= s->returns && !s->dies) {
        server_start(s, index); // another secret: old cookies are worth nothing
        s->returns = 0;
        s->restarts++;
    }
    if (s->replaces && now >= s->replaces) {
        s->old = s->now;
        s->image_old = s->image_now;
        server_image(s, &newer);
        s->replaces = 0;
    }
}

// ---- other processors of the client --------------------------------------------------------------------

static struct helper {
    struct hash_job job;
    uint64_t done; // 0 = idle
} helpers[SIM_HELPERS];

static void helper_digest(struct hash_job *job)
{
    for (uint32_t i = 0; i < job->piece_count; i++)
        sha256_update(&job->sha, job->pieces[i].data, job->pieces[i].len);
    sha256_final(&job->sha, job->digest);
    if (chance(net.helper_errs))
        job->digest[below(SHA256_SIZE)] ^= (uint8_t)(1u << below(8));
}

// Fetches what is done and gives out what there is. False: nothing of that.
static bool helpers_turn(uint64_t now)
{
    bool moved = false;
    for (uint32_t i = 0; i < net.helpers; i++) {
        struct helper *h = &helpers[i];
        if (h->done && now >= h->done) {
            h->done = 0;
            moved = true;
            if (i == 0 && net.helper_dies) {
                p2_client_jobs_lost(&client); // the caller's patience is at its end
                net.helpers = 0;
                break;
            }
            helper_digest(&h->job);
            p2_client_job_done(&client, &h->job);
        }
        if (h->done || !p2_client_job(&client, &h->job))
            continue;
        uint64_t bytes = 0;
        for (uint32_t j = 0; j < h->job.piece_count; j++)
            bytes += h->job.pieces[j].len;
        h->done = now + 1 + bytes * net.client_kib / 1024 * between(1, 5) + below(2000);
        moved = true;
    }
    return moved;
}

static uint64_t helpers_deadline(void)
{
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < net.helpers; i++)
        at = helpers[i].done ? MIN(at, helpers[i].done) : at;
    return at;
}

// ---- the client ----------------------------------------------------------------------------------------

// A datagram wakes a client that waits, but not one that is busy with another or hashes.
static void client_wake(uint64_t now)
{
    if (client_asleep || client_at > client_busy) {
        client_at = MAX(now, client_busy);
        client_asleep = false;
    }
}

static void watch_read(const struct p2_read *read)
{
    for (uint32_t i = 0; read->space == P2_SPACE_PAYLOAD && i < read->range_count; i++)
        for (uint64_t at = read->ranges[i].offset; at < read->ranges[i].offset + read->ranges[i].length; at += P2_BLOCK_MIN)
            local_asked_for |= local[at / image->seal.chunk_size];
}

static void client_send(const uint8_t *bytes, size_t len, const struct net_addr *to, uint64_t now)
{
    static const struct net_addr group = { .ip = P2_GROUP_V6, .port = P2_PORT };
    bool everyone = memcmp(to->ip, group.ip, 16) == 0;
    struct p2_message m;
    if (p2_wire_read(bytes, len, &m) != 0)
        abort(); // our own machine wrote something that cannot be read
    if (m.type == P2_READ)
        watch_read(&m.read);
    if (everyone)
        memcpy(seen_discovery, m.nonce, P2_NONCE_SIZE);
    for (uint32_t i = 0; i < net.servers; i++) {
        if (!everyone && !net_addr_equal(to, &servers[i].addr))
            continue;
        if (!everyone) {
            memcpy(seen_nonce, m.nonce, P2_NONCE_SIZE);
            seen_server = servers[i].addr;
            seen = true;
        }
        if (!net.mtu[i] || len + 28 <= net.mtu[i])
            wire_send(bytes, len, (int)i, &client_addr, now);
    }
    card_stuck = false;
}

static void client_memory(void)
{
    // Two to four pieces with guards around, cut anywhere.
    uint64_t size = image->seal.payload_size, offset = 0;
    uint8_t *p = memory;
    memset(memory, 0xa5, size + 5 * GUARD);
    map = (struct scatter){ .size = size };
    for (uint32_t count = between(1, 4); offset < size; count--) {
        uint64_t length = count == 1 || size - offset < 2 ? size - offset : 1 + below((uint32_t)(size - offset - 1));
        p += GUARD;
        map.pieces[map.count++] = (struct scatter_piece){ .offset = offset, .length = length, .memory = p };
        p += length;
        offset += length;
    }
}

static bool memory_good(void)
{
    const uint8_t *end = memory;
    for (uint32_t i = 0; i < map.count; i++) {
        const struct scatter_piece *p = &map.pieces[i];
        for (const uint8_t *g = end; g < p->memory; g++)
            if (*g != 0xa5)
                return false;
        if (memcmp(p->memory, image->payload + p->offset, p->length) != 0)
            return false;
        end = p->memory + p->length;
    }
    for (uint32_t i = 0; i < GUARD; i++)
        if (end[i] != 0xa5)
            return false;
    return true;
}

// What is on the client's disk, some of it damaged. Returns the time that the disk took for it.
static uint64_t local_give(void)
{
    uint64_t took = 1;
    for (uint32_t i = 0; i < image->seal.chunk_count; i++) {
        uint32_t length = seal_chunk_length(&image->seal, i);
        uint64_t offset = (uint64_t)i * image->seal.chunk_size;
        if (!chance(net.local))
            continue;
        bool bad = chance(net.local_bad);
        uint8_t wrong = image->payload[offset + length / 2] ^ 1;
        scatter_write(&map, offset, image->payload + offset, length);
        if (bad)
            scatter_write(&map, offset + length / 2, &wrong, 1);
        local[i] = p2_client_local(&client, i) == 1;
        if (local[i] == bad)
            abort();
        took += between(1, 2000000);
    }
    return took;
}

// One turn of the loop that client.h describes; returns how long it took.
static uint64_t client_turn(uint64_t now)
{
    uint8_t buf[P2_CLIENT_MESSAGE_MAX];
    struct net_addr to;
    if (ring_count) {
        uint32_t index = ring[ring_head];
        ring_head = (ring_head + 1) % RING_MAX;
        ring_count--;
        p2_client_input(&client, packets[index].bytes, packets[index].len, &packets[index].from, now);
        free_list[free_count++] = index;
        return MAX(net.client_packet, 1u);
    }
    if (net.local && p2_client_phase(&client) == P2_PAYLOAD && !local_given) {
        local_given = true;
        return local_give();
    }
    int n = p2_client_output(&client, buf, sizeof buf, &to, now);
    if (n < 0)
        abort();
    if (n > 0) {
        client_send(buf, (size_t)n, &to, now);
        return MAX(net.client_packet, 1u);
    }
    if (helpers_turn(now))
        return 1;
    size_t hashed = p2_client_work(&client, 16 * 1024);
    if (hashed)
        return 1 + hashed * net.client_kib / 1024;
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING };
    switch (p2_client_phase(&client)) {
    case P2_SEALED:
        if (p2_client_seal(&client)->payload_size != image->seal.payload_size)
            image = &newer; // replaced before it was asked for
        client_memory();
        if (p2_client_accept(&client, &map, list_buf, chunk_bits) != 0)
            abort();
        return 1;
    case P2_VERIFIED:
        if (helpers_deadline() != UINT64_MAX)
            abort(); // a digest that is out was not waited for
        p2_client_finish(&client, &report, now);
        return 1;
    case P2_FAILED:
        report = (struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) };
        p2_client_finish(&client, &report, now);
        return 1;
    default: return 0;
    }
}

static void client_run(uint64_t now)
{
    uint64_t took = client_turn(now);
    if (took) {
        client_at = client_busy = now + took;
        return;
    }
    uint64_t deadline = MIN(p2_client_deadline(&client), helpers_deadline());
    if (deadline == UINT64_MAX)
        client_asleep = true;
    else
        client_at = MAX(deadline, now + 1);
}

static void deliver(uint32_t index, uint64_t now)
{
    struct packet *p = &packets[index];
    if (p->to >= 0) {
        server_times((uint32_t)p->to, now);
        struct sim_server *s = &servers[p->to];
        if (s->alive) {
            p2_server_input(&s->machine, p->bytes, p->len, &p->from, now);
            server_drain((uint32_t)p->to, now);
        }
        free_list[free_count++] = index;
        return;
    }
    forgers(now);
    card_stuck |= net.stuck && ring_count >= net.stuck;
    if (card_stuck || ring_count >= net.ring) {
        free_list[free_count++] = index; // no buffer: lost
        return;
    }
    ring[(ring_head + ring_count++) % RING_MAX] = index;
    client_wake(now);
}

// ---- one boot ------------------------------------------------------------------------------------------

static void net_choose(uint64_t seed)
{
    memset(&net, 0, sizeof net);
    net.class = (enum class_name)(seed % CLASSES);
    net.delay = between(30, 500);
    net.us_per_kib = between(8, 90); // 1 Gbit/s .. 90 Mbit/s
    net.queue = 512 * 1024;
    net.ring = 256;
    net.client_packet = between(1, 20);
    net.client_kib = between(5, 60);
    net.servers = 1;
    net.discover = chance(5000);
    net.helpers = chance(5000) ? between(1, SIM_HELPERS) : 0;
    net.helper_errs = chance(2000) ? between(100, 10000) : 0;
    net.helper_dies = chance(1000);
    switch (net.class) {
    case LOSSY: net.loss = between(1, 3000); break;
    case REORDER: net.reorder = between(100, 5000); net.jitter = between(0, 2000); break;
    case DUPLICATE: net.duplicate = between(100, 9000); break;
    case JITTER: net.delay = between(100, 20000); net.jitter = between(5000, 80000); break;
    case NARROW: net.us_per_kib = between(800, 8000); net.queue = between(8, 64) * 1024; break;
    case SMALL_RING: net.ring = between(4, 16); net.client_packet = between(100, 1200); net.client_kib = 200; break;
    case LONG_PATH: net.delay = between(5000, 60000); net.loss = below(100); break;
    case DEATH_RETURN: net.loss = below(500); break;
    case FAILOVER: net.servers = between(2, 3); net.loss = below(1000); break;
    case ALL_DEAD: net.servers = between(1, 3); net.must_fail = true; break;
    case REPLACED: net.servers = between(1, 2); net.may_fail = net.servers == 1; break;
    case MTU_HOLE: net.mtu[0] = net.mtu[1] = between(576, 1400); net.loss = below(300); break;
    case OFFPATH: net.forge_off = between(100, 9000); net.servers = between(1, 2); break;
    case ONPATH: net.forge_on = between(10, 2000); net.servers = between(1, 2); net.may_fail = true; break;
    case BITFLIPS: net.flip = between(1, 60); net.truncate = between(0, 100); net.may_fail = true; break;
    case REPLAY: net.replay = between(100, 4000); break;
    case BAD_SERVER: net.servers = between(2, 3); break;
    case ALL_BAD: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_P2_SERVERS_BAD; break;
    case WRONG_KEY: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_SEAL_UNTRUSTED; break;
    case WRONG_KEY_BESIDE: net.servers = between(2, 3); break;
    case NO_IMAGE: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_P2_NO_IMAGE; break;
    case CROWD: net.crowd = net.discover = true; net.servers = between(1, 2); break;
    case ROGUE_BESIDE: net.servers = 2; net.forge_off = between(1000, 9000); net.discover = true; break;
    case STUCK_ROM: // as an iPXE ROM whose heap is full (ipxe/bios/undi.c)
        net.stuck = between(8, 64);
        net.client_packet = between(50, 500);
        break;
    case LOCAL_COPY:
        net.local = between(1000, 10000);
        net.local_bad = chance(5000) ? 0 : between(100, 5000);
        net.loss = below(1000);
        net.servers = between(1, 2);
        break;
    case NEVER_ENDS: {
        static const int errors[NEVER_KINDS] = { 0, ERR_TOO_SLOW, ERR_P2_STALLED, ERR_P2_STALLED, ERR_P2_BUSY, ERR_P2_SERVERS_BAD };
        net.never = (enum never)between(1, NEVER_KINDS - 1);
        net.never_pause = net.never == NEVER_TRICKLE ? between(1500000, 25000000) : between(1000, 1000000);
        net.must_fail = true;
        net.expect = errors[net.never];
        break;
    }
    case EVERYTHING:
        net.local = chance(3000) ? between(1000, 10000) : 0;
        net.loss = between(0, 1500);
        net.reorder = between(0, 1000);
        net.duplicate = between(0, 1000);
        net.jitter = between(0, 3000);
        net.replay = between(0, 200);
        net.forge_off = between(0, 1000);
        net.ring = between(8, 64);
        net.client_packet = between(10, 300);
        net.servers = between(1, 3);
        break;
    default: break;
    }
}

static void servers_choose(void)
{
    // Roughly how long the boot takes: what happens in its middle is placed by it.
    uint64_t span = 4 * net.delay + image->seal.payload_size * (net.us_per_kib + net.client_kib) / 1024;
    for (uint32_t i = 0; i < net.servers; i++) {
        struct sim_server *s = &servers[i];
        uint8_t ip[4] = { 192, 0, 2, (uint8_t)(10 + i) };
        memset(s, 0, sizeof *s);
        s->addr = net_addr_v4(ip, P2_PORT);
        server_image(s, image);
        server_start(s, i);
        uint64_t when = 1 + rng() % (span + 1);
        switch (net.class) {
        case DEATH_RETURN:
            s->dies = when;
            s->returns = when + between(1000, 15000000);
            net.late = s->returns > P2_DISCOVER_DEFAULT / 2; // may come too late for a client that knows nobody
            break;
        case FAILOVER:
            if (i + 1 < net.servers)
                s->dies = when;
            if (chance(3000))
                s->returns = when + between(100000, 8000000);
            break;
        case ALL_DEAD: s->dies = chance(3000) ? 1 : when; break;
        case REPLACED:
            if (i == 0) {
                s->replaces = when;
                s->keeps_old = net.servers > 1 ? chance(5000) : chance(7000);
            }
            break;
        case BAD_SERVER:
            if (i + 1 < net.servers) {
                s->corrupt = between(10, 2000);
                s->corrupt_all = chance(5000);
            }
            break;
        case ALL_BAD: s->corrupt_all = true; break;
        case WRONG_KEY: server_image(s, &foreign); break;
        case WRONG_KEY_BESIDE:
            if (i + 1 < net.servers)
                server_image(s, &foreign);
            break;
        case NO_IMAGE: server_image(s, NULL); break;
        case ROGUE_BESIDE:
            if (i == 0) {
                if (chance(5000))
                    server_image(s, &foreign);
                s->corrupt_all = true;
            }
            break;
        case EVERYTHING:
            if (i + 1 < net.servers && chance(3000))
                s->dies = when;
            break;
        default: break;
        }
    }
}

static void client_start(void)
{
    struct net_addr fixed[SIM_SERVERS], group = { .ip = P2_GROUP_V6, .port = P2_PORT, .zone = 1 };
    uint8_t seed[16];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)rng();
    for (uint32_t i = 0; i < net.servers; i++)
        fixed[i] = servers[i].addr;
    bool both = chance(2000);
    struct p2_client_config config = {
        .trust = &trust, .image = chance(5000) ? "" : "boot", .seed = seed, .seed_len = sizeof seed,
        .seal_buf = seal_buf, .seal_cap = sizeof seal_buf, .facts = { .arch = "sim", .version = "0" },
        .servers = fixed, .server_count = net.discover && !both ? 0 : net.servers,
        .targets = &group, .target_count = net.discover || both ? 1 : 0,
        .rx_buffers = (uint16_t)(chance(7000) && !net.blind ? net.ring : 0),
    };
    if (p2_client_init(&client, &config, 0) != 0)
        abort();
}

static void world_reset(uint64_t seed)
{
    rng_state = seed * 0x2545f4914f6cdd1dull + 1;
    heap_count = ring_head = ring_count = 0;
    free_count = PACKETS_MAX;
    for (uint32_t i = 0; i < PACKETS_MAX; i++)
        free_list[i] = i;
    packet_order = wire_free = events = clock_now = client_at = client_busy = 0;
    client_asleep = seen = card_stuck = local_given = local_asked_for = false;
    memset(local, 0, sizeof local);
    memset(helpers, 0, sizeof helpers);
    old_count = 0;
}

static void world_run(uint64_t deadline)
{
    while (p2_client_phase(&client) != P2_DONE && clock_now < deadline && events++ < SIM_EVENTS_MAX) {
        uint64_t packet_at = heap_count ? packets[heap[0]].at : UINT64_MAX;
        uint64_t at = client_asleep ? UINT64_MAX : client_at;
        if (packet_at == UINT64_MAX && at == UINT64_MAX)
            return; // nobody will ever do anything again
        if (packet_at <= at) {
            clock_now = MAX(clock_now, packet_at);
            deliver(heap_pop(), clock_now);
        } else {
            clock_now = MAX(clock_now, at);
            client_run(clock_now);
        }
    }
}

struct tally {
    uint32_t boots, failed;
    uint64_t bytes, us, reads, blocks, lost, duplicates, timeouts, bad_chunks, failovers;
};

// What is wrong with how it ended, or NULL.
static const char *judge(void)
{
    int error = p2_client_error(&client);
    if (p2_client_phase(&client) != P2_DONE)
        return "hang";
    if (local_asked_for)
        return "asked for what it had";
    if (!error)
        return net.must_fail ? "booted, but should not have" : memory_good() ? NULL : "memory differs from the payload";
    // A failure must have a name of the protocol or the seal.
    if (err_group(error) != 'P' && err_group(error) != 'S' && error != ERR_TOO_SLOW)
        return "failed without a proper name";
    if ((net.late || net.loss > 2000) && error == ERR_P2_NO_SERVER)
        return NULL; // nobody was there in time, or ten HELLOs or their OFFERs were lost: at 30 % that happens
    if (!net.must_fail && !net.may_fail)
        return "failed";
    return net.expect && net.expect != error ? "failed with another error" : NULL;
}

static bool boot(uint64_t seed, struct tally *tally)
{
    world_reset(seed);
    net_choose(seed);
    // Mostly small images, so that many networks fit into the time.
    uint32_t pick = below(100);
    image = &images[pick < 60 ? below(3) : pick < 95 ? 3 + below(3) : 6 + below(2)];
    servers_choose();
    client_start();
    if (net.class == ALL_DEAD && chance(2000))
        net.must_fail = false, net.may_fail = true;
    world_run(SIM_DEADLINE);

    struct p2_progress p;
    p2_client_progress(&client, &p);
    int error = p2_client_error(&client);
    if (net.class == ALL_DEAD)
        net.must_fail = false, net.may_fail = true; // the boot may have been faster than death
    const char *wrong = judge();
    tally->boots += !error;
    tally->failed += error != 0;
    if (!error) {
        tally->bytes += image->seal.payload_size;
        tally->us += clock_now;
    }
    tally->reads += p.reads_sent;
    tally->blocks += p.blocks_received;
    tally->lost += p.lost;
    tally->duplicates += p.duplicates;
    tally->timeouts += p.timeouts;
    tally->bad_chunks += p.bad_chunks;
    tally->failovers += p.failovers;
    if (wrong || verbose)
        printf("%s sim seed %llu (%s): %s; %s %s after %.3f ms, phase %s, %llu of %llu bytes, %u reads, %u lost, "
               "%u timeouts, %u duplicates, %u bad chunks, %u failovers, window %u, block %u, srtt %u us, events %llu\n",
               wrong ? "FAIL" : "ok", (unsigned long long)seed, class_names[net.class], wrong ? wrong : "good",
               error ? err_code(error) : "booted", error ? err_text(error) : "", (double)clock_now / 1000,
               p2_phase_name(p.phase), (unsigned long long)p.bytes_verified, (unsigned long long)p.bytes_total,
               p.reads_sent, p.lost, p.timeouts, p.duplicates, p.bad_chunks, p.failovers, p.window, p.block_size,
               p.srtt_us, (unsigned long long)events);
    return !wrong;
}

static void build(struct testimage *t, const char *name, uint32_t size, uint32_t chunk, enum testkey_name key)
{
    struct seal fields = testimage_fields(name);
    fields.chunk_size = chunk;
    uint8_t *data = malloc(size);
    struct testkey_stream stream = { .block = 0 };
    sha256(name, strlen(name), stream.seed);
    if (!data || testkey_random(&stream, data, size) != 0)
        abort();
    struct testpart part = { .kind = PART_RAMDISK, .name = "disk", .data = data, .size = size, .align = 4096 };
    fields.target = TARGET_DATA;
    if (!testimage_build(t, &fields, &part, 1, &key, 1))
        abort();
    free(data);
}

static void images_build(void)
{
    static const struct { uint32_t kib, chunk_kib; } shapes[SIM_IMAGES] = {
        { 64, 4 }, { 100, 16 }, { 128, 64 }, { 256, 64 }, { 300, 32 }, { 512, 256 }, { 1024, 256 }, { 2048, 128 },
    };
    uint32_t largest = 0;
    for (uint32_t i = 0; i < SIM_IMAGES; i++) {
        char name[16];
        fmt_snprintf(name, sizeof name, "sim-%u", i);
        build(&images[i], name, shapes[i].kib * 1024 - 100, shapes[i].chunk_kib * 1024, TESTKEY_P256_A);
        largest = MAX(largest, shapes[i].kib * 1024);
    }
    build(&foreign, "foreign", 64 * 1024, 16 * 1024, TESTKEY_P256_B);
    build(&newer, "newer", 88 * 1024, 16 * 1024, TESTKEY_P256_A);
    testkey_trust(&trust, TESTKEY_P256_A);
    memory = malloc(largest + 5 * GUARD + 4096);
    list_buf = malloc(64 * 1024);
    if (!memory || !list_buf)
        abort();
}

// ---- speed ---------------------------------------------------------------------------------------------

struct speed {
    const char *name;
    struct net net;
    uint32_t mib;
    double least;    // MB/s from the first HELLO to VERIFIED, in each of SPEED_SEEDS boots
    uint32_t lost;   // of 1000 blocks: no more may be asked for again; 0 = as many as it takes
    uint32_t twice;  // of 1000 blocks: no more may come twice
};

// A large image on a given wire.
static bool speed_boot(const struct speed *row, const struct testimage *big, uint64_t seed)
{
    world_reset(seed);
    net = row->net;
    net.class = CLEAN;
    net.servers = 1;
    image = big;
    servers_choose();
    client_start();
    world_run(SIM_DEADLINE);
    struct p2_progress p;
    p2_client_progress(&client, &p);
    double rate = (double)big->seal.payload_size / (double)MAX(clock_now, 1u);
    const char *wrong = judge();
    bool good = !wrong && rate >= row->least && (!row->lost || p.lost <= p.blocks_received / 1000.0 * row->lost) &&
                p.duplicates <= p.blocks_received / 1000.0 * row->twice;
    printf("%s sim-speed-%s: %.2f MB/s of at least %.2f, %.1f s, %u reads for %u blocks, %u lost, %u duplicates, %u timeouts, window %u%s%s\n",
           good ? "ok" : "FAIL", row->name, rate, row->least, clock_now / 1e6, p.reads_sent, p.blocks_received, p.lost, p.duplicates, p.timeouts,
           p.window, wrong ? ": " : "", wrong ? wrong : "");
    return good;
}

static bool speed(const struct speed *row)
{
    struct testimage big;
    uint8_t *bits_memory = memory;
    bool good = true;
    build(&big, row->name, row->mib << 20, 256 * 1024, TESTKEY_P256_A);
    memory = malloc((size_t)big.seal.payload_size + 5 * GUARD);
    if (!memory)
        abort();
    for (uint64_t seed = 0; seed < SPEED_SEEDS; seed++)
        good &= speed_boot(row, &big, 4242 + seed);
    free(memory);
    memory = bits_memory;
    testimage_free(&big);
    return good;
}

#define WIRE .client_kib = 1
#define GBIT WIRE, .us_per_kib = 8, .queue = 4 << 20
static const struct speed speeds[] = {
    // 25 ms round trip, 1 Gbit/s: the case where others need megabytes of buffers.
    { "25ms", { GBIT, .delay = 12500, .ring = 1024, .client_packet = 2 }, 32, 25, 10, 0 },
    // Eight receive buffers and 100 us for each datagram: at most 14 MB/s are possible.
    { "8-buffers", { GBIT, .delay = 100, .ring = 8, .client_packet = 100 }, 8, 8, 100, 0 },
    // Five of them, as an rtl8139's under SNP: at most 14, 1.4 and 4.7 MB/s.
    { "5-buffers", { GBIT, .delay = 100, .ring = 5, .client_packet = 100 }, 8, 8, 125, 0 },
    { "5-buffers-slow", { GBIT, .delay = 100, .ring = 5, .client_packet = 1000 }, 8, 1, 125, 0 },
    { "5-buffers-unknown", { GBIT, .delay = 100, .ring = 5, .client_packet = 300, .blind = true }, 8, 3, 125, 0 },
    // 30 % each way: half of what is asked for does not come. 18 MiB in 60 s, and over a long path in 120 s.
    { "1-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 100 }, 8, 50, 35, 2 },
    { "5-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 500 }, 8, 8, 130, 2 },
    { "30-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 3000 }, 18, 18.9 / 60, 0, 2 },
    { "30-percent-loss-40ms", { GBIT, .delay = 20000, .ring = 256, .client_packet = 5, .loss = 3000 }, 18, 18.9 / 120, 0, 2 },
    // A queue of ten frames before 4 Mbit/s: what is lost there is the window's fault, and others want to pass, too.
    { "narrow", { WIRE, .delay = 1000, .us_per_kib = 2000, .queue = 16 << 10, .ring = 256, .client_packet = 5 }, 2, 0.4, 60, 20 },
};

static bool speed_rows(const char *part)
{
    bool good = true;
    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
        if (strstr(speeds[i].name, part))
            good &= speed(&speeds[i]);
    return good;
}

int main(int argc, char **argv)
{
    verbose = argc > 2 && strcmp(argv[1], "-v") == 0;
    uint64_t first = 1, count = 1000;
    if (verbose) {
        first = strtoull(argv[2], NULL, 10);
        count = 1;
    } else {
        first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
        count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
    }
    images_build();
    if (argc > 1 && strcmp(argv[1], "speed") == 0)
        return !speed_rows(argc > 2 ? argv[2] : "");
    struct tally tallies[CLASSES], all = { 0 };
    uint32_t wrong[CLASSES] = { 0 }, bad = 0;
    memset(tallies, 0, sizeof tallies);
    for (uint64_t seed = first; seed < first + count; seed++)
        if (!boot(seed, &tallies[seed % CLASSES]))
            wrong[seed % CLASSES]++;
    for (uint32_t i = 0; i < CLASSES; i++) {
        const struct tally *t = &tallies[i];
        if (t->boots + t->failed == 0)
            continue;
        printf("%s sim-%s: %u booted, %u failed by name, %.2f MB/s, %.1f blocks a READ, %.1f %% lost, %.1f %% duplicate, "
               "%llu timeouts, %llu bad chunks, %llu failovers\n",
               wrong[i] ? "FAIL" : "ok", class_names[i], t->boots, t->failed, t->us ? (double)t->bytes / (double)t->us : 0.0,
               (double)t->blocks / (double)MAX(t->reads, 1u), 100.0 * (double)t->lost / (double)MAX(t->blocks, 1u),
               100.0 * (double)t->duplicates / (double)MAX(t->blocks, 1u), (unsigned long long)t->timeouts,
               (unsigned long long)t->bad_chunks, (unsigned long long)t->failovers);
        bad += wrong[i];
        all.boots += t->boots;
        all.failed += t->failed;
        all.bytes += t->bytes;
        all.us += t->us;
    }
    bool fast = verbose || argc > 1 || speed_rows("");
    printf("%s: %llu networks, %u booted, %u failed by name, %u wrong; %.2f MB/s on average\n", argv[0],
           (unsigned long long)count, all.boots, all.failed, bad, all.us ? (double)all.bytes / (double)all.us : 0.0);
    for (uint32_t i = 0; i < SIM_IMAGES; i++)
        testimage_free(&images[i]);
    testimage_free(&foreign);
    testimage_free(&newer);
    free(memory);
    free(list_buf);
    return bad || !fast;
}
