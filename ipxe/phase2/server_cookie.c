// SPDX-License-Identifier: MPL-2.0
// See server_cookie.h.
#include "phase2/server_cookie.h"

#include "crypto/digest.h"

#define BLOCK_SIZE 2 // of the offered block, in front

static void make(const struct p2_server *s, const struct net_addr *from, const uint8_t *nonce, uint16_t block_max, uint64_t epoch,
                 uint8_t *ret)
{
    uint8_t text[NET_ADDR_BYTES + P2_NONCE_SIZE + 8 + BLOCK_SIZE], mac[SHA256_SIZE];
    net_addr_bytes(from, text);
    memcpy(text + NET_ADDR_BYTES, nonce, P2_NONCE_SIZE);
    store64_le(text + NET_ADDR_BYTES + P2_NONCE_SIZE, epoch);
    store16_le(text + NET_ADDR_BYTES + P2_NONCE_SIZE + 8, block_max);
    hmac_sha256(s->config.secret, sizeof s->config.secret, text, sizeof text, mac);
    store16_le(ret, block_max);
    memcpy(ret + BLOCK_SIZE, mac, P2_COOKIE_SIZE - BLOCK_SIZE);
}

void p2_cookie_make(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                    uint16_t block_max, uint64_t now, uint8_t ret[P2_COOKIE_SIZE])
{
    make(s, from, nonce, block_max, now >> P2_SERVER_COOKIE_EPOCH_BITS, ret);
}

uint32_t p2_cookie_block(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                         const uint8_t cookie[P2_COOKIE_SIZE], uint64_t now)
{
    uint64_t epoch = now >> P2_SERVER_COOKIE_EPOCH_BITS;
    uint16_t block_max = load16_le(cookie);
    uint8_t good[P2_COOKIE_SIZE];
    make(s, from, nonce, block_max, epoch, good);
    if (digest_equal(good, cookie, sizeof good))
        return block_max;
    if (epoch == 0)
        return 0;
    make(s, from, nonce, block_max, epoch - 1, good);
    return digest_equal(good, cookie, sizeof good) ? block_max : 0;
}
