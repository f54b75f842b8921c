// SPDX-License-Identifier: MPL-2.0
// Inside the server machine: the table of clients and the queue of ranges that wait to be sent.
#pragma once
#include "phase2/server.h"

#define P2_SERVER_WAYS 16 // entries that a client may lie in: found without a walk over the table

// The client's entry, or NULL.
struct p2_peer *p2_peer_find(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE]);

// The client's entry, made if need be. A client whose address is validated may push out an older one; one
// that only said HELLO pushes out none but its like. NULL when there is no room.
struct p2_peer *p2_peer_get(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE],
                            bool validated, uint64_t now);

// Queues a range (already checked to be inside the image) for a client. False when a bound is reached.
bool p2_peer_queue(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read, const struct p2_range *range,
                   uint32_t piece_shift, uint32_t *budget);

// Forgets what waits for a client.
void p2_peer_cancel(struct p2_server *s, struct p2_peer *peer);

// Takes the next block from the queue, round robin over clients. False when nothing waits.
struct p2_block {
    struct p2_peer *peer;
    struct p2_job job; // as it was before this block
    uint32_t length;
};
bool p2_peer_next(struct p2_server *s, struct p2_block *ret, uint32_t (*piece_shift)(struct p2_server *, const struct p2_job *));
