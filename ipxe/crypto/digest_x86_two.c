// SPDX-License-Identifier: MPL-2.0
// Two messages by turns through the SHA extensions: a round waits for the one before, and the processor has time for the
// other message's in between. 1.6 times the bytes in the same time (AMD Zen 3, 64 bits). For the host tools: in 32 bits there are too few
// registers for it.
#include "crypto/digest_hw.h"
#include "crypto/digest_x86.h"

SHA_TARGET static inline void one_block_each(struct state *s, struct state *u, const uint8_t *data, const uint8_t *other)
{
    const struct state before = *s, before_u = *u;
    __m128i w0 = message_words(data), w1 = message_words(data + 16);
    __m128i w2 = message_words(data + 32), w3 = message_words(data + 48);
    __m128i x0 = message_words(other), x1 = message_words(other + 16);
    __m128i x2 = message_words(other + 32), x3 = message_words(other + 48);
    for (unsigned t = 0;; t += 16) {
        four_rounds(s, w0, round_constants + t);
        four_rounds(u, x0, round_constants + t);
        four_rounds(s, w1, round_constants + t + 4);
        four_rounds(u, x1, round_constants + t + 4);
        four_rounds(s, w2, round_constants + t + 8);
        four_rounds(u, x2, round_constants + t + 8);
        four_rounds(s, w3, round_constants + t + 12);
        four_rounds(u, x3, round_constants + t + 12);
        if (t == 48)
            break;
        w0 = schedule(w0, w1, w2, w3);
        x0 = schedule(x0, x1, x2, x3);
        w1 = schedule(w1, w2, w3, w0);
        x1 = schedule(x1, x2, x3, x0);
        w2 = schedule(w2, w3, w0, w1);
        x2 = schedule(x2, x3, x0, x1);
        w3 = schedule(w3, w0, w1, w2);
        x3 = schedule(x3, x0, x1, x2);
    }
    state_add(s, &before);
    state_add(u, &before_u);
}

SHA_TARGET void sha256_hw_blocks_two(uint32_t state[8], const uint8_t *data, uint32_t other_state[8], const uint8_t *other,
                                     size_t count)
{
    struct state s = state_load(state), u = state_load(other_state);
    for (; count > 0; count--, data += 64, other += 64)
        one_block_each(&s, &u, data, other);
    state_store(s, state);
    state_store(u, other_state);
}
