// SPDX-License-Identifier: MPL-2.0
// A detached seal as a file, and the files that it covers, each a stream of its own into the same memory.
#include "phase2/stream.h"

#include "base/test.h"
#include "phase2/testdetached.h"

static struct testdetached set;
static struct trust_store trust;
static uint8_t seal_buf[SEAL_MAX], memory[512 * 1024], list[8192], bits[64];
static struct scatter map;
static struct seal seal;
static struct stream s;

static int plan(void *ctx, struct intake *in)
{
    seal = in->seal;
    uint64_t cut = seal.payload_size / 2 + 100; // two pieces that meet within a chunk
    map = (struct scatter){ .size = seal.payload_size, .count = 2,
                            .pieces = { { 0, cut, memory }, { cut, seal.payload_size - cut, memory + cut } } };
    return intake_accept(in, &map, list, bits);
}
static const struct stream_ops ops = { .plan = plan };

static int feed(const uint8_t *bytes, size_t len, size_t step)
{
    int err = 0;
    for (size_t at = 0; at < len && !err; at += step)
        err = stream_input(&s, bytes + at, MIN(step, len - at));
    return err;
}

// Bytes of a file from `from` on, as core/sink.c gives them: what is here is left out.
static int feed_range(const uint8_t *file, struct range range, size_t step)
{
    int err = 0;
    for (uint64_t at = range.from; at < range.to && !err; at += step) {
        uint64_t end = MIN(at + step, range.to), from = MAX(at, MIN(s.at, end));
        err = stream_input(&s, file + from, (size_t)(end - from));
    }
    return err;
}

static int take_seal(size_t len, size_t step)
{
    stream_init_detached(&s, &trust, &ops, seal_buf);
    int err = feed(set.file, len, step);
    return err ? err : stream_end(&s);
}

static int open_part(uint32_t part)
{
    int err = stream_init_part(&s, &seal, part, &map, list, bits);
    if (!err)
        stream_go(&s);
    return err ? err : s.error;
}

static int take_file(uint32_t part, const uint8_t *bytes, size_t len, size_t step)
{
    int err = open_part(part);
    if (!err)
        err = feed_range(bytes, (struct range){ 0, len }, step);
    return err ? err : stream_end(&s);
}

static int take(uint32_t part, size_t step)
{
    return take_file(part, set.files[part], set.file_len[part], step);
}

static void start_sized(const size_t sizes[TESTDETACHED_PARTS], uint32_t chunk_size)
{
    struct seal fields = testimage_fields("debian-12");
    fields.chunk_size = chunk_size;
    testdetached_free(&set);
    testdetached_build(&set, &fields, sizes, NULL);
    trust = (struct trust_store){ .threshold = 1 };
    testkey_trust(&trust, TESTKEY_P256_A);
    memset(memory, 0xee, sizeof memory);
    CHECK_EQ(take_seal(set.len, 1000), 0);
}

static void start(void)
{
    const size_t sizes[TESTDETACHED_PARTS] = { 30000, 9000, 5000 };
    start_sized(sizes, 4096);
}

static bool all_here(void)
{
    return memcmp(memory, set.payload, (size_t)seal.payload_size) == 0;
}

TEST(every_step)
{
    static const size_t steps[] = { 1, 7, 100, 4095, 4096, 4097, 100000 };
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        start();
        CHECK_EQ(take_seal(set.len, steps[i]), 0);
        for (uint32_t part = 0; part < TESTDETACHED_PARTS; part++)
            CHECK_EQ(take(part, steps[i]), 0);
        CHECK(all_here());
    }
}

// In any order; and files that end on a chunk, one byte before and behind it.
TEST(every_edge)
{
    static const uint32_t orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };
    const size_t front = sizeof TESTDETACHED_FRONT;
    for (size_t near = 8191; near <= 8193; near++)
        for (unsigned o = 0; o < ARRAY_SIZE(orders); o++) {
            const size_t sizes[TESTDETACHED_PARTS] = { near, 1 + o, near - (o ? front : 0) };
            start_sized(sizes, o == 2 ? 65536 : 4096);
            for (unsigned i = 0; i < 3; i++)
                CHECK_EQ(take(orders[o][i], 1000), 0);
            CHECK(all_here());
        }
}

TEST(the_seal)
{
    start();
    for (size_t len = 0; len < set.len; len++)
        CHECK(take_seal(len, 4096) < 0);
    CHECK_EQ(take_seal(set.len - 1, 4096), ERR_TRUNCATED);
    set.file[set.len] = 0; // there is room
    CHECK_EQ(take_seal(set.len + 1, 4096), ERR_SEAL_TRAILING);
    set.file[set.len - 1] ^= 1;
    CHECK_EQ(take_seal(set.len, 4096), ERR_SEAL_LIST);
    set.file[set.len - 1] ^= 1;
    set.file[SEAL_HEAD_SIZE + 9] ^= 1;
    CHECK_EQ(take_seal(set.len, 4096), ERR_SEAL_SIGNATURE);
    set.file[SEAL_HEAD_SIZE + 9] ^= 1;
    stream_init(&s, &trust, &ops, seal_buf);
    CHECK_EQ(feed(set.file, set.len, 4096), ERR_SEAL_DETACHED);
    struct testimage im;
    testimage_make(&im, "web", 10000, 1, TESTKEY_P256_A);
    stream_init_detached(&s, &trust, &ops, seal_buf);
    CHECK_EQ(feed(im.file, im.len, 4096), ERR_SEAL_ATTACHED);
    testimage_free(&im);
}

TEST(files_that_are_not_it)
{
    uint8_t *longer = malloc(30001);
    start();
    memcpy(longer, set.files[0], 30000);
    longer[30000] = 0;
    CHECK_EQ(take_file(0, longer, 30001, 1000), ERR_SEAL_TRAILING); // a zero more is not padding
    start();
    CHECK_EQ(take_file(0, longer, 29999, 1000), ERR_TRUNCATED);
    CHECK_EQ(take_file(0, longer, 0, 1000), ERR_TRUNCATED);
    CHECK_EQ(take_file(1, set.files[2], set.file_len[2], 1000), ERR_SEAL_CHUNK); // reordered
    CHECK_EQ(take_file(2, set.files[1], set.file_len[1], 1000), ERR_SEAL_CHUNK);
    longer[29999] ^= 1;
    CHECK_EQ(take_file(0, longer, 30000, 1000), ERR_SEAL_CHUNK);
    longer[29999] ^= 1;
    CHECK_EQ(take_file(0, longer, 30000, 1000), 0); // and the right one after all
    CHECK_EQ(take(1, 1000), 0);
    CHECK_EQ(take(2, 1000), 0);
    CHECK(all_here());
    free(longer);
    CHECK_EQ(stream_init_part(&s, &seal, TESTDETACHED_PARTS, &map, list, bits), ERR_INVALID);
    map.size--;
    CHECK_EQ(stream_init_part(&s, &seal, 0, &map, list, bits), ERR_INVALID);
    map.size++;
    CHECK_EQ(stream_init_part(&s, &seal, 0, &map, list, bits), 0);
    list[seal.chunk_count * SHA256_SIZE - 1] ^= 1; // whoever changed it
    CHECK_EQ(stream_init_part(&s, &seal, 0, &map, list, bits), ERR_SEAL_LIST);
}

// A transfer that breaks goes on by ranges: what is verified is not asked for again.
TEST(goes_on)
{
    for (size_t cut = 0; cut <= 30000; cut += 997) {
        start();
        (void)take_file(0, set.files[0], cut, 500);
        CHECK_EQ(open_part(0), 0);
        CHECK_EQ(s.at, cut / 4096 * 4096);
        unsigned requests = 0;
        while (s.state < STREAM_DIGESTS && requests++ < 10) {
            struct range range = stream_wants(&s);
            CHECK(range.from == s.at, range.to > range.from, range.to <= set.file_len[0]);
            CHECK_EQ(feed_range(set.files[0], range, 700), 0);
        }
        CHECK_EQ(stream_end(&s), 0);
        CHECK_EQ(open_part(0), 0); // all of it is here
        CHECK_EQ(s.state, STREAM_VERIFIED);
    }
}

// Islands of good chunks anywhere, the one with the front among them.
TEST(holes)
{
    for (unsigned mask = 0; mask < 1u << 8; mask++) {
        start();
        for (uint32_t part = 0; part < TESTDETACHED_PARTS; part++)
            CHECK_EQ(take(part, 4096), 0);
        for (uint32_t chunk = 0; chunk < seal.chunk_count; chunk++)
            if (mask >> (chunk % 8) & 1) {
                bits[chunk / 8] &= (uint8_t)~(1u << (chunk % 8));
                memset(memory + chunk * 4096, 0xee, seal_chunk_length(&seal, chunk));
            }
        for (uint32_t part = 0; part < TESTDETACHED_PARTS; part++) {
            CHECK_EQ(open_part(part), 0);
            while (s.state < STREAM_DIGESTS) {
                struct range range = stream_wants(&s);
                CHECK(range.to <= set.file_len[part], range.to > range.from);
                CHECK_EQ(feed_range(set.files[part], range, 5000), 0);
            }
            CHECK_EQ(stream_end(&s), 0);
        }
        CHECK(all_here());
    }
}

// Other processors bring digests back late.
TEST(helped)
{
    const size_t sizes[TESTDETACHED_PARTS] = { 120000, 9000, 90000 };
    for (unsigned held = 1; held <= HASHBOARD_JOBS; held++) {
        start_sized(sizes, 4096);
        for (uint32_t part = 0; part < TESTDETACHED_PARTS; part++) {
            struct hash_job jobs[HASHBOARD_JOBS];
            unsigned out = 0;
            CHECK_EQ(open_part(part), 0);
            for (size_t at = 0; at < sizes[part]; at += 1500) {
                CHECK_EQ(stream_input(&s, set.files[part] + at, MIN((size_t)1500, sizes[part] - at)), 0);
                if (out < held && intake_job(&s.intake, &jobs[out]))
                    hash_job_run(&jobs[out++]);
                else if (out == held)
                    intake_job_done(&s.intake, &jobs[--out]);
            }
            while (out)
                intake_job_done(&s.intake, &jobs[--out]);
            while (s.state == STREAM_DIGESTS && stream_work(&s))
                ;
            CHECK_EQ(stream_end(&s), 0);
        }
        CHECK(all_here());
    }
    testdetached_free(&set);
    memset(&set, 0, sizeof set);
}

TEST_MAIN(T(every_step), T(every_edge), T(the_seal), T(files_that_are_not_it), T(goes_on), T(holes), T(helped))
