// SPDX-License-Identifier: MPL-2.0
// Judging chunks: hashed here along their gapless front, or elsewhere by who took them out as jobs, and judged when
// whole.
#include "phase2/client_parts.h"

static bool is_whole(const struct p2_slot *slot)
{
    return slot->received == slot->blocks;
}

static void chunk_bad(struct p2_client *c, uint32_t index)
{
    struct p2_slot *slot = &c->space.slots[index];
    uint32_t source = slot->source;
    c->progress.bad_chunks++;
    p2c_slot_clear(c, index);
    // Only when one server alone sent all of it is it known whose fault it is.
    if (source < P2_CLIENT_SERVERS)
        p2c_servers_blame(c, source, ERR_P2_SERVERS_BAD);
    slot->only = (uint8_t)c->servers.current;
}

static bool digest_matches(const struct p2_client *c, const struct p2_slot *slot, const uint8_t digest[SHA256_SIZE])
{
    return digest_equal(digest, c->memory.list + (size_t)slot->piece * SHA256_SIZE, SHA256_SIZE);
}

static void chunk_good(struct p2_client *c, uint32_t at)
{
    struct p2_slot *slot = &c->space.slots[c->space.order[at]];
    if (c->memory.passing.take)
        c->memory.passing.take(c->memory.passing.ctx, (uint64_t)slot->piece << c->space.piece_shift, p2c_passing_at(c, slot, 0), slot->length);
    c->memory.chunk_bits[slot->piece / 8] |= (uint8_t)(1u << (slot->piece % 8));
    c->progress.bytes_verified += slot->length;
    c->space.pieces_done++;
    if (slot->source < P2_CLIENT_SERVERS)
        c->servers.at[slot->source].strikes /= 2;
    p2c_slot_close(c, at);
}

static void chunk_judge(struct p2_client *c, uint32_t at)
{
    struct p2_slot *slot = &c->space.slots[c->space.order[at]];
    uint8_t digest[SHA256_SIZE];
    sha256_final(&slot->sha, digest);
    if (digest_matches(c, slot, digest))
        chunk_good(c, at);
    else
        chunk_bad(c, c->space.order[at]);
}

// The next bytes of a slot to be hashed, up to `max` and not beyond a piece of the map. NULL: none.
static const uint8_t *next_bytes(const struct p2_client *c, const struct p2_slot *slot, uint32_t from, size_t max, size_t *ret_len)
{
    *ret_len = max;
    if (c->memory.passing.room)
        return p2c_passing_at(c, slot, from);
    const uint8_t *p = scatter_at(&c->memory.map, ((uint64_t)slot->piece << c->space.piece_shift) + from, max, ret_len);
    return p && *ret_len ? p : NULL;
}

// Hashes more of a slot's gapless front; returns the bytes. A chunk that is not whole yet may be somebody else's.
static size_t slot_hash(struct p2_client *c, struct p2_slot *slot, size_t max_bytes)
{
    uint32_t front = is_whole(slot) ? slot->length : c->space.helped ? 0 : slot->prefix * c->space.block_size;
    size_t done = 0;
    while (slot->hashed < front && done < max_bytes) {
        size_t n = 0;
        const uint8_t *p = next_bytes(c, slot, slot->hashed, MIN((size_t)(front - slot->hashed), max_bytes - done), &n);
        if (!p)
            break;
        sha256_update(&slot->sha, p, n);
        slot->hashed += (uint32_t)n;
        done += n;
    }
    return done;
}

size_t p2c_space_hash(struct p2_client *c, size_t max_bytes)
{
    size_t done = 0;
    for (uint32_t i = 0; i < c->space.busy && done < max_bytes;) {
        struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        uint32_t busy = c->space.busy;
        if (!slot->away)
            done += slot_hash(c, slot, max_bytes - done);
        if (slot->hashed == slot->length)
            chunk_judge(c, i);
        if (c->space.busy == busy)
            i++;
    }
    return done;
}

// --- elsewhere ---

// What is left to be hashed of a slot. False when it lies in too many pieces.
static bool job_fill(const struct p2_client *c, const struct p2_slot *slot, struct hash_job *job)
{
    job->sha = slot->sha;
    job->number = slot->piece;
    job->piece_count = 0;
    for (uint32_t at = slot->hashed; at < slot->length;) {
        size_t n = 0;
        const uint8_t *p = next_bytes(c, slot, at, slot->length - at, &n);
        if (!p || job->piece_count == HASH_JOB_PIECES)
            return false;
        job->pieces[job->piece_count++] = (struct digest_piece){ p, n };
        at += (uint32_t)n;
    }
    return true;
}

bool p2_client_job(struct p2_client *c, struct hash_job *job)
{
    if (c->phase != P2_PAYLOAD)
        return false;
    c->space.helped = true;
    for (uint32_t i = 0; i < c->space.busy; i++) {
        struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        if (!is_whole(slot) || slot->away || slot->home)
            continue;
        slot->away = job_fill(c, slot, job);
        slot->home = !slot->away;
        if (slot->away)
            return true;
    }
    return false;
}

void p2_client_job_done(struct p2_client *c, const struct hash_job *job)
{
    int at = c->phase == P2_PAYLOAD ? p2c_slot_find(c, job->number) : -1;
    if (at < 0 || !c->space.slots[c->space.order[at]].away)
        return;
    struct p2_slot *slot = &c->space.slots[c->space.order[at]];
    slot->away = false;
    // A mismatch is not believed at once: a processor that errs must not cost a server its good name.
    slot->home = true;
    if (digest_matches(c, slot, job->digest))
        chunk_good(c, (uint32_t)at);
}

void p2_client_jobs_lost(struct p2_client *c)
{
    c->space.helped = false;
    for (uint32_t i = 0; i < c->space.busy; i++) {
        struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        slot->home |= slot->away;
        slot->away = false;
    }
}
