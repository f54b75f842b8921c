// SPDX-License-Identifier: MPL-2.0
// Random bytes and nonces, from the seed that the caller gave.
#include "phase2/client_parts.h"

void p2c_random_init(struct p2_client *c, const struct p2_client_config *config)
{
    memcpy(c->random.seed, config->seed, config->seed_len);
    c->random.len = config->seed_len;
}

void p2c_random(struct p2_client *c, uint8_t *buf, size_t len)
{
    uint8_t counter[4], digest[SHA256_SIZE];
    store32_le(counter, c->random.counter++);
    struct digest_piece pieces[2] = { { c->random.seed, c->random.len }, { counter, sizeof counter } };
    sha256_pieces(pieces, 2, digest);
    memcpy(buf, digest, MIN(len, sizeof digest));
}

void p2c_random_nonce(const struct p2_client *c, const struct net_addr *addr, uint8_t nonce[P2_NONCE_SIZE])
{
    uint8_t peer[NET_ADDR_BYTES], digest[SHA256_SIZE];
    net_addr_bytes(addr, peer);
    struct digest_piece pieces[3] = { { "server", 7 }, { c->random.seed, c->random.len }, { peer, sizeof peer } };
    sha256_pieces(pieces, 3, digest);
    memcpy(nonce, digest, P2_NONCE_SIZE);
}
