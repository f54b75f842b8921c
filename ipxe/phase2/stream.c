// SPDX-License-Identifier: MPL-2.0
// See stream.h.
#include "phase2/stream.h"

#include "base/bytes.h"

static void fail(struct stream *s, int err)
{
    s->state = STREAM_FAILED;
    s->error = err;
}

// Who gives a file gives it once: there is no other copy of a bad chunk.
static void judged(void *ctx, uint32_t slot, bool good)
{
    struct stream *s = ctx;
    if (!good)
        fail(s, ERR_SEAL_CHUNK);
    else if (s->intake.pieces_done == s->wanted)
        s->state = STREAM_VERIFIED;
}

static void init(struct stream *s, const struct trust_store *trust, uint8_t *seal_buf, bool detached)
{
    memset(s, 0, sizeof *s);
    intake_init(&s->intake, &(struct intake_config){ .trust = trust, .seal_buf = seal_buf, .detached = detached, .slots = s->slots,
                                                     .slot_count = ARRAY_SIZE(s->slots), .judged = judged, .ctx = s });
    s->seal_want = SEAL_HEAD_SIZE;
}

void stream_init(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf)
{
    init(s, trust, seal_buf, false);
    s->ops = *ops;
}

void stream_init_detached(struct stream *s, const struct trust_store *trust, const struct stream_ops *ops, uint8_t *seal_buf)
{
    init(s, trust, seal_buf, true);
    s->ops = *ops;
}

static int open_seal(struct stream *s)
{
    struct seal_view view;
    int err = intake_seal(&s->intake, s->seal_have);
    if (!err)
        err = seal_view(s->intake.config.seal_buf, s->seal_have, &view);
    if (err)
        return err;
    s->payload_at = seal_payload_offset(&view);
    s->padding = s->payload_at - seal_list_offset(&view) - seal_list_size(&view);
    s->state = STREAM_LIST;
    return s->ops.plan(s->ops.ctx, &s->intake);
}

// In three steps, each telling where the next one ends: head, head of the signature table, the rest.
static int take_seal(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    uint8_t *seal = s->intake.config.seal_buf;
    *used = MIN(len, s->seal_want - s->seal_have);
    memcpy(seal + s->seal_have, data, *used);
    s->seal_have += *used;
    while (s->seal_have == s->seal_want) {
        int err = seal_wants(seal, s->seal_have, &s->seal_want);
        if (err)
            return err;
        if (s->seal_have == s->seal_want)
            return open_seal(s);
    }
    return 0;
}

static int take_list(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    *used = intake_put(&s->intake, s->position, data, len);
    s->position += *used;
    if (!intake_complete(&s->intake))
        return 0;
    s->position = 0;
    s->file_end = s->end = s->intake.seal.payload_size;
    s->wanted = s->intake.seal.chunk_count;
    if (s->intake.config.detached)
        s->state = STREAM_VERIFIED;
    else
        s->state = s->padding ? STREAM_PADDING : STREAM_PAYLOAD;
    return intake_list(&s->intake);
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

// Where in the file a byte of the payload is, or the next one that the file has.
static uint64_t place(const struct stream *s, uint64_t position)
{
    uint64_t within = MIN(position, s->file_end);
    return s->payload_at + (within > s->file_start ? within - s->file_start : 0);
}

// Over the chunks that are verified. At the end every byte is here.
static void pass_over(struct stream *s)
{
    const struct intake *in = &s->intake;
    uint64_t from = s->position;
    for (uint32_t chunk = (uint32_t)(from >> in->piece_shift); s->position < s->end && intake_done(in, chunk); chunk++)
        s->position = MIN((uint64_t)(chunk + 1) << in->piece_shift, s->end);
    s->at += place(s, s->position) - place(s, from);
    if (s->position == s->end)
        s->state = in->pieces_done == s->wanted ? STREAM_VERIFIED : STREAM_DIGESTS;
}

struct range stream_wants(const struct stream *s)
{
    const struct intake *in = &s->intake;
    if (s->state == STREAM_SEAL)
        return (struct range){ s->at, s->at + STREAM_FRONT };
    if (s->state != STREAM_PAYLOAD)
        return (struct range){ s->at, s->payload_at };
    uint32_t end = (uint32_t)(s->position >> in->piece_shift) + 1, gap = STREAM_GAP >> in->piece_shift;
    uint32_t last = (uint32_t)((s->end - 1) >> in->piece_shift);
    for (uint32_t i = end; i <= last && i - end <= gap; i++)
        if (!intake_done(in, i))
            end = i + 1;
    return (struct range){ s->at, place(s, (uint64_t)end << in->piece_shift) };
}

// Hashed as it arrives, unless it is hashed elsewhere; or as soon as no slot is free.
static int put_payload(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    *used = intake_put(&s->intake, s->position, data, len);
    s->position += *used;
    pass_over(s);
    if (s->intake.helped && *used > 0)
        return 0;
    return intake_work(&s->intake, s->intake.helped ? s->intake.seal.chunk_size : SIZE_MAX) || *used ? s->error : ERR_INTERNAL;
}

// What belongs to a part and is in no file, up to there: zeros, or the bytes that end at `ends`.
static int put_own(struct stream *s, const uint8_t *ends, uint64_t to)
{
    static const uint8_t zeros[512];
    int err = 0;
    while (!err && s->state == STREAM_PAYLOAD && s->position < to) {
        size_t used, len = (size_t)MIN(to - s->position, (uint64_t)sizeof zeros);
        err = put_payload(s, ends ? ends - (to - s->position) : zeros, len, &used);
    }
    return err;
}

void stream_go(struct stream *s)
{
    s->hold = false;
    pass_over(s);
    int err = put_own(s, s->front_end, s->file_start);
    if (err)
        fail(s, err);
}

static int take_payload(struct stream *s, const uint8_t *data, size_t len, size_t *used)
{
    int err = put_payload(s, data, (size_t)MIN((uint64_t)len, s->file_end - s->position), used);
    return !err && s->position >= s->file_end ? put_own(s, NULL, s->end) : err;
}

int stream_init_part(struct stream *s, const struct seal *seal, uint32_t part, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits)
{
    const struct seal_part *p = &seal->parts[part];
    const struct intake *in = &s->intake;
    init(s, NULL, NULL, true);
    int err = part < seal->part_count ? intake_resume(&s->intake, seal, map, list, chunk_bits) : ERR_INVALID;
    if (err)
        return err;
    s->position = p->offset;
    s->file_start = p->offset + p->front_len;
    s->file_end = p->offset + p->size;
    s->end = seal_part_end(seal, part);
    s->wanted = in->pieces_done;
    for (uint32_t chunk = (uint32_t)(p->offset >> in->piece_shift); chunk <= (s->end - 1) >> in->piece_shift; chunk++)
        s->wanted += !intake_done(in, chunk);
    s->state = STREAM_PAYLOAD;
    s->front_end = seal->bytes + p->front_at + p->front_len;
    return 0;
}

int stream_input(struct stream *s, const uint8_t *data, size_t len)
{
    while (len > 0 && s->state != STREAM_FAILED && !(s->hold && s->state == STREAM_PAYLOAD)) {
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
        s->at += used;
        data += used;
        len -= used;
    }
    return s->error;
}

// --- digests elsewhere ---

static bool unjudged(const struct stream *s)
{
    return s->state == STREAM_PAYLOAD || s->state == STREAM_DIGESTS;
}

bool stream_work(struct stream *s)
{
    return unjudged(s) && intake_work(&s->intake, s->intake.seal.chunk_size) > 0;
}

int stream_end(struct stream *s)
{
    if (s->state == STREAM_VERIFIED)
        return 0;
    // Of a seal that was cut off, what is there may show more than that it ends.
    struct seal_view view;
    int err = s->state == STREAM_SEAL ? seal_view(s->intake.config.seal_buf, s->seal_have, &view) : s->error;
    return err ? err : ERR_TRUNCATED;
}
