// SPDX-License-Identifier: MPL-2.0
// See server_peers.h. The table is set-associative: a client lies in one of P2_SERVER_WAYS entries that a
// hash of its address and nonce names, so finding and evicting are short and bounded.
#include "phase2/server_peers.h"

#include <stddef.h>

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

static uint32_t same_source_count(const struct p2_server *s, const struct p2_peer *set, const struct p2_peer *peer)
{
    struct net_addr source = p2_server_source(&peer->addr);
    uint32_t count = 0;
    for (uint32_t i = 0; i < ways(s); i++) {
        struct net_addr other = p2_server_source(&set[i].addr);
        count += set[i].used && net_addr_equal(&source, &other);
    }
    return count;
}

// The entry that is given up most willingly: of clients that read, one of the source with the most entries here; of such,
// the one that was silent for longest.
static struct p2_peer *victim_of(const struct p2_server *s, struct p2_peer *set)
{
    struct p2_peer *victim = &set[0];
    uint32_t victim_count = same_source_count(s, set, victim);
    for (uint32_t i = 1; i < ways(s); i++) {
        uint32_t a = worth(&set[i]), b = worth(victim);
        if (a > b || (a == 0 && b == 0))
            continue;
        uint32_t count = same_source_count(s, set, &set[i]);
        if (a == b && (count < victim_count || (count == victim_count && set[i].last_seen >= victim->last_seen)))
            continue;
        victim = &set[i];
        victim_count = count;
    }
    return victim;
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
    struct p2_peer *victim = victim_of(s, s->config.peers + set_of(s, addr, nonce));
    if (!validated && worth(victim) > 1)
        return NULL;
    if (victim->used) {
        p2_peer_cancel(s, victim);
        p2_turns_leave(s, victim);
        s->stats.peers_evicted++;
    }
    memset(victim, 0, offsetof(struct p2_peer, sources)); // what lies there may be other clients'
    victim->addr = *addr;
    memcpy(victim->nonce, nonce, P2_NONCE_SIZE);
    victim->used = true;
    victim->validated = validated;
    victim->first_seen = victim->last_seen = now;
    victim->serial = ++s->serials;
    p2_turns_join(s, victim);
    return victim;
}

static struct p2_job *job_at(struct p2_server *s, uint32_t index)
{
    return &s->config.jobs[index - 1];
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

static void job_remove(struct p2_server *s, struct p2_peer *peer, uint32_t index, uint32_t previous)
{
    struct p2_job *job = job_at(s, index);
    *(previous ? &job_at(s, previous)->next : &peer->job_first) = job->next;
    if (peer->job_last == index)
        peer->job_last = previous;
    p2_turns_sub(s, peer, 1, job->blocks);
    job->next = s->job_free;
    s->job_free = index;
}

// Of what a READ asked for only the front can have been sent.
static bool is_rest_of(const struct p2_job *job, const struct p2_range *range)
{
    return job->offset >= range->offset && job->offset + job->length == range->offset + range->length;
}

void p2_peer_replace(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read)
{
    for (uint32_t index = peer->job_first, previous = 0, next; index; index = next) {
        const struct p2_job *job = job_at(s, index);
        bool again = false;
        next = job->next;
        for (uint32_t i = 0; i < read->range_count && job->space == read->space && !again; i++)
            again = is_rest_of(job, &read->ranges[i]) && memcmp(job->tag, read->tag, P2_TAG_SIZE) == 0;
        if (again)
            job_remove(s, peer, index, previous);
        else
            previous = index;
    }
}

bool p2_peer_queue(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read, const struct p2_range *range,
                   uint32_t piece_shift, uint32_t *budget)
{
    // Longer than a READ may ask for in all: no need to count exactly (and block_count stays in 32 bits).
    if (range->length > P2_READ_BLOCKS_MAX * P2_BLOCK_MAX)
        return false;
    uint32_t blocks = block_count(range->offset, range->length, read->block_size, piece_shift) * p2_block_frames(read->block_size);
    if (blocks > *budget || !p2_turns_admit(s, peer, blocks))
        return false;
    *budget -= blocks;

    uint32_t index = s->job_free;
    struct p2_job *job = job_at(s, index);
    s->job_free = job->next;
    *job = (struct p2_job){ .offset = range->offset, .length = range->length, .blocks = blocks, .stamp = read->stamp,
                            .block_size = read->block_size, .space = read->space };
    memcpy(job->tag, read->tag, P2_TAG_SIZE);
    *(peer->job_last ? &job_at(s, peer->job_last)->next : &peer->job_first) = index;
    peer->job_last = index;
    p2_turns_add(s, peer, 1, blocks);
    return true;
}

void p2_peer_cancel(struct p2_server *s, struct p2_peer *peer)
{
    while (peer->job_first)
        job_remove(s, peer, peer->job_first, 0);
}

struct p2_job *p2_peer_turn(struct p2_server *s, struct p2_peer **ret)
{
    struct p2_job *job;
    while ((*ret = p2_turns_peer(s))) {
        job = job_at(s, (*ret)->job_first);
        if (p2_block_frames(job->block_size) <= s->quantum)
            return job;
        s->quantum = 0; // too little is left of the turn for a block as large: it is over
    }
    return NULL;
}

void p2_peer_took(struct p2_server *s, struct p2_peer *peer, uint32_t length, uint32_t blocks)
{
    struct p2_job *job = job_at(s, peer->job_first);
    s->quantum -= blocks;
    job->offset += length;
    job->length -= length;
    if (job->length == 0) {
        job_remove(s, peer, peer->job_first, 0);
        return;
    }
    blocks = MIN(blocks, job->blocks);
    job->blocks -= blocks;
    p2_turns_sub(s, peer, 0, blocks);
}
