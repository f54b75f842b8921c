// SPDX-License-Identifier: MPL-2.0
// Small images and stores of anchors, for tests of what a seal accepts.
#pragma once
#include "phase2/seal.h"

#include "base/test.h"
#include "phase2/testimage.h"

static struct seal opened;

static struct trust_store trust_in(const enum testkey_name *keys, unsigned count, uint32_t threshold)
{
    struct trust_store trust = { .threshold = threshold };
    for (unsigned i = 0; i < count; i++)
        testkey_trust(&trust, keys[i]);
    return trust;
}
static struct trust_store trust_a(void)
{
    enum testkey_name a = TESTKEY_P256_A;
    return trust_in(&a, 1, 1);
}

// Opens a copy in a heap block of exactly `len` bytes, so that ASan sees a byte read too many.
static int open_exact(const uint8_t *data, size_t len, const struct trust_store *trust)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int err = seal_open(copy, len, trust, &opened);
    opened.bytes = NULL; // of what is freed now
    free(copy);
    return err;
}
static UNUSED int view_exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    struct seal_view view;
    int err = seal_view(copy, len, &view);
    free(copy);
    return err;
}

// The smallest image there is: one part, short texts.
static void make_small(struct testimage *im, const enum testkey_name *keys, uint32_t key_count)
{
    struct seal fields = { .name = "a", .chunk_size = CHUNK_SIZE_MIN, .counter = 3, .target = TARGET_DATA };
    struct testpart part = { .kind = PART_RAMDISK, .name = "r", .data = "ramdisk", .size = 7 };
    if (!testimage_build(im, &fields, &part, 1, keys, key_count))
        abort();
}
static UNUSED void make_small_a(struct testimage *im)
{
    enum testkey_name a = TESTKEY_P256_A;
    make_small(im, &a, 1);
}
static UNUSED size_t message_length(const struct testimage *im)
{
    return SEAL_HEAD_SIZE + load32_le(im->file + HEAD_BODY_SIZE);
}
