// SPDX-License-Identifier: MPL-2.0
// An intake is given bytes of a good image, spoilt or not, in an order of the input's choice, with digests made here and elsewhere:
// what it calls verified is the image's, and nothing else of the memory is touched.
#include "phase2/intake.h"

#include "base/fuzz.h"
#include "phase2/testimage.h"

#include <stdlib.h>

#define GUARD 32

static struct testimage image;
static struct intake in;
static struct intake_slot slots[4];
static uint32_t bits[64];
static uint8_t memory[64 * 1024], list[1024], chunk_bits[8], seal_buf[SEAL_MAX];
static struct hash_job jobs[2];
static uint32_t job_count;

static void make(void)
{
    static struct trust_store trust;
    testimage_make(&image, "fuzz", 9000, 1, TESTKEY_P256_A);
    struct trust_key key = testkey_public(TESTKEY_P256_A);
    if (trust_add(&trust, &key) != 0 || image.seal.payload_size > sizeof memory - 2 * GUARD || image.seal.chunk_count > 32)
        abort();
    const struct intake_config config = { .trust = &trust, .seal_buf = seal_buf, .slots = slots, .slot_count = ARRAY_SIZE(slots),
                                          .bits = bits, .bit_count = ARRAY_SIZE(bits) * 32, .block_min = 448 };
    intake_init(&in, &config);
    intake_begin(&in, INTAKE_SEAL, image.seal_len, 31);
    in.block_size = 1408;
    if (intake_put(&in, 0, image.file, image.seal_len) != image.seal_len || intake_seal(&in, image.seal_len) != 0)
        abort();
}

static void begin(uint8_t how)
{
    uint64_t size = image.seal.payload_size, where = how * 64u % size;
    const struct scatter map = { .size = size, .count = 2,
                                 .pieces = { { 0, where, memory + GUARD }, { where, size - where, memory + GUARD + where } } };
    memset(memory, 0xee, sizeof memory);
    job_count = 0;
    in.helped = false;
    in.bytes_verified = in.bytes_local = in.bytes_received = 0;
    in.config.bits = how & 1 ? bits : NULL;
    in.block_size = how & 2 ? 448 : 1408;
    if (intake_accept(&in, &map, list, chunk_bits) != 0)
        abort();
}

// Seven bytes: what, where (2), how long (2), what is wrong (2).
static void step(const uint8_t *p)
{
    static uint8_t bytes[65536];
    const uint8_t *from = in.space == INTAKE_LIST ? image.list : image.payload;
    uint32_t offset = load16_le(p + 1), length = load16_le(p + 3);
    switch (p[0] & 7) {
    case 0:
        (void)intake_work(&in, length);
        return;
    case 1:
        if (job_count < ARRAY_SIZE(jobs) && intake_job(&in, &jobs[job_count]))
            job_count++;
        return;
    case 2:
        if (job_count) {
            struct hash_job *job = &jobs[--job_count];
            hash_job_run(job);
            job->digest[0] ^= p[5];
            intake_job_done(&in, job);
        }
        return;
    case 3:
        intake_jobs_lost(&in);
        job_count = 0;
        return;
    case 4:
        (void)intake_local(&in, offset);
        return;
    default: break;
    }
    length = offset < in.size ? (uint32_t)MIN((uint64_t)length, in.size - offset) : 0;
    if (length)
        memcpy(bytes, from + offset, length);
    if (length && p[0] & 8)
        bytes[p[5] % length] ^= p[6];
    if (intake_put(&in, offset, bytes, length) > length)
        abort();
    if (in.space == INTAKE_LIST && intake_complete(&in) && intake_list(&in) == 0 && memcmp(list, image.list, in.seal.chunk_count * SHA256_SIZE) != 0)
        abort();
}

static void judge(void)
{
    size_t size = (size_t)image.seal.payload_size, verified = 0;
    for (uint32_t i = 0; in.space == INTAKE_PAYLOAD && i < in.piece_count; i++) {
        if (!intake_done(&in, i))
            continue;
        verified += intake_length(&in, i);
        if (memcmp(memory + GUARD + (size_t)i * CHUNK_SIZE_MIN, image.payload + (size_t)i * CHUNK_SIZE_MIN, intake_length(&in, i)) != 0)
            abort();
    }
    if (verified != in.bytes_verified)
        abort();
    for (size_t i = 0; i < sizeof memory; i++)
        if ((i < GUARD || i >= GUARD + size) && memory[i] != 0xee)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!image.file)
        make();
    begin(size ? data[0] : 0);
    for (size_t at = 1; at + 7 <= size; at += 7)
        step(data + at);
    judge();
    return 0;
}
