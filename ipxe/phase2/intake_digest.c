// SPDX-License-Identifier: MPL-2.0
// Judging chunks, see intake.h: hashed here along their gapless front, or elsewhere by who took them out as jobs, or where they
// lie already; and judged when whole.
#include "phase2/intake.h"

static void count_good(struct intake *in, uint32_t chunk)
{
    in->chunk_bits[chunk / 8] |= (uint8_t)(1u << (chunk % 8));
    in->bytes_verified += intake_length(in, chunk);
    in->pieces_done++;
}

static bool digest_matches(const struct intake *in, uint32_t chunk, const uint8_t digest[SHA256_SIZE])
{
    return digest_equal(digest, in->list + (size_t)chunk * SHA256_SIZE, SHA256_SIZE);
}

static void judged(struct intake *in, uint32_t index, bool good)
{
    if (in->config.judged)
        in->config.judged(in->config.ctx, index, good);
}

static void chunk_good(struct intake *in, uint32_t at)
{
    uint32_t index = in->order[at];
    const struct intake_slot *slot = &in->config.slots[index];
    size_t n;
    if (in->passing.take)
        in->passing.take(in->passing.ctx, (uint64_t)slot->piece << in->piece_shift, intake_at(in, index, 0, slot->length, &n),
                         slot->length);
    count_good(in, slot->piece);
    judged(in, index, true);
    intake_close(in, at);
}

static void chunk_judge(struct intake *in, uint32_t at)
{
    uint32_t index = in->order[at];
    struct intake_slot *slot = &in->config.slots[index];
    uint8_t digest[SHA256_SIZE];
    sha256_final(&slot->sha, digest);
    if (digest_matches(in, slot->piece, digest)) {
        chunk_good(in, at);
        return;
    }
    intake_clear(in, index);
    judged(in, index, false);
}

// Hashes more of a slot's gapless front; returns the bytes. A chunk that is not whole yet may be somebody else's.
static size_t slot_hash(struct intake *in, uint32_t index, size_t max_bytes)
{
    struct intake_slot *slot = &in->config.slots[index];
    uint32_t front = intake_whole(slot) || !in->helped ? slot->front : 0;
    size_t done = 0;
    while (slot->hashed < front && done < max_bytes) {
        size_t n = 0;
        const uint8_t *p = intake_at(in, index, slot->hashed, MIN((size_t)(front - slot->hashed), max_bytes - done), &n);
        if (!p)
            break;
        sha256_update(&slot->sha, p, n);
        slot->hashed += (uint32_t)n;
        done += n;
    }
    return done;
}

size_t intake_work(struct intake *in, size_t max_bytes)
{
    size_t done = 0;
    for (uint32_t i = 0; in->space == INTAKE_PAYLOAD && i < in->busy && done < max_bytes;) {
        uint32_t index = in->order[i], busy = in->busy;
        const struct intake_slot *slot = &in->config.slots[index];
        if (!slot->away)
            done += slot_hash(in, index, max_bytes - done);
        if (slot->hashed == slot->length)
            chunk_judge(in, i);
        if (in->busy == busy)
            i++;
    }
    return done;
}

// --- elsewhere ---

// What is left to be hashed of a slot. False when it lies in too many pieces.
static bool job_fill(const struct intake *in, uint32_t index, struct hash_job *job)
{
    const struct intake_slot *slot = &in->config.slots[index];
    job->sha = slot->sha;
    job->number = slot->piece;
    job->piece_count = 0;
    for (uint32_t at = slot->hashed; at < slot->length;) {
        size_t n = 0;
        const uint8_t *p = intake_at(in, index, at, slot->length - at, &n);
        if (!p || job->piece_count == HASH_JOB_PIECES)
            return false;
        job->pieces[job->piece_count++] = (struct digest_piece){ p, n };
        at += (uint32_t)n;
    }
    return true;
}

bool intake_job(struct intake *in, struct hash_job *job)
{
    if (in->space != INTAKE_PAYLOAD)
        return false;
    in->helped = true;
    for (uint32_t i = 0; in->whole && i < in->busy; i++) {
        struct intake_slot *slot = &in->config.slots[in->order[i]];
        if (!intake_whole(slot) || slot->away || slot->home)
            continue;
        slot->away = job_fill(in, in->order[i], job);
        slot->home = !slot->away;
        if (slot->away)
            return true;
    }
    return false;
}

void intake_job_done(struct intake *in, const struct hash_job *job)
{
    int at = in->space == INTAKE_PAYLOAD ? intake_find(in, job->number) : -1;
    if (at < 0 || !in->config.slots[in->order[at]].away)
        return;
    struct intake_slot *slot = &in->config.slots[in->order[at]];
    slot->away = false;
    // A mismatch is not believed at once: a processor that errs must not cost a server its good name.
    slot->home = true;
    if (digest_matches(in, job->number, job->digest))
        chunk_good(in, (uint32_t)at);
}

void intake_jobs_lost(struct intake *in)
{
    in->helped = false;
    for (uint32_t i = 0; i < in->busy; i++) {
        struct intake_slot *slot = &in->config.slots[in->order[i]];
        slot->home |= slot->away;
        slot->away = false;
    }
}

// --- where they lie already ---

static bool map_matches(const struct intake *in, uint32_t chunk, uint32_t length)
{
    uint64_t offset = (uint64_t)chunk << in->piece_shift;
    uint8_t digest[SHA256_SIZE];
    struct sha256 sha;
    sha256_init(&sha);
    for (uint32_t done = 0; done < length;) {
        size_t n = 0;
        const uint8_t *p = scatter_at(&in->map, offset + done, length - done, &n);
        if (!p || n == 0)
            return false;
        sha256_update(&sha, p, n);
        done += (uint32_t)n;
    }
    sha256_final(&sha, digest);
    return digest_matches(in, chunk, digest);
}

int intake_local(struct intake *in, uint32_t chunk)
{
    if (in->space != INTAKE_PAYLOAD || chunk >= in->piece_count || in->passing.room || intake_find(in, chunk) >= 0)
        return ERR_INVALID;
    if (intake_done(in, chunk))
        return 1;
    if (!map_matches(in, chunk, intake_length(in, chunk)))
        return 0;
    count_good(in, chunk);
    in->bytes_local += intake_length(in, chunk);
    return 1;
}
