// SPDX-License-Identifier: MPL-2.0
// The processor's instructions against the library's portable code, which digest_test.c holds against published
// vectors. Where the processor has none, there is nothing to compare and the tests are skipped by name.
#include <mbedtls/sha256.h>

#include "base/test.h"
#include "crypto/digest.h"
#include "crypto/digest_hw.h"

#define LENGTH_MAX 1100
#define ALIGNMENTS 17
#define NEEDS_SHA_NI "this processor has no SHA extensions"

static uint8_t data[LENGTH_MAX];
// The library's digests of every prefix of the data.
static uint8_t expected[LENGTH_MAX + 1][SHA256_SIZE], expected_near_four_gib[SHA256_SIZE];

// Of a message that seems to be longer than 4 GiB from its third block on.
static void digest_near_four_gib(uint8_t digest[SHA256_SIZE])
{
    struct sha256 ctx;
    sha256_init(&ctx);
    ((mbedtls_sha256_context *)&ctx)->MBEDTLS_PRIVATE(total)[0] = UINT32_MAX - 127;
    sha256_update(&ctx, data, LENGTH_MAX);
    sha256_final(&ctx, digest);
}

// Runs before the instructions are switched on.
TEST(library_first)
{
    uint32_t x = 1;
    for (size_t i = 0; i < LENGTH_MAX; i++, x = x * 1664525 + 1013904223)
        data[i] = (uint8_t)(x >> 24);
    for (size_t len = 0; len <= LENGTH_MAX; len++)
        sha256(data, len, expected[len]);
    digest_near_four_gib(expected_near_four_gib);
}

TEST(accelerates)
{
    const char *name = NULL;
    enum sha256_by by = sha256_accelerate(&name);
    CHECK_STR(name, "SHA-NI");
    CHECK_EQ(by, sha256_hw_present() ? SHA256_BY_HARDWARE : SHA256_BY_LIBRARY);
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
}

// Known to be the instructions and not the library again: one block into the initial state, padded by hand.
TEST(one_block_by_hand)
{
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
    uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    static const uint32_t abc[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad };
    uint8_t block[64] = { 'a', 'b', 'c', 0x80, [63] = 24 };
    sha256_hw_blocks(state, block, 1);
    CHECK(memcmp(state, abc, sizeof abc) == 0);
    sha256_hw_blocks(state, block, 0);
    CHECK(memcmp(state, abc, sizeof abc) == 0);
}

// Two messages by turns against each by itself, which the other tests hold against the library.
TEST(two_messages)
{
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
    for (size_t at = 0; at < ALIGNMENTS; at++) {
        for (size_t count = 0; count < 9; count++) {
            uint32_t a[8], b[8], alone[8], other_alone[8];
            const uint8_t *x = data + at, *y = data + LENGTH_MAX - 9 * 64 - at;
            memcpy(a, data + 300, sizeof a);
            memcpy(b, data + 500, sizeof b);
            memcpy(alone, a, sizeof alone);
            memcpy(other_alone, b, sizeof other_alone);
            sha256_hw_blocks_two(a, x, b, y, count);
            sha256_hw_blocks(alone, x, count);
            sha256_hw_blocks(other_alone, y, count);
            CHECK(memcmp(a, alone, sizeof a) == 0, memcmp(b, other_alone, sizeof b) == 0);
        }
    }
}

TEST(every_length)
{
    uint8_t digest[SHA256_SIZE];
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
    for (size_t len = 0; len <= LENGTH_MAX; len++) {
        sha256(data, len, digest);
        CHECK(memcmp(digest, expected[len], SHA256_SIZE) == 0);
    }
}

TEST(every_alignment)
{
    uint8_t digest[SHA256_SIZE], *moved = malloc(ALIGNMENTS + LENGTH_MAX);
    if (!sha256_hw_present()) {
        free(moved);
        SKIP(NEEDS_SHA_NI);
    }
    unsigned different = 0;
    for (size_t at = 0; at < ALIGNMENTS; at++) {
        memcpy(moved + at, data, LENGTH_MAX);
        for (size_t len = LENGTH_MAX - 130; len <= LENGTH_MAX; len++) {
            sha256(moved + at, len, digest);
            different += memcmp(digest, expected[len], SHA256_SIZE) != 0;
        }
    }
    free(moved);
    CHECK_EQ(different, 0);
}

// Blocks that begin in one piece and end in the next, and a context that is copied in between.
TEST(every_cut)
{
    uint8_t digest[SHA256_SIZE];
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
    for (size_t a = 0; a <= 300; a++) {
        for (size_t b = a; b <= 300; b += 7) {
            struct sha256 ctx, copy;
            sha256_init(&ctx);
            sha256_update(&ctx, data, a);
            sha256_update(&ctx, data + a, b - a);
            copy = ctx;
            sha256_update(&ctx, "elsewhere", 9);
            sha256_update(&copy, data + b, 400 - b);
            sha256_final(&copy, digest);
            CHECK(memcmp(digest, expected[400], SHA256_SIZE) == 0);
        }
    }
}

TEST(counts_beyond_32_bits)
{
    uint8_t digest[SHA256_SIZE];
    if (!sha256_hw_present())
        SKIP(NEEDS_SHA_NI);
    digest_near_four_gib(digest);
    CHECK(memcmp(digest, expected_near_four_gib, SHA256_SIZE) == 0);
}

TEST_MAIN(T(library_first), T(accelerates), T(one_block_by_hand), T(two_messages), T(every_length), T(every_alignment), T(every_cut),
          T(counts_beyond_32_bits))
