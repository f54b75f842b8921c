// SPDX-License-Identifier: MPL-2.0
// A simulated, bad wire with a fake clock between the client machine and server machines: randomness, what a network can do to a
// packet, and the packets under way. testsim_servers.h has the servers and the forgers, testsim_client.h the client and its world.
#pragma once
#include "crypto/testkeys.h"
#include "phase2/client.h"
#include "phase2/server.h"
#include "phase2/testimage.h"

#include <stdio.h>
#include <stdlib.h>

#define SIM_SERVERS 3
#define SIM_PEERS 32
#define SIM_JOBS 512
#define SIM_HELPERS 4
#define SIM_DEADLINE 300000000ull // us of simulated time in which a boot must have ended
#define SIM_EVENTS_MAX 500000u    // a machine that spins instead of waiting hangs as well
#define PACKETS_MAX 16384
#define PACKET_SIZE P2_MESSAGE_LARGE
#define RING_MAX 1024
#define GUARD 64

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
    uint16_t large; // both sides take the ways to carry blocks as large; 0 = neither does
    bool old;       // the servers know nothing of larger blocks
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
    uint8_t scratch[P2_BLOCK_LARGE];
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

static struct testimage newer; // what replaces an image
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
