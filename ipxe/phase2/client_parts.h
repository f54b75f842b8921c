// SPDX-License-Identifier: MPL-2.0
// Inside the client machine. Its files share struct p2_client, of which each writes its own part and reads all. No three
// of them call each other in a ring (ci/check/circles).
//   client.c          the interface, the phases, judging seal and list
//   client_finish.c   telling a server how it ended
//   client_servers.c  who is there: OFFERs, the current server, failover
//   client_turns.c    how the current server does, and who may do better
//   client_hello.c    asking: discovery, HELLO
//   client_flow.c     what is under way: READs, window, round trips, losses
//   client_window.c   how much may be under way
//   client_chunks.c   what is said about chunks: whose fault a bad one is, digests elsewhere
//   client_space.c    what is asked for, and what of it arrives
//   client_random.c   random bytes and nonces
#pragma once
#include "phase2/client.h"

// Blocks of more than P2_BLOCK_MAX are for programs of an operating system. The firmware, whose cards carry frames of 1500 bytes,
// is built without what they need.
#define P2C_LARGE __STDC_HOSTED__

#define P2C_NONE 0xfe  // ask.source: nothing arrived yet
#define P2C_MIXED 0xff // ask.source: more than one server

static inline struct p2_client_server *p2c_current(struct p2_client *c)
{
    return c->servers.current ? &c->servers.at[c->servers.current - 1] : NULL;
}
static inline bool p2c_large(const struct p2_client *c)
{
    return P2C_LARGE && c->intake.block_size > P2_BLOCK_MAX;
}
// How many blocks of the size in use a bound on blocks allows.
static inline uint32_t p2c_blocks(const struct p2_client *c, uint32_t bound)
{
    return p2c_large(c) ? MAX(bound / p2_block_frames(c->intake.block_size), 1u) : bound;
}
// The current server answers and its cookie is known.
static inline bool p2c_linked(const struct p2_client *c)
{
    return c->servers.current && c->servers.at[c->servers.current - 1].state == P2S_BOUND;
}
// A server that said so at `busy_at` is still busy.
static inline bool p2c_busy(const struct p2_client *c, uint64_t busy_at)
{
    return busy_at && c->now - busy_at < P2_BUSY_TIME;
}
static inline bool p2c_fetching(const struct p2_client *c)
{
    return c->phase == P2_SEAL || c->phase == P2_LIST || c->phase == P2_PAYLOAD;
}

static inline void p2c_clock_set(struct p2_client *c, uint64_t now)
{
    c->now = MAX(c->now, now);
}
static inline void p2c_fail(struct p2_client *c, int error)
{
    if (c->phase >= P2_FAILED)
        return;
    c->error = error;
    c->phase = P2_FAILED;
}

// --- client_finish.c ---
int p2c_finish_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to);
void p2c_finish_cookie(struct p2_client *c); // the server that is told has given another cookie

// --- client_random.c ---
void p2c_random_init(struct p2_client *c, const struct p2_client_config *config);
void p2c_random(struct p2_client *c, uint8_t *buf, size_t len); // len <= 32
// The nonce between a server and us: as good as random, and found again from the address, so that nothing need be kept of
// a server that was asked until it answers.
void p2c_random_nonce(const struct p2_client *c, const struct net_addr *addr, uint8_t nonce[P2_NONCE_SIZE]);

// --- client_servers.c ---
void p2c_servers_init(struct p2_client *c, const struct p2_client_config *config);
int p2c_servers_offer(struct p2_client *c, struct p2_client_server *server, const struct p2_offer *offer);
int p2c_servers_heard(struct p2_client *c, const struct net_addr *from);
// A server that was asked, pushed out of the table by others, and now answers: its nonce proves it. Or NULL.
struct p2_client_server *p2c_servers_answered(struct p2_client *c, const struct net_addr *from, const uint8_t *nonce);
void p2c_servers_hint(struct p2_client *c, struct p2_client_server *server, const struct p2_message *m); // RESET or ERROR
struct p2_client_server *p2c_servers_find(struct p2_client *c, const struct net_addr *from, const uint8_t *nonce);
void p2c_servers_blame(struct p2_client *c, uint32_t index, int error); // what it sent was bad
// Takes another server (or none) as the current one.
void p2c_servers_drop(struct p2_client *c, uint32_t index, int error);
void p2c_servers_switch(struct p2_client *c, uint32_t index);
void p2c_servers_tick(struct p2_client *c);
uint64_t p2c_servers_deadline(const struct p2_client *c);

// --- client_turns.c ---
#define P2C_NOBODY UINT32_MAX // no server's index
uint32_t p2c_turn_next(const struct p2_client *c); // index of the best server but the current one, or P2C_NOBODY
bool p2c_turn_same_image(const struct p2_client *c, const struct p2_client_server *s); // has it the image that is under way?
// Of the current server:
bool p2c_turn_fruitful(const struct p2_client *c);     // has its turn brought a block?
uint64_t p2c_turn_patience(const struct p2_client *c); // for how long it may bring nothing, us
bool p2c_turn_slow(struct p2_client *c);               // once in P2_SLOW_TIME: has it nearly stopped?
uint32_t p2c_turn_faster(struct p2_client *c);         // once in P2_RATE_TIME: who may well be faster, or P2C_NOBODY
int p2c_turn_judge(struct p2_client *c);               // 0, or why the boot is given up: nothing comes any more, or too little
uint64_t p2c_turn_deadline(const struct p2_client *c);
void p2c_turn_begin(struct p2_client *c);  // another server's turn
void p2c_turn_again(struct p2_client *c);  // the same server's: nobody else is there
void p2c_turn_rest(struct p2_client *c);   // nothing is wanted from it now
void p2c_turn_stop(struct p2_client *c);   // nor while the caller takes its time
void p2c_turn_block(struct p2_client *c, uint32_t length); // a new block came
void p2c_turn_data(struct p2_client *c);   // DATA of use came from it

// --- client_hello.c ---
void p2c_hello_init(struct p2_client *c, const struct p2_client_config *config);
void p2c_hello_open(struct p2_client *c, struct p2_client_server *server); // asks it, from now on
void p2c_hello_enough(struct p2_client *c);                                // asks everyone no more
void p2c_hello_stop(struct p2_client *c);                                  // asks nobody any more
void p2c_hello_discover(struct p2_client *c);                              // asks everyone, unless that is under way
bool p2c_hello_asked(const struct p2_client *c);                           // is everyone asked, for now?
int p2c_hello_output_current(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to);
int p2c_hello_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to);
uint64_t p2c_hello_deadline(const struct p2_client *c);

// --- client_flow.c ---
void p2c_flow_init(struct p2_client *c, const struct p2_client_config *config);
// Everything under way counts as not asked for; without blame (a new server, a new space).
void p2c_flow_restart(struct p2_client *c);
// Another path: nothing learned about the last one counts against it.
void p2c_flow_fresh(struct p2_client *c);
void p2c_flow_sample(struct p2_client *c, uint64_t rtt);
void p2c_flow_asked(struct p2_client *c, uint32_t slot, uint32_t block);
void p2c_flow_alive(struct p2_client *c); // a duplicate came: the timer starts anew
void p2c_flow_arrived(struct p2_client *c, uint32_t slot, uint32_t block, uint16_t stamp, bool was_asked);
void p2c_flow_forget(struct p2_client *c, uint32_t slot); // what is under way for a slot is not waited for
void p2c_flow_tick(struct p2_client *c);
uint32_t p2c_flow_credit(const struct p2_client *c); // blocks to ask for now; 0 = not now
int p2c_flow_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to);

// --- client_window.c ---
void p2c_window_init(struct p2_client *c, const struct p2_client_config *config);
void p2c_window_fresh(struct p2_client *c); // another path
void p2c_window_timeout(struct p2_client *c, uint32_t before, bool again); // before: its size before that; again: the one before, too
void p2c_window_undo(struct p2_client *c);  // the timeout proved to be none
void p2c_window_judge(struct p2_client *c, uint32_t lost, uint32_t arrived); // a round is over; not both are 0
bool p2c_window_noisy(const struct p2_client *c);  // much is lost, and that is not the window's fault
bool p2c_window_subtle(const struct p2_client *c); // a round needs more blocks to be judged

// --- client_chunks.c ---
void p2c_chunk_judged(void *c, uint32_t slot, bool good); // the intake says so

// --- client_space.c ---
void p2c_space_begin(struct p2_client *c, enum intake_space space, uint64_t size, uint32_t piece_shift);
void p2c_space_begun(struct p2_client *c); // the intake has begun one, nothing being under way
void p2c_space_block_size(struct p2_client *c, uint32_t block_size, bool proven); // partial pieces are lost
bool p2c_space_wants(const struct p2_client *c); // blocks that could be asked for now
uint32_t p2c_space_ask(struct p2_client *c, uint32_t blocks, struct p2_read *read);
int p2c_space_data(struct p2_client *c, uint32_t server, const struct p2_data *data);
void p2c_space_lost(struct p2_client *c, uint32_t slot, uint32_t block); // to be asked for again
void p2c_space_server_changed(struct p2_client *c);
void p2c_space_restart(struct p2_client *c); // all of the space again
void p2c_space_pass(struct p2_client *c);    // chunks that are here need not be asked for
void p2c_slot_clear(struct p2_client *c, uint32_t slot); // empties it but leaves it its piece
