// SPDX-License-Identifier: MPL-2.0
// Inside the server machine: the table of clients, the accounts of their sources, and the queue of ranges that wait to be
// sent. server_turns.c has the accounts and turns, server_peers.c the rest.
#pragma once
#include "phase2/server.h"

#define P2_SERVER_WAYS 16 // entries that a client may lie in: found without a walk over the table

// The client's entry, or NULL.
struct p2_peer *p2_peer_find(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE]);

// The client's entry, made if need be. A client whose address is validated may push out an older one, first of all one of
// the source that has most entries there; one that only said HELLO pushes out none but its like. NULL when there is no room.
struct p2_peer *p2_peer_get(struct p2_server *s, const struct net_addr *addr, const uint8_t nonce[P2_NONCE_SIZE],
                            bool validated, uint64_t now);

// Forgets what waits of the very ranges that a READ asks for again: a repetition replaces, it does not add.
void p2_peer_replace(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read);

// Queues a range (already checked to be inside the image) for a client. False when a bound is reached.
bool p2_peer_queue(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read, const struct p2_range *range,
                   uint32_t piece_shift, uint32_t *budget);

// Forgets what waits for a client.
void p2_peer_cancel(struct p2_server *s, struct p2_peer *peer);

// The range whose turn it is, and its client in *ret. NULL when nothing waits.
struct p2_job *p2_peer_turn(struct p2_server *s, struct p2_peer **ret);

// Takes bytes from the front of that range, which were sent in so many blocks (as they are counted; no more than s->quantum).
void p2_peer_took(struct p2_server *s, struct p2_peer *peer, uint32_t length, uint32_t blocks);

// ---- server_turns.c ----

void p2_turns_init(struct p2_server *s);
// A new client's place under its source; and its end. There is always room.
void p2_turns_join(struct p2_server *s, struct p2_peer *peer);
void p2_turns_leave(struct p2_server *s, struct p2_peer *peer);
// So much more waits for the client, or less: its turn will come, and what is replaced meanwhile keeps its place.
void p2_turns_add(struct p2_server *s, struct p2_peer *peer, uint32_t jobs, uint32_t blocks);
void p2_turns_sub(struct p2_server *s, struct p2_peer *peer, uint32_t jobs, uint32_t blocks);
// True when the client and its source may have a range of so many blocks wait.
bool p2_turns_admit(struct p2_server *s, const struct p2_peer *peer, uint32_t blocks);
// Whose turn it is, NULL when nothing waits; s->quantum is what is left of it. A turn ends when that is used up.
struct p2_peer *p2_turns_peer(struct p2_server *s);
