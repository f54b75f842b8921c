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
    uint8_t port[2], digest[SHA256_SIZE];
    store16_le(port, addr->port);
    struct digest_piece pieces[4] = { { "server", 7 }, { c->random.seed, c->random.len }, { addr->ip, 16 }, { port, 2 } };
    sha256_pieces(pieces, 4, digest);
    memcpy(nonce, digest, P2_NONCE_SIZE);
}
