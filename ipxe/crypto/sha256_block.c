// SPDX-License-Identifier: MPL-2.0
// The compression function of SHA-256 (FIPS 180-4 6.2.2), in place of Mbed TLS's: MBEDTLS_SHA256_PROCESS_ALT.
//
// The digest bounds every verified download in an emulated machine, and there each memory access costs
// several times what an operation on registers does. i686 has seven registers for eight words of state, so
// this form is made for few temporaries: 15 memory accesses and 51 instructions a byte, where the library's
// has 19 and 59. In QEMU's TCG it takes half the time, on a real processor three quarters.
#define MBEDTLS_ALLOW_PRIVATE_ACCESS // the context's state is what this function works on
#include "base/bytes.h"

#include <mbedtls/sha256.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

// The sums of three rotations, nested so that one temporary is enough: ROTR 6, 11, 25 and so on.
static inline uint32_t big_sigma_1(uint32_t e)
{
    return rotate(rotate(rotate(e, 14) ^ e, 5) ^ e, 6);
}
static inline uint32_t big_sigma_0(uint32_t a)
{
    return rotate(rotate(rotate(a, 9) ^ a, 11) ^ a, 2);
}
static inline uint32_t small_sigma_0(uint32_t x)
{
    return rotate(rotate(x, 11) ^ x, 7) ^ x >> 3;
}
static inline uint32_t small_sigma_1(uint32_t x)
{
    return rotate(rotate(x, 2) ^ x, 17) ^ x >> 10;
}

// One round. The eight words do not move: the next round names them one place on. Ch(e, f, g) takes three
// operations; Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b takes two, since b ^ c is the round before's a ^ b. Of the
// orders in which the sum can be taken, this is the one for which clang spills the least.
#define ROUND(a, b, c, d, e, f, g, h, word, constant)                                                                  \
    do {                                                                                                               \
        (h) += (word);                                                                                                 \
        (h) += big_sigma_1(e);                                                                                         \
        (h) += (((f) ^ (g)) & (e)) ^ (g);                                                                              \
        (h) += (constant);                                                                                             \
        (d) += (h);                                                                                                    \
        a_xor_b = (a) ^ (b);                                                                                           \
        b_xor_c &= a_xor_b;                                                                                            \
        (h) += b_xor_c ^ (b);                                                                                          \
        b_xor_c = a_xor_b;                                                                                             \
        (h) += big_sigma_0(a);                                                                                         \
    } while (0)

// The message schedule in sixteen words that go round: word i of the block, or made from those before it.
#define FROM_BLOCK(i) (w[i] = load32_be(block + 4 * (i)))
#define FROM_WORDS(i)                                                                                                  \
    (w[i] += small_sigma_0(w[((i) + 1) & 15]) + w[((i) + 9) & 15] + small_sigma_1(w[((i) + 14) & 15]))

#define SIXTEEN_ROUNDS(word)                                                                                           \
    do {                                                                                                               \
        ROUND(a, b, c, d, e, f, g, h, word(0), k[0]);                                                                  \
        ROUND(h, a, b, c, d, e, f, g, word(1), k[1]);                                                                  \
        ROUND(g, h, a, b, c, d, e, f, word(2), k[2]);                                                                  \
        ROUND(f, g, h, a, b, c, d, e, word(3), k[3]);                                                                  \
        ROUND(e, f, g, h, a, b, c, d, word(4), k[4]);                                                                  \
        ROUND(d, e, f, g, h, a, b, c, word(5), k[5]);                                                                  \
        ROUND(c, d, e, f, g, h, a, b, word(6), k[6]);                                                                  \
        ROUND(b, c, d, e, f, g, h, a, word(7), k[7]);                                                                  \
        ROUND(a, b, c, d, e, f, g, h, word(8), k[8]);                                                                  \
        ROUND(h, a, b, c, d, e, f, g, word(9), k[9]);                                                                  \
        ROUND(g, h, a, b, c, d, e, f, word(10), k[10]);                                                                \
        ROUND(f, g, h, a, b, c, d, e, word(11), k[11]);                                                                \
        ROUND(e, f, g, h, a, b, c, d, word(12), k[12]);                                                                \
        ROUND(d, e, f, g, h, a, b, c, word(13), k[13]);                                                                \
        ROUND(c, d, e, f, g, h, a, b, word(14), k[14]);                                                                \
        ROUND(b, c, d, e, f, g, h, a, word(15), k[15]);                                                                \
    } while (0)

int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char block[64])
{
    uint32_t *state = ctx->state;
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    uint32_t w[16], b_xor_c = b ^ c, a_xor_b;
    const uint32_t *k = round_constants;
    SIXTEEN_ROUNDS(FROM_BLOCK);
    while ((k += 16) < round_constants + ARRAY_SIZE(round_constants))
        SIXTEEN_ROUNDS(FROM_WORDS);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
    return 0;
}
