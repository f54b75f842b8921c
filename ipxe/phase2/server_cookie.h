// SPDX-License-Identifier: MPL-2.0
// What a client must have got before a server sends it more than it sent itself (doc/phase2-protocol.md, section 3): a keyed
// digest of its address and nonce, good for two epochs. The server keeps nothing for it.
#pragma once
#include "phase2/server.h"

void p2_cookie_make(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE], uint64_t now,
                    uint8_t ret[P2_COOKIE_SIZE]);

bool p2_cookie_good(const struct p2_server *s, const struct net_addr *from, const uint8_t nonce[P2_NONCE_SIZE],
                    const uint8_t cookie[P2_COOKIE_SIZE], uint64_t now);
