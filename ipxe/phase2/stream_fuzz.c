// SPDX-License-Identifier: MPL-2.0
// A good image with bytes of the input XORed into it, in pieces of the input's choice: the stream must say
// VERIFIED only for the untouched image. Or a copy is at hand that is damaged so, and the file besides; asked for by ranges, from a
// server that may send less than it was asked for: VERIFIED only when memory holds the signed payload.
#include "phase2/stream.h"

#include "base/fuzz.h"
#include "phase2/testimage.h"

#include <stdlib.h>

static uint8_t memory[64 * 1024], list[4096], chunk_bits[16];

static int plan(void *ctx, struct intake *in)
{
    const struct seal *seal = &in->seal;
    if (seal->payload_size > sizeof memory || seal->chunk_count > sizeof list / SHA256_SIZE)
        return ERR_BOOT_NO_ROOM;
    const struct scatter map = { .size = seal->payload_size, .count = 1, .pieces = { { 0, seal->payload_size, memory } } };
    return intake_accept(in, &map, list, chunk_bits);
}

#define STEP_UNIT 32
#define BY_RANGES 0x80 // in the first byte, beside the step
#define OF_THE_COPY 1  // in a value: the copy is damaged, not the file

static struct testimage image;
static uint8_t *file, *copy; // as they came to be damaged

// Behind the first byte: (offset 16, value 8) triples.
static void damage(const uint8_t *data, size_t size, bool by_ranges)
{
    memcpy(file, image.file, image.len);
    memcpy(copy, image.payload, (size_t)image.seal.payload_size);
    for (size_t i = 1; i + 3 <= size; i += 3)
        if (by_ranges && (data[i + 2] & OF_THE_COPY))
            copy[load16_le(data + i) % image.seal.payload_size] ^= data[i + 2];
        else
            file[load16_le(data + i) % image.len] ^= data[i + 2];
}

static void whole(struct stream *s, size_t step)
{
    for (size_t at = 0; at < image.len; at += step)
        if (stream_input(s, file + at, MIN(step, image.len - at)) != 0)
            break;
}

// As core/sink.c does: front and list, what is at hand, then the ranges that are missing, each cut after `step` bytes.
static void by_ranges(struct stream *s, size_t step)
{
    s->hold = true;
    while (s->state < STREAM_DIGESTS) {
        if (s->hold && s->state == STREAM_PAYLOAD) {
            memcpy(memory, copy, (size_t)image.seal.payload_size);
            for (uint32_t chunk = 0; chunk < image.seal.chunk_count; chunk++)
                (void)intake_local(&s->intake, chunk);
            stream_go(s);
            continue;
        }
        struct range range = stream_wants(s);
        if (range.from != s->at || range.to <= range.from)
            abort();
        range.to = MIN(range.to, image.len);
        if (range.from >= range.to || stream_input(s, file + range.from, MIN(step, (size_t)(range.to - range.from))) != 0)
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust_store trust;
    static uint8_t seal_buf[SEAL_MAX];
    static struct stream s;
    if (!image.file) {
        testimage_make(&image, "fuzz", 9000, 1, TESTKEY_P256_A);
        file = malloc(image.len);
        copy = malloc((size_t)image.seal.payload_size);
        struct trust_key key = testkey_public(TESTKEY_P256_A);
        if (!file || !copy || trust_add(&trust, &key) != 0)
            abort();
    }
    // Input: step and BY_RANGES, then triples.
    bool ranges = size && (data[0] & BY_RANGES);
    size_t step = size ? (size_t)(data[0] & ~BY_RANGES) * STEP_UNIT + 1 : 100;
    damage(data, size, ranges);
    const struct stream_ops ops = { .plan = plan };
    stream_init(&s, &trust, &ops, seal_buf);
    memset(memory, 0, sizeof memory);
    (ranges ? by_ranges : whole)(&s, step);
    bool same = memcmp(file, image.file, image.len) == 0, right = memcmp(memory, image.payload, (size_t)image.seal.payload_size) == 0;
    bool verified = stream_end(&s) == 0;
    if ((verified && !right) || (same && !verified) || (verified && !ranges && !same))
        abort();
    return 0;
}
