// SPDX-License-Identifier: MPL-2.0
// See server_peers.h and struct p2_node. Nodes are numbered through the table of clients: each entry has its client's own
// node, and room for two sources.
#include "phase2/server_peers.h"

#define NODES 3 // of an entry: the client's, and the sources'
#define NET_BITS 64

static struct p2_source *source_at(struct p2_server *s, uint32_t number)
{
    return &s->config.peers[(number - 1) / NODES].sources[(number - 1) % NODES - 1];
}

static struct p2_node *node_at(struct p2_server *s, uint32_t number)
{
    if (number == 0)
        return &s->root;
    if ((number - 1) % NODES)
        return &source_at(s, number)->node;
    return &s->config.peers[(number - 1) / NODES].node;
}

static uint32_t number_of(const struct p2_server *s, const struct p2_peer *peer)
{
    return (uint32_t)(peer - s->config.peers) * NODES + 1;
}

// ---- the order of turns --------------------------------------------------------------------------------

static void append(struct p2_server *s, uint32_t number)
{
    struct p2_node *node = node_at(s, number), *parent = node_at(s, node->parent);
    if (node->queued)
        return;
    node->next = 0;
    node->previous = parent->last;
    node->queued = true;
    *(parent->last ? &node_at(s, parent->last)->next : &parent->first) = number;
    parent->last = number;
}

static void unlink_child(struct p2_server *s, uint32_t number)
{
    struct p2_node *node = node_at(s, number), *parent = node_at(s, node->parent);
    if (!node->queued)
        return;
    if (node->parent == 0 && parent->first == number)
        s->quantum = P2_SERVER_QUANTUM; // its turn ends
    *(node->previous ? &node_at(s, node->previous)->next : &parent->first) = node->next;
    *(node->next ? &node_at(s, node->next)->previous : &parent->last) = node->previous;
    node->queued = false;
}

// ---- sources -------------------------------------------------------------------------------------------

// True when the address counts below a network's account.
static bool has_network(const struct net_addr *addr)
{
    return !net_addr_is_v4(addr) && !net_addr_is_link_local(addr);
}

struct net_addr p2_server_source(const struct net_addr *addr)
{
    struct net_addr source = *addr;
    source.port = 0;
    if (!net_addr_is_link_local(addr))
        source.zone = 0; // the way by which it came is not the sender's name
    if (has_network(addr))
        memset(source.ip + NET_BITS / 8, 0, sizeof source.ip - NET_BITS / 8);
    return source;
}

static void free_add(struct p2_server *s, uint32_t number)
{
    source_at(s, number)->chain = s->source_free;
    s->source_free = number;
}

void p2_turns_init(struct p2_server *s)
{
    s->quantum = P2_SERVER_QUANTUM;
    for (uint32_t i = s->config.peer_count; i > 0; i--) {
        free_add(s, (i - 1) * NODES + 3);
        free_add(s, (i - 1) * NODES + 2);
    }
}

static uint32_t *bucket_of(struct p2_server *s, const struct p2_source *key)
{
    // FNV-1a, begun with the secret: nobody outside can aim at a bucket.
    uint32_t h = load32_le(s->config.secret + 4) ^ 2166136261u;
    for (size_t i = 0; i < sizeof key->ip; i++)
        h = (h ^ key->ip[i]) * 16777619u;
    h = (h ^ key->zone ^ (uint32_t)key->bits << 8) * 16777619u;
    h ^= h >> 15;
    return &s->config.peers[h % s->config.peer_count].sources[0].bucket;
}

static bool same_source(const struct p2_source *a, const struct p2_source *b)
{
    return a->zone == b->zone && a->bits == b->bits && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

// The account of an address (bits 128) or of its network, with one more user.
static uint32_t source_use(struct p2_server *s, const struct net_addr *addr, uint8_t bits)
{
    struct p2_source key = { .bits = bits };
    struct net_addr source = p2_server_source(addr);
    key.zone = source.zone;
    memcpy(key.ip, bits == NET_BITS ? source.ip : addr->ip, sizeof key.ip);
    uint32_t *bucket = bucket_of(s, &key);
    for (uint32_t i = *bucket; i; i = source_at(s, i)->chain)
        if (same_source(source_at(s, i), &key)) {
            source_at(s, i)->users++;
            return i;
        }
    uint32_t number = s->source_free;
    struct p2_source *new = source_at(s, number);
    s->source_free = new->chain;
    key.bucket = new->bucket; // belongs to the place, not to the source
    key.chain = *bucket;
    key.users = 1;
    *new = key;
    *bucket = number;
    if (bits != NET_BITS && has_network(addr)) {
        uint32_t network = source_use(s, addr, NET_BITS);
        source_at(s, number)->node.parent = network;
    }
    return number;
}

// Nothing waits below a source that ends.
static void source_drop(struct p2_server *s, uint32_t number)
{
    while (number) {
        struct p2_source *source = source_at(s, number);
        uint32_t parent = source->node.parent;
        if (--source->users)
            return;
        unlink_child(s, number);
        uint32_t *link = bucket_of(s, source);
        while (*link != number)
            link = &source_at(s, *link)->chain;
        *link = source->chain;
        free_add(s, number);
        number = parent;
    }
}

void p2_turns_join(struct p2_server *s, struct p2_peer *peer)
{
    peer->node = (struct p2_node){ 0 };
    uint32_t host = source_use(s, &peer->addr, 128);
    peer->node.parent = host;
}

void p2_turns_leave(struct p2_server *s, struct p2_peer *peer)
{
    unlink_child(s, number_of(s, peer));
    source_drop(s, peer->node.parent);
}

// ---- turns ---------------------------------------------------------------------------------------------

// The first child for which anything waits, 0 when there is none. Others leave the order here and not before: a client that
// cancels and asks again keeps its place.
static uint32_t first_child(struct p2_server *s, struct p2_node *parent)
{
    while (parent->first && node_at(s, parent->first)->jobs == 0)
        unlink_child(s, parent->first);
    return parent->first;
}

// The first of each level goes behind the others.
static void rotate(struct p2_server *s)
{
    for (uint32_t number = s->root.first, next; number; number = next) {
        next = node_at(s, number)->first;
        unlink_child(s, number);
        append(s, number);
    }
    s->quantum = P2_SERVER_QUANTUM;
}

struct p2_peer *p2_turns_peer(struct p2_server *s)
{
    if (s->quantum == 0)
        rotate(s);
    uint32_t number = 0;
    for (uint32_t next = first_child(s, &s->root); next; next = first_child(s, node_at(s, number)))
        number = next;
    return number ? &s->config.peers[(number - 1) / NODES] : NULL;
}

void p2_turns_add(struct p2_server *s, struct p2_peer *peer, uint32_t jobs, uint32_t blocks)
{
    for (uint32_t number = number_of(s, peer);; number = node_at(s, number)->parent) {
        struct p2_node *node = node_at(s, number);
        node->jobs += jobs;
        node->blocks += blocks;
        if (number == 0)
            return;
        append(s, number);
    }
}

void p2_turns_sub(struct p2_server *s, struct p2_peer *peer, uint32_t jobs, uint32_t blocks)
{
    for (uint32_t number = number_of(s, peer);; number = node_at(s, number)->parent) {
        struct p2_node *node = node_at(s, number);
        node->jobs -= jobs;
        node->blocks -= blocks;
        if (number == 0)
            return;
    }
}

// An address may hold as much as is left, a network twice that. So something is always left for those who hold little: of
// n greedy addresses each has 1/(n+1) of the table, and so has everybody else together.
static bool fits(const struct p2_server *s, const struct p2_node *node, uint32_t blocks, uint32_t times)
{
    uint64_t jobs_left = s->config.job_count - s->root.jobs;
    uint64_t blocks_left = (uint64_t)s->config.job_count * P2_SERVER_JOB_BLOCKS - MIN((uint64_t)s->root.blocks,
                           (uint64_t)s->config.job_count * P2_SERVER_JOB_BLOCKS);
    return node->jobs < jobs_left * times && node->blocks + (uint64_t)blocks <= blocks_left * times;
}

bool p2_turns_admit(struct p2_server *s, const struct p2_peer *peer, uint32_t blocks)
{
    if (!s->job_free || peer->node.jobs >= P2_SERVER_PEER_JOBS || peer->node.blocks + blocks > P2_SERVER_PEER_BLOCKS)
        return false;
    const struct p2_node *host = node_at(s, peer->node.parent);
    return fits(s, host, blocks, 1) && (!host->parent || fits(s, node_at(s, host->parent), blocks, 2));
}
