// SPDX-License-Identifier: MPL-2.0
// See pool.h.
#include "crypto/pool.h"

void pool_mix(struct pool *pool, const void *data, size_t len)
{
    const struct digest_piece pieces[] = { { pool->state, sizeof pool->state }, { data, len } };
    sha256_pieces(pieces, ARRAY_SIZE(pieces), pool->state);
}

void pool_bytes(struct pool *pool, pool_fresh_fn *fresh, void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len > 0) {
        uint8_t news[POOL_FRESH_MAX], block[SHA256_SIZE];
        pool_mix(pool, news, fresh(news));
        pool->draws++;
        pool_mix(pool, &pool->draws, sizeof pool->draws);
        const struct digest_piece pieces[] = { { "out", 3 }, { pool->state, sizeof pool->state } };
        sha256_pieces(pieces, ARRAY_SIZE(pieces), block);
        size_t n = MIN(len, sizeof block);
        memcpy(out, block, n);
        out += n;
        len -= n;
    }
}
