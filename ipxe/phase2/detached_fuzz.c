// SPDX-License-Identifier: MPL-2.0
// The files of a detached seal, one after the other into the same memory as the input says: in any order, over and over, cut off, too long, of
// another part, damaged, by ranges, with digests elsewhere that may err. A chunk that counts as verified holds the signed bytes at any time,
// a part is VERIFIED only when all of its bytes are right, and then always when its own file came whole; no part touches another one.
#include "phase2/stream.h"

#include "base/fuzz.h"
#include "phase2/testdetached.h"

#include <stdlib.h>

#define FILE_MAX (64 * 1024)
#define STEP_UNIT 32
#define OPS_MAX 32 // of one input

// What is done to one part: four bytes, then (offset 16, value 8) triples of damage.
#define OP_PART 0x03    // in the first byte: which part is asked for
#define OP_OTHER 0x04   // the file is the one of the part behind it
#define OP_RANGES 0x08
#define OP_HELPED 0x10
#define OP_TRIPLES 5    // shift: how many

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static struct testdetached set;
static uint8_t memory[FILE_MAX], seen[FILE_MAX], list[4096], bits[16], file[FILE_MAX];
static size_t file_len;
static struct scatter map;
static struct stream s;
static struct hash_job job;
static bool job_out;

static int plan(void *ctx, struct intake *in)
{
    uint64_t size = in->seal.payload_size, cut = size / 2 + 100; // two pieces that meet within a chunk
    map = (struct scatter){ .size = size, .count = 2, .pieces = { { 0, cut, memory }, { cut, size - cut, memory + cut } } };
    return intake_accept(in, &map, list, bits);
}

// Its signature takes longer than all the rest, and is judged once.
static void take_seal(void)
{
    static struct trust_store trust;
    static uint8_t seal_buf[SEAL_MAX];
    if (!set.file) {
        const struct stream_ops ops = { .plan = plan };
        struct seal fields = testimage_fields("fuzz");
        const size_t sizes[TESTDETACHED_PARTS] = { 30000, 9000, 5000 };
        fields.chunk_size = CHUNK_SIZE_MIN;
        testdetached_build(&set, &fields, sizes, NULL);
        struct trust_key key = testkey_public(TESTKEY_P256_A);
        MUST(trust_add(&trust, &key) == 0);
        stream_init_detached(&s, &trust, &ops, seal_buf);
        MUST(stream_input(&s, set.file, set.len) == 0 && stream_end(&s) == 0);
    }
    memset(memory, 0xee, sizeof memory);
    memset(bits, 0, sizeof bits);
}

// Every second job comes back, and late; of those some with a digest that is not right.
static void share(unsigned turn)
{
    if (job_out && turn % 2) {
        job.digest[0] ^= turn % 8 == 7;
        intake_job_done(&s.intake, &job);
        job_out = false;
    } else if (!job_out && intake_job(&s.intake, &job)) {
        hash_job_run(&job);
        job_out = true;
    }
}

static int feed(uint64_t from, uint64_t to, size_t step, bool helped)
{
    int err = s.error;
    unsigned turn = 0;
    for (uint64_t at = from; at < to && !err; at += step) {
        uint64_t end = MIN(at + step, to), start = MAX(at, MIN(s.at, end));
        err = stream_input(&s, file + start, (size_t)(end - start));
        if (helped)
            share(turn++);
    }
    return err;
}

static void by_ranges(size_t step, bool helped)
{
    while (s.state < STREAM_DIGESTS) {
        struct range range = stream_wants(&s);
        MUST(range.from == s.at && range.to > range.from && range.to <= seal_file_size(&set.seal.parts[0]) * 2);
        range.to = MIN(MIN(range.to, range.from + step), (uint64_t)file_len);
        if (range.from >= range.to || feed(range.from, range.to, step, helped) != 0)
            break;
    }
}

static void check(uint32_t part, bool right_file, bool verified)
{
    const struct seal *seal = &set.seal;
    uint64_t from = seal->parts[part].offset, to = seal_part_end(seal, part);
    MUST(memcmp(memory, seen, from) == 0 && memcmp(memory + to, seen + to, sizeof memory - to) == 0);
    for (uint32_t chunk = 0; chunk < seal->chunk_count; chunk++) {
        size_t at = (size_t)chunk * seal->chunk_size;
        if (bits[chunk / 8] >> (chunk % 8) & 1)
            MUST(memcmp(memory + at, set.payload + at, seal_chunk_length(seal, chunk)) == 0);
    }
    MUST(!verified || memcmp(memory + from, set.payload + from, to - from) == 0);
    MUST(verified || !right_file);
}

static size_t one_file(const uint8_t *op, size_t size)
{
    uint32_t part = (op[0] & OP_PART) % TESTDETACHED_PARTS, source = (part + (op[0] & OP_OTHER ? 1 : 0)) % TESTDETACHED_PARTS;
    size_t step = op[1] * (size_t)STEP_UNIT + 1, cut = load16_le(op + 2), used = 4;
    memset(file, 0x5a, sizeof file);
    memcpy(file, set.files[source], set.file_len[source]);
    file_len = cut ? cut : set.file_len[source];
    for (unsigned i = 0; i < op[0] >> OP_TRIPLES && used + 3 <= size; i++, used += 3)
        file[load16_le(op + used)] ^= op[used + 2];
    bool right = file_len == set.file_len[part] && memcmp(file, set.files[part], file_len) == 0;
    memcpy(seen, memory, sizeof seen);
    MUST(stream_init_part(&s, &set.seal, part, &map, list, bits) == 0);
    job_out = false;
    stream_go(&s);
    if (op[0] & OP_RANGES)
        by_ranges(step, op[0] & OP_HELPED);
    else
        (void)feed(0, file_len, step, op[0] & OP_HELPED);
    if (job_out)
        intake_job_done(&s.intake, &job);
    while (s.state == STREAM_DIGESTS && stream_work(&s))
        ;
    MUST(s.state != STREAM_DIGESTS);
    check(part, right, stream_end(&s) == 0);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take_seal();
    for (unsigned ops = 0; ops < OPS_MAX && size >= 4; ops++) {
        size_t used = one_file(data, size);
        data += used;
        size -= used;
    }
    return 0;
}
