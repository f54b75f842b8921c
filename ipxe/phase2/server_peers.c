// SPDX-License-Identifier: MPL-2.0
// See server_peers.h. The table is set-associative: a client lies in one of P2_SERVER_WAYS entries that a
// hash of its address and nonce names, so finding and evicting are short and bounded.
#include "phase2/server_peers.h"

static uint32_t set_of(const struct p2_server *s, const struct net_addr *addr, const uint8_t *nonce)
{
    // FNV-1a, begun with the secret: nobody outside can aim at a set.
    uint32_t h = load32_le(s->config.secret) ^ 2166136261u;
    for (size_t i = 0; i < sizeof addr->ip; i++)
        h = (h ^ addr->ip[i]) * 16777619u;
    for (size_t i = 0; i < P2_NONCE_SIZE; i++)
        h = (h ^ nonce[i]) * 16777619u;
    h = (h ^ addr->port) * 16777619u;
    h ^= h >> 15;
    uint32_t sets = MAX(s->config.peer_count / P2_SERVER_WAYS, 1u);
    return h % sets * P2_SERVER_WAYS;
}

static uint32_t ways(const struct p2_server *s)
{
    return MIN(s->config.peer_count, (uint32_t)P2_SERVER_WAYS);
}

struct p2_peer *p2_peer_find(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE])
{
    struct p2_peer *set = s->config.peers + set_of(s, addr, nonce);
    for (uint32_t i = 0; i < ways(s); i++)
        if (set[i].used && memcmp(set[i].nonce, nonce, P2_NONCE_SIZE) == 0 && net_addr_equal(&set[i].addr, addr))
            return &set[i];
    return NULL;
}

// How willingly an entry is given up: the lowest goes first.
static uint32_t worth(const struct p2_peer *p)
{
    if (!p->used)
        return 0;
    if (!p->validated)
        return 1;
    return p->stage == P2_STAGE_FINISHED ? 2 : 3;
}

struct p2_peer *p2_peer_get(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE],
                            bool validated, uint64_t now)
{
    struct p2_peer *peer = p2_peer_find(s, addr, nonce);
    if (peer) {
        peer->validated |= validated;
        peer->last_seen = now;
        return peer;
    }
    struct p2_peer *set = s->config.peers + set_of(s, addr, nonce), *victim = &set[0];
    for (uint32_t i = 1; i < ways(s); i++) {
        uint32_t a = worth(&set[i]), b = worth(victim);
        if (a < b || (a == b && set[i].last_seen < victim->last_seen))
            victim = &set[i];
    }
    if (!validated && worth(victim) > 1)
        return NULL;
    if (victim->used) {
        p2_peer_cancel(s, victim);
        s->stats.peers_evicted++;
    }
    *victim = (struct p2_peer){
        .addr = *addr, .used = true, .validated = validated, .first_seen = now, .last_seen = now, .serial = ++s->serials
    };
    memcpy(victim->nonce, nonce, P2_NONCE_SIZE);
    return victim;
}

static struct p2_job *job_at(struct p2_server *s, uint32_t index)
{
    return &s->config.jobs[index - 1];
}

static uint32_t index_of(const struct p2_server *s, const struct p2_peer *peer)
{
    return (uint32_t)(peer - s->config.peers) + 1;
}

// Blocks in which a range is sent: counted from its start, and anew at each piece.
static uint32_t block_count(uint64_t offset, uint32_t length, uint32_t block, uint32_t piece_shift)
{
    uint64_t piece = (uint64_t)1 << piece_shift;
    uint64_t first = MIN((uint64_t)length, piece - (offset & (piece - 1)));
    uint32_t rest = length - (uint32_t)first;
    uint32_t blocks = ((uint32_t)first + block - 1) / block;
    if (rest) {
        uint32_t per_piece = ((uint32_t)piece + block - 1) / block, tail = rest & ((uint32_t)piece - 1);
        blocks += (rest >> piece_shift) * per_piece + (tail + block - 1) / block;
    }
    return blocks;
}

static void turn_add(struct p2_server *s, struct p2_peer *peer)
{
    if (peer->queued)
        return;
    uint32_t index = index_of(s, peer);
    peer->queued = true;
    peer->turn_next = 0;
    if (s->turn_last)
        s->config.peers[s->turn_last - 1].turn_next = index;
    else
        s->turn_first = index;
    s->turn_last = index;
}

static void turn_remove(struct p2_server *s, struct p2_peer *peer)
{
    if (!peer->queued)
        return;
    uint32_t index = index_of(s, peer), previous = 0;
    for (uint32_t i = s->turn_first; i != index; i = s->config.peers[i - 1].turn_next)
        previous = i;
    if (previous)
        s->config.peers[previous - 1].turn_next = peer->turn_next;
    else {
        s->turn_first = peer->turn_next;
        s->quantum = 0;
    }
    if (s->turn_last == index)
        s->turn_last = previous;
    peer->queued = false;
    peer->turn_next = 0;
}

bool p2_peer_queue(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read, const struct p2_range *range,
                   uint32_t piece_shift, uint32_t *budget)
{
    // Longer than a READ may ask for in all: no need to count exactly (and block_count stays in 32 bits).
    if (range->length > P2_READ_BLOCKS_MAX * P2_BLOCK_MAX)
        return false;
    uint32_t blocks = block_count(range->offset, range->length, read->block_size, piece_shift);
    if (blocks > *budget || !s->job_free || peer->job_count >= P2_SERVER_PEER_JOBS ||
        peer->block_count + blocks > P2_SERVER_PEER_BLOCKS)
        return false;
    *budget -= blocks;

    uint32_t index = s->job_free;
    struct p2_job *job = job_at(s, index);
    s->job_free = job->next;
    *job = (struct p2_job){ .offset = range->offset, .length = range->length, .stamp = read->stamp,
                            .block_size = read->block_size, .space = read->space };
    memcpy(job->tag, read->tag, P2_TAG_SIZE);
    if (peer->job_last)
        job_at(s, peer->job_last)->next = index;
    else
        peer->job_first = index;
    peer->job_last = index;
    peer->job_count++;
    peer->block_count += blocks;
    turn_add(s, peer);
    return true;
}

static void job_drop_first(struct p2_server *s, struct p2_peer *peer)
{
    uint32_t index = peer->job_first;
    struct p2_job *job = job_at(s, index);
    peer->job_first = job->next;
    if (!peer->job_first)
        peer->job_last = 0;
    peer->job_count--;
    job->next = s->job_free;
    s->job_free = index;
}

void p2_peer_cancel(struct p2_server *s, struct p2_peer *peer)
{
    while (peer->job_first)
        job_drop_first(s, peer);
    peer->block_count = 0;
    turn_remove(s, peer);
}

// The peer at the front goes to the back when its quantum is used up.
static struct p2_peer *turn_peer(struct p2_server *s)
{
    if (!s->turn_first)
        return NULL;
    struct p2_peer *peer = &s->config.peers[s->turn_first - 1];
    if (s->quantum == 0)
        s->quantum = P2_SERVER_QUANTUM;
    else if (--s->quantum == 0) {
        if (s->turn_first != s->turn_last) {
            turn_remove(s, peer);
            turn_add(s, peer);
            peer = &s->config.peers[s->turn_first - 1];
        }
        s->quantum = P2_SERVER_QUANTUM;
    }
    return peer;
}

bool p2_peer_next(struct p2_server *s, struct p2_block *ret, uint32_t (*piece_shift)(struct p2_server *, const struct p2_job *))
{
    struct p2_peer *peer = turn_peer(s);
    if (!peer)
        return false;
    struct p2_job *job = job_at(s, peer->job_first);
    uint64_t piece = (uint64_t)1 << piece_shift(s, job);
    uint64_t to_end = piece - (job->offset & (piece - 1));
    ret->peer = peer;
    ret->job = *job;
    ret->length = (uint32_t)MIN((uint64_t)MIN(job->length, (uint32_t)job->block_size), to_end);
    job->offset += ret->length;
    job->length -= ret->length;
    peer->block_count -= peer->block_count > 0;
    if (job->length == 0) {
        job_drop_first(s, peer);
        if (!peer->job_first)
            turn_remove(s, peer);
    }
    return true;
}
