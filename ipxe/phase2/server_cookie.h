// SPDX-License-Identifier: MPL-2.0
// What a client must have got before a server sends it more than it sent itself (doc/phase2-protocol.md, section 3): a keyed
// digest of its address and nonce and of the largest block that it was offered, good for two epochs. The server keeps nothing
// for it.
#pragma once
#include "phase2/server.h"

void p2_cookie_make(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                    uint16_t block_max, uint64_t now, uint8_t ret[P2_COOKIE_SIZE]);

// The largest block that was offered with a cookie, 0: the cookie is not good.
uint32_t p2_cookie_block(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                         const uint8_t cookie[P2_COOKIE_SIZE], uint64_t now);
