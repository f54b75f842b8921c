// SPDX-License-Identifier: MPL-2.0
// See stream.h.
#include "phase2/stream.h"

#include "base/bytes.h"

#define SEAL_STEPS 2 // lengths to be learned before the seal's end is known

void stream_init(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf)
{
    memset(s, 0, sizeof *s);
    s->trust = trust;
    s->ops = *ops;
    s->seal_buf = seal_buf;
    s->seal_want = SEAL_HEAD_SIZE;
}

// The seal is collected in three steps, each telling where the next one ends: head, head of the signature
// table, the rest. Everything is judged again by seal_open; this only bounds what is collected.
static int next_step(struct stream *s)
{
    const uint8_t *b = s->seal_buf;
    size_t table = SEAL_HEAD_SIZE + (size_t)load32_le(b + HEAD_BODY_SIZE);
    if (s->seal_step++ == 0) {
        if (memcmp(b + HEAD_MAGIC, SEAL_MAGIC, 8) != 0)
            return ERR_SEAL_MAGIC;
        if (load32_le(b + HEAD_BODY_SIZE) > SEAL_BODY_MAX)
            return ERR_SEAL_LENGTH;
        s->seal_want = table + SEAL_TABLE_HEAD_SIZE;
        return 0;
    }
    uint32_t table_size = load32_le(b + table + 8);
    if (table_size < SEAL_TABLE_HEAD_SIZE || table_size > SEAL_TABLE_MAX)
        return ERR_SEAL_LENGTH;
    s->seal_want = table + table_size;
    return 0;
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

static int take_seal(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    *used = MIN(len, s->seal_want - s->seal_have);
    memcpy(s->seal_buf + s->seal_have, data, *used);
    s->seal_have += *used;
    while (s->seal_have == s->seal_want) {
        if (s->seal_step == SEAL_STEPS)
            return open_seal(s);
        int err = next_step(s);
        if (err)
            return err;
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
    sha256_init(&s->digest);
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

// Up to the end of the chunk at most. What is hashed is what lies in its final place.
static int take_payload(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    uint32_t chunk_len = seal_chunk_length(&s->seal, s->chunk);
    size_t n = MIN(len, (size_t)(chunk_len - s->chunk_have));
    uint8_t *place = scatter_at(&s->map, s->position, n, &n);
    if (!place)
        return ERR_INTERNAL;
    memcpy(place, data, n);
    sha256_update(&s->digest, place, n);
    *used = n;
    s->position += n;
    s->chunk_have += (uint32_t)n;
    if (s->chunk_have < chunk_len)
        return 0;
    uint8_t digest[SHA256_SIZE];
    sha256_final(&s->digest, digest);
    if (!digest_equal(digest, s->list + (size_t)s->chunk * SHA256_SIZE, SHA256_SIZE))
        return ERR_SEAL_CHUNK;
    sha256_init(&s->digest);
    s->chunk_have = 0;
    s->chunks_verified++;
    if (++s->chunk == s->seal.chunk_count)
        s->state = STREAM_VERIFIED;
    return 0;
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
            err = ERR_TOO_LARGE;
        }
        if (err) {
            s->state = STREAM_FAILED;
            s->error = err;
        }
        data += used;
        len -= used;
    }
    return s->error;
}

int stream_end(struct stream *s)
{
    if (s->state == STREAM_VERIFIED)
        return 0;
    return s->error ? s->error : ERR_TRUNCATED;
}
