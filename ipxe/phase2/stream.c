// SPDX-License-Identifier: MPL-2.0
// See stream.h.
#include "phase2/stream.h"

#include "base/bytes.h"

void stream_init(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf)
{
    memset(s, 0, sizeof *s);
    s->trust = trust;
    s->ops = *ops;
    s->seal_buf = seal_buf;
    s->seal_want = SEAL_HEAD_SIZE;
}

static int open_seal(struct stream *s)
{
    int err = seal_open(s->seal_buf, s->seal_have, s->trust, &s->seal);
    if (err)
        return err;
    struct seal_view view;
    err = seal_view(s->seal_buf, s->seal_have, &view);
    if (err)
        return err;
    s->padding = seal_payload_offset(&view) - seal_list_offset(&view) - seal_list_size(&view);
    s->state = STREAM_LIST;
    return s->ops.plan(s->ops.ctx, &s->seal, &s->map, &s->list);
}

// In three steps, each telling where the next one ends: head, head of the signature table, the rest.
static int take_seal(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    *used = MIN(len, s->seal_want - s->seal_have);
    memcpy(s->seal_buf + s->seal_have, data, *used);
    s->seal_have += *used;
    while (s->seal_have == s->seal_want) {
        int err = seal_wants(s->seal_buf, s->seal_have, &s->seal_want);
        if (err)
            return err;
        if (s->seal_have == s->seal_want)
            return open_seal(s);
    }
    return 0;
}

static int take_list(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    size_t size = (size_t)s->seal.chunk_count * SHA256_SIZE;
    *used = (size_t)MIN((uint64_t)len, size - s->position);
    memcpy(s->list + s->position, data, *used);
    s->position += *used;
    if (s->position < size)
        return 0;
    int err = seal_check_list(&s->seal, s->list, size);
    s->position = 0;
    s->state = s->padding ? STREAM_PADDING : STREAM_PAYLOAD;
    return err;
}

static int take_padding(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    *used = (size_t)MIN((uint64_t)len, s->padding);
    for (size_t i = 0; i < *used; i++)
        if (data[i])
            return ERR_SEAL_PADDING;
    s->padding -= *used;
    if (!s->padding)
        s->state = STREAM_PAYLOAD;
    return 0;
}

static void fail(struct stream *s, int err)
{
    s->state = STREAM_FAILED;
    s->error = err;
}

static int judge(struct stream *s, uint32_t chunk, const uint8_t digest[SHA256_SIZE])
{
    if (!digest_equal(digest, s->list + (size_t)chunk * SHA256_SIZE, SHA256_SIZE))
        return ERR_SEAL_CHUNK;
    if (++s->chunks_verified == s->seal.chunk_count)
        s->state = STREAM_VERIFIED;
    return 0;
}

// Up to the end of the chunk at most. What is hashed is what lies in its final place.
static int take_payload(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    uint32_t chunk_len = seal_chunk_length(&s->seal, s->chunk);
    size_t n = MIN(len, (size_t)(chunk_len - s->chunk_have));
    uint8_t *place = scatter_at(&s->map, s->position, n, &n);
    if (!place)
        return ERR_INTERNAL;
    if (s->chunk_have == 0) {
        s->hashing = !s->helped;
        sha256_init(&s->digest);
    }
    memcpy(place, data, n);
    if (s->hashing)
        sha256_update(&s->digest, place, n);
    *used = n;
    s->position += n;
    s->chunk_have += (uint32_t)n;
    if (s->chunk_have < chunk_len)
        return 0;
    s->chunk_have = 0;
    if (++s->chunk == s->seal.chunk_count)
        s->state = STREAM_DIGESTS;
    if (!s->hashing)
        return 0; // it waits
    uint8_t digest[SHA256_SIZE];
    sha256_final(&s->digest, digest);
    s->waiting = s->chunk; // whatever came before was hashed as it arrived, too
    return judge(s, s->chunk - 1, digest);
}

int stream_input(struct stream *s, const uint8_t *data, size_t len)
{
    while (len > 0 && s->state != STREAM_FAILED) {
        size_t used = 0;
        int err;
        switch (s->state) {
        case STREAM_SEAL:
            err = take_seal(s, data, len, &used);
            break;
        case STREAM_LIST:
            err = take_list(s, data, len, &used);
            break;
        case STREAM_PADDING:
            err = take_padding(s, data, len, &used);
            break;
        case STREAM_PAYLOAD:
            err = take_payload(s, data, len, &used);
            break;
        default:
            err = ERR_SEAL_TRAILING;
        }
        if (err)
            fail(s, err);
        data += used;
        len -= used;
    }
    return s->error;
}

// --- digests elsewhere ---

// The next piece of a chunk's bytes, from `done` on, in one piece of memory. Its length is 0 at the end.
static struct digest_piece next_piece(const struct stream *s, uint32_t chunk, uint32_t done)
{
    size_t n = 0;
    uint64_t at = (uint64_t)chunk * s->seal.chunk_size + done;
    const uint8_t *p = scatter_at(&s->map, at, seal_chunk_length(&s->seal, chunk) - done, &n);
    return (struct digest_piece){ p, p ? n : 0 };
}

// False when the bytes lie in too many pieces.
static bool job_fill(const struct stream *s, uint32_t chunk, struct hash_job *job)
{
    uint32_t done = 0, length = seal_chunk_length(&s->seal, chunk);
    sha256_init(&job->sha);
    job->number = chunk;
    for (job->piece_count = 0; done < length && job->piece_count < HASH_JOB_PIECES; job->piece_count++) {
        job->pieces[job->piece_count] = next_piece(s, chunk, done);
        done += (uint32_t)job->pieces[job->piece_count].len;
    }
    return done == length;
}

static void hash_here(struct stream *s, uint32_t chunk)
{
    struct sha256 sha;
    uint8_t digest[SHA256_SIZE];
    struct digest_piece piece;
    sha256_init(&sha);
    for (uint32_t done = 0; (piece = next_piece(s, chunk, done)).len > 0; done += (uint32_t)piece.len)
        sha256_update(&sha, piece.data, piece.len);
    sha256_final(&sha, digest);
    int err = judge(s, chunk, digest);
    if (err)
        fail(s, err);
}

static bool unjudged(const struct stream *s)
{
    return s->state == STREAM_PAYLOAD || s->state == STREAM_DIGESTS;
}

bool stream_work(struct stream *s)
{
    if (!unjudged(s) || s->waiting == s->chunk)
        return false;
    hash_here(s, s->waiting++);
    return true;
}

bool stream_job(struct stream *s, struct hash_job *job)
{
    s->helped = true;
    while (unjudged(s) && s->waiting < s->chunk && s->away_count < HASHBOARD_JOBS) {
        if (!job_fill(s, s->waiting, job)) {
            (void)stream_work(s);
            continue;
        }
        s->away[s->away_count++] = s->waiting++;
        return true;
    }
    return false;
}

void stream_job_done(struct stream *s, const struct hash_job *job)
{
    uint32_t i = 0;
    while (i < s->away_count && s->away[i] != job->number)
        i++;
    if (!unjudged(s) || i == s->away_count)
        return;
    s->away[i] = s->away[--s->away_count];
    if (judge(s, job->number, job->digest) != 0)
        hash_here(s, job->number); // a mismatch is not believed at once
}

void stream_jobs_lost(struct stream *s)
{
    s->helped = false;
    while (unjudged(s) && s->away_count > 0)
        hash_here(s, s->away[--s->away_count]);
    while (stream_work(s))
        ;
}

int stream_end(struct stream *s)
{
    if (s->state == STREAM_VERIFIED)
        return 0;
    // Of a seal that was cut off, what is there may show more than that it ends.
    struct seal_view view;
    int err = s->state == STREAM_SEAL ? seal_view(s->seal_buf, s->seal_have, &view) : s->error;
    return err ? err : ERR_TRUNCATED;
}
