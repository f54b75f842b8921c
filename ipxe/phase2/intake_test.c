// SPDX-License-Identifier: MPL-2.0
// An intake takes bytes in any order: cut anywhere, twice, overlapping, wrong; with blocks of any size and any number of slots; with
// digests made here, and elsewhere, where some err and some never come back.
#include "phase2/intake.h"

#include "base/test.h"
#include "phase2/testimage.h"

#define CHUNK 8192u
#define GUARD 64
#define PIECES_MAX 4096
#ifndef ORDERS
#define ORDERS 10000
#endif

static struct testimage image;
static struct trust_store trust;
static struct intake in;
static struct intake_slot slots[INTAKE_SLOTS_MAX];
static uint32_t bits[INTAKE_SLOTS_MAX * 64];
static uint8_t seal_buf[SEAL_MAX], *list, *chunk_bits, *memory, *room;
static struct scatter map;

static uint64_t state;
static uint32_t dice(uint32_t sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % sides;
}

// What is still to be fed, and what was judged bad.
static struct piece {
    uint32_t offset, length;
    bool wrong;
} pieces[PIECES_MAX];
static uint32_t piece_count, bad_count, taken;

static void add(uint32_t offset, uint32_t length, bool wrong)
{
    if (length == 0)
        return;
    if (piece_count == PIECES_MAX)
        abort();
    pieces[piece_count] = (struct piece){ offset, length, wrong };
    uint32_t other = dice(++piece_count);
    struct piece swap = pieces[other];
    pieces[other] = pieces[piece_count - 1];
    pieces[piece_count - 1] = swap;
}

// A range in pieces of any length; some come twice, overlap the ones before, or are wrong.
static void cut(uint32_t offset, uint32_t end, uint32_t most, bool wrong)
{
    while (offset < end) {
        uint32_t length = 1 + dice(most), overlap = dice(8) == 0 ? dice(2000) : 0;
        uint32_t n = MIN(length, end - offset), before = MIN(overlap, offset);
        add(offset - before, n + before, wrong && dice(20) == 0);
        if (dice(16) == 0)
            add(offset, n, false);
        offset += n;
    }
}

static void judged(void *ctx, uint32_t slot, bool good)
{
    uint32_t start = slots[slot].piece * CHUNK;
    bad_count += !good;
    if (!good)
        cut(start, MIN(start + CHUNK, (uint32_t)image.seal.payload_size), CHUNK, bad_count < 10);
}

// A piece of what is left; what is not taken of it is left again.
static void feed(const uint8_t *from)
{
    static uint8_t bytes[3 * CHUNK];
    uint32_t i = dice(piece_count);
    struct piece p = pieces[i];
    pieces[i] = pieces[--piece_count];
    memcpy(bytes, from + p.offset, p.length);
    if (p.wrong)
        bytes[dice(p.length)] ^= 1 << dice(8);
    size_t n = intake_put(&in, p.offset, bytes, p.length);
    if (n > p.length)
        abort();
    // What lies in two chunks may wait for the first one's slot while the second one has its own: then one after the other.
    uint32_t left = p.offset + (uint32_t)n, end = p.offset + p.length, border = MIN(end, (left / CHUNK + 1) * CHUNK);
    add(left, border - left, p.wrong);
    add(border, end - border, p.wrong);
}

// Digests elsewhere.
static struct hash_job jobs[8];
static uint32_t job_count;

static void bring_back(void)
{
    struct hash_job *job = &jobs[dice(job_count)];
    hash_job_run(job);
    job->digest[dice(32)] ^= dice(4) == 0;
    intake_job_done(&in, job);
    *job = jobs[--job_count];
}

static void help(bool lose)
{
    if (job_count < ARRAY_SIZE(jobs) && dice(2) && intake_job(&in, &jobs[job_count]))
        job_count++;
    if (job_count && dice(3) == 0)
        bring_back();
    if (lose && dice(50) == 0) {
        intake_jobs_lost(&in);
        for (uint32_t i = 0; i < job_count; i++)
            intake_job_done(&in, &jobs[i]); // too late
        job_count = 0;
    }
}

static void take(void *ctx, uint64_t offset, const uint8_t *bytes, size_t len)
{
    memcpy(memory + GUARD + offset, bytes, len);
    taken++;
}

// Signatures take longer than all the rest: one order of a hundred checks them.
static int take_seal(void)
{
    static struct seal seen;
    intake_begin(&in, INTAKE_SEAL, image.seal_len, 31);
    for (cut(0, (uint32_t)image.seal_len, 500, false); piece_count;)
        feed(image.file);
    if (!intake_complete(&in))
        return ERR_INTERNAL;
    if (seen.chunk_count && dice(100)) {
        in.seal = seen;
        return 0;
    }
    int err = intake_seal(&in, image.seal_len);
    seen = in.seal;
    return err;
}

static int begin(void)
{
    bool with_bits = dice(4) > 0, passing = dice(4) == 0;
    uint32_t size = (uint32_t)image.seal.payload_size;
    struct intake_config config = { .trust = &trust, .seal_buf = seal_buf, .slots = slots, .slot_count = 1 + dice(with_bits ? 8 : 3),
                                    .bits = with_bits ? bits : NULL, .bit_count = ARRAY_SIZE(bits) * 32, .block_min = 448,
                                    .judged = judged };
    static const uint32_t block_sizes[] = { 448, 512, 1200, 1408, 4096, 5000 };
    intake_init(&in, &config);
    in.block_size = block_sizes[dice(ARRAY_SIZE(block_sizes))];
    piece_count = job_count = bad_count = taken = 0;
    memset(memory, 0xee, size + 2 * GUARD);
    int err = take_seal();
    if (err)
        return err;
    uint32_t where = dice(size + 1);
    map = (struct scatter){ .size = size, .count = 2, .pieces = { { 0, where, memory + GUARD }, { where, size - where, memory + GUARD + where } } };
    const struct intake_passing pass = { .room = room, .take = take };
    if (passing && intake_room(&in) > 8 * CHUNK)
        abort();
    err = passing ? intake_accept_passing(&in, &pass, list, chunk_bits) : intake_accept(&in, &map, list, chunk_bits);
    for (cut(0, (uint32_t)in.size, 40, false); !err && piece_count;)
        feed(image.list);
    return err ? err : intake_complete(&in) ? intake_list(&in) : ERR_INTERNAL;
}

// What is counted is what is there.
static bool consistent(void)
{
    uint64_t bytes = 0;
    uint32_t done = 0;
    for (uint32_t i = 0; i < in.piece_count; i++) {
        if (!(chunk_bits[i / 8] >> (i % 8) & 1))
            continue;
        done++;
        bytes += intake_length(&in, i);
        if (memcmp(memory + GUARD + i * CHUNK, image.payload + i * CHUNK, intake_length(&in, i)) != 0)
            return false;
    }
    for (uint32_t i = 0; i < GUARD; i++)
        if (memory[i] != 0xee || memory[GUARD + image.seal.payload_size + i] != 0xee)
            return false;
    return bytes == in.bytes_verified && done == in.pieces_done && (!in.passing.take || taken == done);
}

static void make(void)
{
    struct seal fields = testimage_fields("any-order");
    fields.chunk_size = CHUNK;
    static uint8_t data[5 * CHUNK + 1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
    struct testpart part = { .kind = PART_RAMDISK, .name = "disk", .data = data, .size = sizeof data, .align = 4096 };
    enum testkey_name key = TESTKEY_P256_A;
    fields.target = TARGET_DATA;
    memset(&trust, 0, sizeof trust);
    struct trust_key public = testkey_public(key);
    if (!testimage_build(&image, &fields, &part, 1, &key, 1) || trust_add(&trust, &public) != 0)
        abort();
    memory = malloc((size_t)image.seal.payload_size + 2 * GUARD);
    room = malloc(8 * CHUNK);
    list = malloc((size_t)image.seal.chunk_count * SHA256_SIZE);
    chunk_bits = malloc((image.seal.chunk_count + 7) / 8);
}

static void drop(void)
{
    free(memory);
    free(room);
    free(list);
    free(chunk_bits);
    testimage_free(&image);
}

// Until all is verified, or so many steps: false, and it is whole no more than it should be.
static bool run(uint32_t steps)
{
    bool helped = dice(2), lose = dice(2);
    cut(0, (uint32_t)image.seal.payload_size, 50 + dice(2 * CHUNK), dice(2));
    for (; steps && !intake_complete(&in); steps--) {
        if (piece_count)
            feed(image.payload);
        if (helped)
            help(lose);
        if (dice(3) == 0)
            (void)intake_work(&in, dice(4) ? 1 + dice(3000) : SIZE_MAX);
        if (!piece_count && !job_count)
            (void)intake_work(&in, SIZE_MAX);
    }
    return intake_complete(&in);
}

TEST(chunks_in_10000_orders)
{
    uint32_t bad = 0, wrong = 0;
    make();
    for (uint32_t order = 0; order < ORDERS; order++) {
        state = order;
        int err = begin();
        bool whole = !err && run(100000);
        if (err || !whole || !consistent())
            printf("  order %u: %s, %u pieces left, %u of %u done\n", order, err_code(err), piece_count, in.pieces_done, in.piece_count);
        wrong += err || !whole || !consistent();
        bad += bad_count;
    }
    drop();
    CHECK_EQ(wrong, 0);
    CHECK(bad > 1000); // wrong bytes were among them
}

TEST(what_ends_early_is_not_whole)
{
    uint32_t wrong = 0, early = 0;
    make();
    for (uint32_t order = 0; order < 500; order++) {
        state = order;
        int err = begin();
        early += !err && !run(dice(30));
        wrong += err || !consistent();
    }
    drop();
    CHECK_EQ(wrong, 0);
    CHECK(early > 300);
}

// Bytes that nobody should send.
TEST(what_does_not_fit_changes_nothing)
{
    uint8_t bytes[3 * CHUNK] = { 0 };
    make();
    state = 1;
    int err = begin();
    uint32_t beyond = (uint32_t)(intake_put(&in, in.size, bytes, 1) + intake_put(&in, UINT64_MAX, bytes, sizeof bytes));
    uint32_t tail = (uint32_t)intake_put(&in, in.size - 1, bytes, sizeof bytes), busy = in.busy;
    int outside = intake_local(&in, in.piece_count);
    drop();
    CHECK_EQ(err, 0);
    CHECK_EQ(beyond, 0);
    CHECK_EQ(tail, 0); // behind a gap
    CHECK_EQ(busy, 0); // and it holds no slot
    CHECK_EQ(outside, ERR_INVALID);
}

// The longest list has more pieces than slots.
TEST(longest_list)
{
    static uint32_t many_bits[75008 / 32];
    struct intake_config config = { .trust = &trust, .seal_buf = seal_buf, .slots = slots, .slot_count = INTAKE_SLOTS_MAX,
                                    .bits = many_bits, .bit_count = 75008, .block_min = 448 };
    intake_init(&in, &config);
    in.block_size = 1408;
    in.seal.chunk_count = CHUNK_COUNT_MAX;
    in.seal.chunk_size = CHUNK_SIZE_MIN;
    in.seal.payload_size = (uint64_t)CHUNK_COUNT_MAX * CHUNK_SIZE_MIN;
    size_t size = (size_t)CHUNK_COUNT_MAX * SHA256_SIZE;
    uint8_t *many = calloc(1, size), *from = calloc(1, size), *done = malloc(CHUNK_COUNT_MAX / 8);
    const struct scatter nowhere = { .size = in.seal.payload_size, .count = 1, .pieces = { { 0, in.seal.payload_size, (uint8_t *)(uintptr_t)64 } } };
    from[size - 1] = 1;
    sha256(from, size, in.seal.list_digest);
    int err = intake_accept(&in, &nowhere, many, done);
    for (size_t at = 0, n = 1; !err && n && at < size; at += n)
        n = intake_put(&in, at, from + at, MIN(size - at, (size_t)100000));
    bool complete = intake_complete(&in);
    int judged_as = complete ? intake_list(&in) : ERR_INTERNAL;
    free(many);
    free(from);
    free(done);
    CHECK_EQ(err, 0);
    CHECK(complete);
    CHECK_EQ(judged_as, 0);
}

TEST_MAIN(T(chunks_in_10000_orders), T(what_ends_early_is_not_whole), T(what_does_not_fit_changes_nothing), T(longest_list))
