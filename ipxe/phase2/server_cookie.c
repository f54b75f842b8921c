// SPDX-License-Identifier: MPL-2.0
// See server_cookie.h.
#include "phase2/server_cookie.h"

#include "crypto/digest.h"

static void make(const struct p2_server *s, const struct net_addr *from, const uint8_t *nonce, uint64_t epoch, uint8_t *ret)
{
    uint8_t text[NET_ADDR_BYTES + P2_NONCE_SIZE + 8], mac[SHA256_SIZE];
    net_addr_bytes(from, text);
    memcpy(text + NET_ADDR_BYTES, nonce, P2_NONCE_SIZE);
    store64_le(text + NET_ADDR_BYTES + P2_NONCE_SIZE, epoch);
    hmac_sha256(s->config.secret, sizeof s->config.secret, text, sizeof text, mac);
    memcpy(ret, mac, P2_COOKIE_SIZE);
}

void p2_cookie_make(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE], uint64_t now,
                    uint8_t ret[P2_COOKIE_SIZE])
{
    make(s, from, nonce, now >> P2_SERVER_COOKIE_EPOCH_BITS, ret);
}

bool p2_cookie_good(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                    const uint8_t cookie[P2_COOKIE_SIZE], uint64_t now)
{
    uint64_t epoch = now >> P2_SERVER_COOKIE_EPOCH_BITS;
    uint8_t good[P2_COOKIE_SIZE];
    make(s, from, nonce, epoch, good);
    if (digest_equal(good, cookie, sizeof good))
        return true;
    if (epoch == 0)
        return false;
    make(s, from, nonce, epoch - 1, good);
    return digest_equal(good, cookie, sizeof good);
}
