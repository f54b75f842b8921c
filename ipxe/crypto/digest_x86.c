// SPDX-License-Identifier: MPL-2.0
// digest_hw.h by the SHA extensions of x86.
#include "crypto/digest_hw.h"

#include <cpuid.h>

#include "crypto/digest_x86.h"

#define LEAF1_ECX_NEEDED (bit_SSSE3 | bit_SSE4_1)
#define LEAF7_EBX_SHA (1u << 29)

const char sha256_hw_name[] = "SHA-NI";

bool sha256_hw_present(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & LEAF1_ECX_NEEDED) != LEAF1_ECX_NEEDED)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & LEAF7_EBX_SHA);
}

SHA_TARGET static inline void one_block(struct state *s, const uint8_t *data)
{
    const struct state before = *s;
    __m128i w0 = message_words(data);
    __m128i w1 = message_words(data + 16);
    __m128i w2 = message_words(data + 32);
    __m128i w3 = message_words(data + 48);
    for (unsigned t = 0;; t += 16) {
        four_rounds(s, w0, round_constants + t);
        four_rounds(s, w1, round_constants + t + 4);
        four_rounds(s, w2, round_constants + t + 8);
        four_rounds(s, w3, round_constants + t + 12);
        if (t == 48)
            break;
        w0 = schedule(w0, w1, w2, w3);
        w1 = schedule(w1, w2, w3, w0);
        w2 = schedule(w2, w3, w0, w1);
        w3 = schedule(w3, w0, w1, w2);
    }
    state_add(s, &before);
}

SHA_TARGET void sha256_hw_blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    struct state s = state_load(state);
    for (; count > 0; count--, data += 64)
        one_block(&s, data);
    state_store(s, state);
}
