// SPDX-License-Identifier: MPL-2.0
// A good image with bytes of the input XORed into it, in pieces of the input's choice: the stream must say
// VERIFIED only for the untouched image.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct testimage image;
    static struct trust_store trust;
    static uint8_t seal_buf[SEAL_MAX];
    static struct stream s;
    if (!image.file) {
        testimage_make(&image, "fuzz", 9000, 1, TESTKEY_P256_A);
        struct trust_key key = testkey_public(TESTKEY_P256_A);
        if (trust_add(&trust, &key) != 0)
            abort();
    }
    // Input: step, then (offset 16, value 8) triples.
    size_t step = size ? (size_t)data[0] * 16 + 1 : 100;
    uint8_t *file = malloc(image.len);
    memcpy(file, image.file, image.len);
    for (size_t i = 1; i + 3 <= size; i += 3)
        file[load16_le(data + i) % image.len] ^= data[i + 2];
    bool same = memcmp(file, image.file, image.len) == 0;
    const struct stream_ops ops = { .plan = plan };
    stream_init(&s, &trust, &ops, seal_buf);
    for (size_t at = 0; at < image.len; at += step)
        if (stream_input(&s, file + at, MIN(step, image.len - at)) != 0)
            break;
    if ((stream_end(&s) == 0) != same)
        abort();
    free(file);
    return 0;
}
