// SPDX-License-Identifier: MPL-2.0
#include "phase2/stream.h"

#include "base/test.h"
#include "phase2/testimage.h"

struct sink {
    uint8_t *memory, *list, *chunk_bits;
    int plans, plan_error;
};

static int plan(void *ctx, struct intake *in)
{
    struct sink *sink = ctx;
    const struct seal *seal = &in->seal;
    sink->plans++;
    if (sink->plan_error)
        return sink->plan_error;
    free(sink->memory);
    free(sink->list);
    free(sink->chunk_bits);
    sink->memory = malloc((size_t)seal->payload_size);
    sink->list = malloc((size_t)seal->chunk_count * SHA256_SIZE);
    sink->chunk_bits = malloc((seal->chunk_count + 7) / 8);
    // Two pieces that meet in the middle of a chunk.
    uint64_t cut = seal->payload_size / 2 + 100;
    const struct scatter map = { .size = seal->payload_size,
                                 .count = 2,
                                 .pieces = { { 0, cut, sink->memory },
                                             { cut, seal->payload_size - cut, sink->memory + cut } } };
    return intake_accept(in, &map, sink->list, sink->chunk_bits);
}

static struct testimage image;
static struct trust_store trust;
static uint8_t seal_buf[SEAL_MAX];

static void make_sized(uint32_t size)
{
    testimage_free(&image);
    testimage_make(&image, "stream", size, 3, TESTKEY_P256_A);
    memset(&trust, 0, sizeof trust);
    struct trust_key key = testkey_public(TESTKEY_P256_A);
    if (trust_add(&trust, &key) != 0)
        abort();
}

static void make(void)
{
    make_sized(50000);
}

// Other processors: none, some that bring digests back late and in any order, some that err now and then, some that are
// lost in the middle.
enum helpers { NO_HELPERS, HELPERS, ERRING_HELPERS, LOST_HELPERS, HELPERS_KINDS };
static enum helpers helpers;
static struct hash_job jobs[HASHBOARD_JOBS + 1];
static uint32_t job_count, turns;

static uint32_t dice(uint32_t sides)
{
    turns = turns * 1664525 + 1013904223;
    return (turns >> 16) % sides;
}

static void bring_back(struct stream *s, uint32_t i)
{
    struct hash_job *job = &jobs[i];
    hash_job_run(job);
    job->digest[31] ^= helpers == ERRING_HELPERS && dice(3) == 0;
    intake_job_done(&s->intake, job);
    *job = jobs[--job_count];
}

// One turn of the caller with other processors.
static void share(struct stream *s)
{
    if (helpers == NO_HELPERS)
        return;
    if (job_count < HASHBOARD_JOBS && dice(3) && intake_job(&s->intake, &jobs[job_count]))
        job_count++;
    if (job_count && dice(3) == 0)
        bring_back(s, dice(job_count));
    if (dice(8) == 0)
        (void)stream_work(s);
    if (helpers == LOST_HELPERS && job_count > 3) {
        intake_jobs_lost(&s->intake);
        while (stream_work(s))
            ;
        struct hash_job late = jobs[0];
        job_count = 0;
        intake_job_done(&s->intake, &late);
        helpers = NO_HELPERS;
    }
}

// The whole file in pieces of `step`; the result of stream_end.
static int feed(struct sink *sink, size_t len, size_t step, const struct trust_store *store)
{
    static struct stream s;
    const struct stream_ops ops = { .ctx = sink, .plan = plan };
    stream_init(&s, store, &ops, seal_buf);
    job_count = 0;
    for (size_t at = 0; at < len; at += step) {
        uint8_t piece[8192];
        size_t n = MIN(step, len - at);
        memcpy(piece, image.file + at, n);
        int err = stream_input(&s, piece, n);
        if (!err)
            share(&s);
        if (s.error)
            return (!err || err == s.error) && stream_end(&s) == s.error ? s.error : ERR_INTERNAL;
    }
    for (; s.state == STREAM_DIGESTS; share(&s))
        if (stream_end(&s) != ERR_TRUNCATED || intake_complete(&s.intake))
            return ERR_INTERNAL; // said to be whole before the last digest was there
    return stream_end(&s);
}

static bool done(const struct stream *s, uint32_t chunk)
{
    return intake_done(&s->intake, chunk);
}

// What may be asked for: from where the stream is to the end of a missing chunk, over no more chunks at a time that are here than a
// request is worth.
static bool range_is_right(const struct stream *s, struct range r)
{
    const struct intake *in = &s->intake;
    if (r.from != s->at || r.to <= r.from)
        return false;
    if (s->state != STREAM_PAYLOAD)
        return s->state == STREAM_SEAL || r.to == s->payload_at;
    uint32_t first = (uint32_t)((r.from - s->payload_at) >> in->piece_shift), last = (uint32_t)((r.to - s->payload_at - 1) >> in->piece_shift);
    if (r.to > s->payload_at + in->size || done(s, first) || done(s, last))
        return false;
    for (uint32_t i = first, here = 0; i <= last; i++)
        if ((here = done(s, i) ? here + 1 : 0) > STREAM_GAP >> in->piece_shift)
            return false;
    uint32_t next = last + 1; // what is near was not left for another request
    while (next < in->piece_count && done(s, next))
        next++;
    return next == in->piece_count || next - last - 1 > STREAM_GAP >> in->piece_shift;
}

// Chunks that are at hand, by chance: alone, and in runs.
static void give_local(struct stream *s, struct sink *sink)
{
    const struct intake *in = &s->intake;
    uint32_t most = 1 + dice(60);
    for (uint32_t i = dice(40); i < in->piece_count; i += 1 + dice(most))
        for (uint32_t n = 1 + dice(most); n-- && i < in->piece_count; i++) {
            memcpy(sink->memory + ((size_t)i << in->piece_shift), image.payload + ((size_t)i << in->piece_shift), intake_length(in, i));
            (void)intake_local(&s->intake, i);
        }
}

// From a server that has ranges or not, and breaks off as it likes; the first one or all of the others may be the whole file. The
// result of stream_end; ERR_INTERNAL for a wish that is wrong.
static int fetch(struct sink *sink, uint64_t *ret_local, uint64_t *ret_taken)
{
    static struct stream s;
    const struct stream_ops ops = { .ctx = sink, .plan = plan };
    stream_init(&s, &trust, &ops, seal_buf);
    s.hold = true;
    bool ranges = dice(4) > 0;
    job_count = 0;
    for (unsigned asked = 0; s.state < STREAM_DIGESTS && asked < 2000; asked++) {
        struct range r = stream_wants(&s);
        if (!range_is_right(&s, r))
            return ERR_INTERNAL;
        size_t at = (size_t)r.from, end = ranges ? (size_t)MIN(r.to, (uint64_t)image.len) : image.len;
        if (dice(3) == 0)
            end = at + dice((uint32_t)(end - at) + 1);
        for (size_t n; at < end && s.state < STREAM_DIGESTS && !(s.hold && s.state == STREAM_PAYLOAD); at += n) {
            n = 1 + dice(3000);
            n = MIN(end - at, n);
            // Whoever goes on behind what is at hand sends that as well.
            size_t skip = s.at > at ? MIN((size_t)(s.at - at), n) : 0;
            int err = stream_input(&s, image.file + at + skip, n - skip);
            if (err)
                return err;
            share(&s);
        }
        if (s.hold && s.state == STREAM_PAYLOAD) {
            if (s.position || s.intake.busy)
                return ERR_INTERNAL; // bytes of the payload were taken
            give_local(&s, sink);
            stream_go(&s);
        }
    }
    for (; s.state == STREAM_DIGESTS; share(&s))
        ;
    *ret_local = s.intake.bytes_local;
    *ret_taken = s.intake.bytes_received;
    return stream_end(&s);
}

static void drop(struct sink *sink)
{
    free(sink->memory);
    free(sink->list);
    free(sink->chunk_bits);
}

TEST(only_missing_ranges_are_wanted)
{
    make_sized(600000);
    turns = 1;
    for (unsigned round = 0; round < 400; round++) {
        struct sink sink = { 0 };
        uint64_t local = 0, taken = 0;
        helpers = dice(HELPERS_KINDS);
        int err = fetch(&sink, &local, &taken);
        bool same = !err && memcmp(sink.memory, image.payload, (size_t)image.seal.payload_size) == 0;
        drop(&sink);
        CHECK_EQ(err, 0);
        CHECK(same, local > 0);
        CHECK_EQ(local + taken, image.seal.payload_size); // no byte that was here was written
    }
}

TEST(whole_image_in_any_pieces)
{
    make();
    static const size_t steps[] = { 1, 7, 64, 1408, 4096, 8192 };
    for (size_t i = 0; i < ARRAY_SIZE(steps) * HELPERS_KINDS; i++) {
        struct sink sink = { 0 };
        helpers = i % HELPERS_KINDS;
        int err = feed(&sink, image.len, steps[i / HELPERS_KINDS], &trust);
        bool same = !err && memcmp(sink.memory, image.payload, (size_t)image.seal.payload_size) == 0;
        int plans = sink.plans;
        drop(&sink);
        CHECK_EQ(err, 0);
        CHECK(same);
        CHECK_EQ(plans, 1);
    }
}

TEST(every_truncation_is_named)
{
    make();
    for (size_t len = 0; len < image.len; len += len < 2000 ? 13 : 1777) {
        struct sink sink = { 0 };
        helpers = len % HELPERS_KINDS;
        int err = feed(&sink, len, 500, &trust);
        drop(&sink);
        CHECK_EQ(err, ERR_TRUNCATED);
    }
}

TEST(damage_is_found_where_it_is)
{
    make();
    size_t list = (size_t)(image.list - image.file), payload = (size_t)(image.payload - image.file);
    for (size_t at = 0; at < image.len; at += at < list + 64 ? 3 : 701) {
        struct sink sink = { 0 };
        helpers = at % HELPERS_KINDS;
        image.file[at] ^= 0x10;
        int err = feed(&sink, image.len, 777, &trust);
        image.file[at] ^= 0x10;
        int plans = sink.plans;
        drop(&sink);
        CHECK(err != 0);
        if (at < list)
            CHECK_EQ(plans, 0); // nothing is planned for a seal that does not verify
        else if (at < list + (size_t)image.seal.chunk_count * SHA256_SIZE)
            CHECK_EQ(err, ERR_SEAL_LIST);
        else
            CHECK_EQ(err, at < payload ? ERR_SEAL_PADDING : ERR_SEAL_CHUNK);
    }
}

TEST(nothing_without_trust)
{
    make();
    struct sink sink = { 0 };
    struct trust_store empty = { 0 };
    CHECK_EQ(feed(&sink, image.len, 4096, &empty), ERR_SEAL_NO_TRUST);
    CHECK_EQ(sink.plans, 0);
}

TEST(plan_refusal_and_trailing_bytes)
{
    make();
    struct sink sink = { .plan_error = ERR_BOOT_NO_ROOM };
    CHECK_EQ(feed(&sink, image.len, 4096, &trust), ERR_BOOT_NO_ROOM);
    struct sink good = { 0 };
    uint8_t *longer = realloc(image.file, image.len + 1);
    CHECK(longer != NULL);
    image.file = longer;
    image.file[image.len] = 0;
    int err = feed(&good, image.len + 1, 4096, &trust);
    drop(&good);
    testimage_free(&image);
    CHECK_EQ(err, ERR_SEAL_TRAILING);
}

TEST_MAIN(T(whole_image_in_any_pieces), T(every_truncation_is_named), T(damage_is_found_where_it_is),
          T(nothing_without_trust), T(only_missing_ranges_are_wanted), T(plan_refusal_and_trailing_bytes))
