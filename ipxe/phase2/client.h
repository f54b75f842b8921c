// SPDX-License-Identifier: MPL-2.0
// The fetching side of the native protocol as a machine without I/O (doc/phase2-protocol.md): finds a server,
// fetches and verifies the seal, then the chunk list, then each chunk into its final place.
//
// How to drive it, from one thread:
//
//   p2_client_init(c, &config, now);
//   loop:
//     feed ALL datagrams that are waiting      p2_client_input(c, bytes, len, &from, now)
//     send until it has nothing more           while ((n = p2_client_output(c, buf, sizeof buf, &to, now)) > 0) ...
//     hash a little                            p2_client_work(c, 16 KiB); 0 = nothing to hash
//     look at p2_client_phase(c):
//       P2_SEALED    plan memory by p2_client_seal(c), then p2_client_accept(...) - or p2_client_finish(REFUSED)
//       P2_PAYLOAD   reached: chunks that are at hand already may be given by p2_client_local(c, chunk)
//       P2_VERIFIED  the payload is whole: p2_client_finish(BOOTING)
//       P2_FAILED    p2_client_error(c) says why: p2_client_finish(FAILED) tells the server, or just stop
//       P2_DONE      over; the memory may be used
//     sleep until a datagram or p2_client_deadline(c), unless work is left
//
// Times are microseconds of any clock that does not go back. Data that arrived while the caller hashed must be
// fed before output is asked for, or timers see losses that are none.
//
// Security: whatever anyone sends, the machine never says VERIFIED unless every byte behind the scatter map
// matches the seal that the trust store accepted. No RESET, ERROR or OFFER ends a boot by itself.
#pragma once
#include "base/progress.h"
#include "phase2/intake.h"
#include "phase2/wire.h"

#define P2_CLIENT_SERVERS 12    // servers kept at a time
#define P2_CLIENT_TARGETS 8     // addresses HELLO is sent to in discovery
#define P2_CLIENT_SLOTS INTAKE_SLOTS_MAX // chunks in the works at a time (fewer when chunks are large)
#define P2_CLIENT_SLOT_BITS 75008 // blocks of all slots together: 8 chunks of 4 MiB in blocks of P2_BLOCK_MIN
#define P2_CLIENT_FLIGHT 2048   // requests that the window is kept in; more than twice the largest window
#define P2_CLIENT_STAMPS 16     // READs whose sending time is remembered
#define P2_CLIENT_WINDOW_MIN 4  // blocks: below this a link is not usable
#define P2_CLIENT_WINDOW_MAX 896   // what a switch or a Linux interface queues is 1000 frames, as a rule
#define P2_CLIENT_WINDOW_DEFAULT 16
#define P2_CLIENT_SEED_MIN 16
#define P2_CLIENT_SEED_MAX 64

#define P2_RTO_MIN 20000u          // us; doubled up to P2_RTO_FLOOR_MAX when it proves too eager
#define P2_RTO_FLOOR_MAX 320000u
#define P2_RTO_FIRST 300000u       // before a round trip was measured
#define P2_RTO_MAX 2000000u
#define P2_HELLO_FIRST 150000u     // first repetition of a HELLO; doubles
#define P2_HELLO_LAST 600000u      // longest pause between HELLOs: ten tries in the time of discovery
#define P2_HEARD_TIME 2000000u     // answers to discovery count for so long after it asked
#define P2_HELLO_TRIES 5           // unicast HELLOs to a server that discovery heard of
#define P2_COOKIE_RENEW 30000000u  // a cookie as old is renewed while it still works
#define P2_HINT_PAUSE 200000u      // RESET and ERROR are acted upon at most once in this time
#define P2_FAILOVER_AFTER 1500000u // no new block for so long: the next server's turn
#define P2_FIRST_AFTER 300000u     // the same before a turn's first block; doubled for each turn that brought none
#define P2_STALL_DEFAULT 30000000u
#define P2_DISCOVER_DEFAULT 6000000u
#define P2_DECIDE_AFTER 3000000u   // servers are looked for at least so long before a failure is final
#define P2_FINISH_TRIES 5
#define P2_FINISH_PAUSE 150000u
#define P2_STRIKES_MAX 4           // bad chunks (halved by good ones) that drop a server
#define P2_SEAL_TRIES 3            // seals from one server that may be damaged, or replaced, before it is dropped
#define P2_DROPS_MAX 64            // servers dropped before the boot is given up: bounds a hostile crowd
#define P2_SLOW_TIME 10000000u     // fewer than P2_SLOW_BLOCKS in so long: another server may do better
#define P2_SLOW_BLOCKS 64u
#define P2_RATE_TIME 2500000u      // fewer than P2_RATE_BLOCKS in so long: a server not yet tried, or one that was twice as fast, has a turn
#define P2_RATE_BLOCKS 1024u       // 577 KB/s
#define P2_REFUSED_AFTER 100000u   // an ERROR and no block for so long: the next server's turn
#define P2_BUSY_TIME 5000000u      // a server that said BUSY is busy for so long; one that still is says so more often
#define P2_REORDER_FIRST 3u        // blocks that may overtake one before it counts as lost; doubles when wrong
#define P2_REORDER_MAX 256u
#define P2_CHOICES_MAX 4            // pieces of a list of images to choose from that are kept for people
#define P2_STEP_DOWN_AFTER 3u      // timeouts in a row without any full-size DATA: try smaller blocks

struct p2_client_config {
    const struct trust_store *trust; // kept by reference: must outlive the machine
    const char *image;               // requested name, "" = the server's default
    // Explicit servers, or addresses for discovery (multicast, broadcast), or both. All are asked at once; the
    // first that answers is taken, the others wait for it to fail.
    const struct net_addr *servers;
    uint32_t server_count;
    const struct net_addr *targets;
    uint32_t target_count;
    const uint8_t *seed; // P2_CLIENT_SEED_MIN..MAX random bytes, fresh for each machine
    size_t seed_len;
    uint8_t *seal_buf; // SEAL_MAX bytes, kept until DONE
    size_t seal_cap;
    struct p2_facts facts;
    uint16_t rx_buffers;     // frames the card holds, 0 = not known: the window starts here
    uint16_t window_initial; // blocks, 0 = from rx_buffers or P2_CLIENT_WINDOW_DEFAULT
    uint16_t window_max;     // blocks, large ones counted as p2_block_frames says; 0 = P2_CLIENT_WINDOW_MAX
    // Largest block, 0 = P2_BLOCK_MAX. Up to P2_BLOCK_LARGE where the way to the servers is known to carry it whole, and only in
    // programs for an operating system (P2C_LARGE).
    uint16_t block_max;
    uint64_t discover_us;    // nobody answers for so long: ERR_P2_NO_SERVER. 0 = default
    uint64_t stall_us;       // no progress for so long: ERR_P2_STALLED. 0 = default
};

enum p2_phase {
    P2_DISCOVER, // looking for servers
    P2_SEAL,     // fetching the seal
    P2_SEALED,   // seal verified; waits for p2_client_accept
    P2_LIST,     // fetching the chunk list
    P2_PAYLOAD,  // fetching and hashing chunks
    P2_VERIFIED, // everything matches the seal; waits for p2_client_finish
    P2_FAILED,   // p2_client_error says why; waits for p2_client_finish
    P2_FINISHING, // telling the server
    P2_DONE,
};

struct p2_progress {
    enum p2_phase phase;
    uint64_t bytes_verified, bytes_received, bytes_total; // of the payload
    uint64_t bytes_local; // verified without being fetched (p2_client_local)
    uint32_t blocks_received, duplicates, lost, timeouts; // of all spaces; lost = asked for again
    uint32_t bad_chunks, reads_sent, ignored;             // ignored = datagrams that were not acceptable
    uint32_t failovers, servers_known, servers_dropped;
    uint32_t window;   // blocks of credit now
    uint32_t block_size;
    uint32_t srtt_us;  // 0 = not measured
    bool has_server;
    struct net_addr server;  // the current one
    char server_name[32];
};

// --- internal to the machine; here so that callers can own it ---

// OPEN_LARGE: a HELLO that asks for larger blocks goes before the plain one, which is all that servers of 0.1 understand.
enum p2_hello_open { P2_HELLO_SHUT, P2_HELLO_OPEN, P2_HELLO_OPEN_LARGE };
enum p2_server_state { P2S_FREE, P2S_HEARD, P2S_BOUND, P2S_DROPPED };

struct p2_client_server {
    struct net_addr addr;
    uint8_t state; // enum p2_server_state
    bool fixed;    // named by the caller: asked for as long as the machine looks for servers
    bool full_seen; // a full-size DATA came through from it
    uint8_t hello_open; // enum p2_hello_open: an OFFER is awaited
    uint8_t nonce[P2_NONCE_SIZE]; // secret between it and us, unlike discovery's
    struct p2_offer offer;        // valid when BOUND
    uint64_t cookie_time;         // when the cookie came
    uint64_t hello_next, hello_sent;
    uint32_t hello_tries, strikes, seal_tries;
    uint64_t tried;    // when it last became the current one: failover takes the longest ago
    uint64_t refused; // when it last said ERROR
    uint64_t busy_at; // when it last said that it is busy, 0: never
    uint32_t refusals; // times that it said that it has no such image
    uint32_t fruitless; // turns in a row that brought no block
    uint32_t rate;      // new blocks in the last P2_RATE_TIME of its turn
    int error; // why it was dropped
};

struct p2_flight {
    uint8_t slot, state; // state: 0 = settled, 1 = outstanding
    uint16_t block, stamp;
};

// What is asked for of the piece in a slot of the intake.
struct p2_ask {
    uint32_t blocks;   // of the block size at its beginning
    uint32_t next_new; // blocks below were asked for at least once
    uint32_t again;    // blocks below next_new that are neither here nor outstanding
    uint8_t source;    // server that sent all of it, or one of the two of client_parts.h
    uint8_t only;      // server index + 1 that alone may fill it after a mismatch, 0 = any
};

// Each of these is written by one file of the machine, its namesake, and read by all.

struct p2_client_setup { // what the caller wants; written by p2_client_init
    char image[P2_NAME_MAX];
    struct p2_facts facts;
    uint16_t block_max;
    uint64_t discover_us, stall_us, started;
};

struct p2_client_random {
    uint8_t seed[P2_CLIENT_SEED_MAX];
    size_t len;
    uint32_t counter;
};

struct p2_client_hello {
    uint8_t nonce[P2_NONCE_SIZE]; // discovery's
    struct net_addr targets[P2_CLIENT_TARGETS];
    uint32_t target_count;
    uint64_t next, pause, sent;
    uint32_t target; // next target of the round that is being sent
    bool on;         // everyone is asked
};

struct p2_client_servers {
    struct p2_client_server at[P2_CLIENT_SERVERS];
    uint32_t fixed_count;
    uint32_t current;            // index + 1, 0 = none
    int first_error;             // why the first server was dropped
    uint32_t first_error_server; // index + 1
    uint64_t dropped_at;
    uint32_t drops;
    uint32_t refusals; // times that servers said, to us alone, that they have no such image
    char choices[P2_CHOICES_MAX][P2_ERROR_TEXT]; // what they have, where the caller named none and none is the default
    uint64_t busy_at;  // when one of them last said that it is busy, 0: never
    uint64_t hint_at, reset_at;
    bool reset_seen;
};

struct p2_client_turns { // how the current server does
    uint64_t since;
    uint64_t progress_at; // the last new block (or nothing was wanted)
    uint64_t data_at;     // the last DATA from the current server
    struct progress watch; // its rate: a server that sends a little for ever holds no boot
    uint64_t slow_at;     // start of the current P2_SLOW_TIME
    uint32_t slow_blocks; // new blocks in it
    uint64_t rate_at;     // the same of P2_RATE_TIME
    uint32_t rate_blocks;
    bool clock_stopped;   // waiting for the caller, not for a server
};

struct p2_client_space {
    uint32_t next;     // pieces below were asked for, or are here
    bool block_proven; // a full block of this size came through
    struct p2_ask ask[P2_CLIENT_SLOTS];
    uint32_t asked[P2_CLIENT_SLOT_BITS / 32]; // blocks that are under way, as have[]
};

struct p2_client_flow {
    struct p2_flight flight[P2_CLIENT_FLIGHT];
    uint32_t head, tail; // running numbers; index = number % P2_CLIENT_FLIGHT
    uint32_t top;        // highest number that arrived, + 1
    uint32_t hint;       // where the next arrival is looked for first
    uint32_t outstanding, reorder;
    uint32_t round_end, round_lost, round_arrived; // a round = one window's worth of requests
    bool timeout_open, cancel;
    uint16_t stamp;
    struct {
        uint16_t stamp;
        bool open; // no DATA for it yet
        uint64_t sent;
    } stamps[P2_CLIENT_STAMPS];
    uint32_t srtt, rttvar, rtt_min, rto_floor, backoff, timeouts_row;
    uint64_t rto_at; // 0 = not running
};

struct p2_client_window {
    uint16_t max;
    uint32_t size, floor, threshold;
    uint32_t noise; // of 256 blocks are lost on this way, whatever the window
    uint32_t trial, trial_window, trial_loss; // rounds until a smaller window is judged; window and loss before it
    uint32_t ceiling, ceiling_rounds; // so many rounds the window does not grow beyond
    uint32_t before; // to go back to when a timeout proves to be none
};

struct p2_client_finish {
    struct p2_finished message;
    uint32_t tries, server; // server: index + 1
    uint64_t next;
};

struct p2_client {
    enum p2_phase phase;
    int error;
    uint64_t now;
    uint8_t image_id[P2_IMAGE_ID_SIZE]; // bound when the seal is verified
    bool bound;
    struct intake intake; // what is here; its slots, and their blocks that are here:
    struct intake_slot slots[P2_CLIENT_SLOTS];
    uint32_t have[P2_CLIENT_SLOT_BITS / 32];
    struct p2_client_setup setup;
    struct p2_client_random random;
    struct p2_client_hello hello;
    struct p2_client_servers servers;
    struct p2_client_turns turn;
    struct p2_client_space space;
    struct p2_client_flow flow;
    struct p2_client_window window;
    struct p2_client_finish finish;
    struct p2_progress progress;
};
_Static_assert(sizeof(struct p2_client) <= 64 * 1024, "struct p2_client stays modest");

// --- the interface ---

// ERR_INVALID: no trust store, no address at all, too many, seed or seal buffer too short, name too long.
int p2_client_init(struct p2_client *c, const struct p2_client_config *config, uint64_t now);

// One datagram. 0 when it was of use or a known duplicate; ERR_P2_MALFORMED or ERR_NOT_FOUND (not for us,
// not from a server that was asked, nothing that was asked for) otherwise. Never fatal.
int p2_client_input(struct p2_client *c, const uint8_t *data, size_t len, const struct net_addr *from, uint64_t now);

// The next datagram to send: its length and where to, 0 when there is none now. cap >= P2_CLIENT_MESSAGE_MAX
// (ERR_TOO_LARGE). Runs the timers, so the phase may change here too.
int p2_client_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now);

// When output has to be called even without input: a time (possibly past: at once), or UINT64_MAX.
uint64_t p2_client_deadline(const struct p2_client *c);

// Hashes up to about max_bytes that have arrived; chunks that are whole are judged. Returns the bytes hashed
// (the caller's digest time is the time spent here), 0 when there is nothing to hash.
size_t p2_client_work(struct p2_client *c, size_t max_bytes);

// Digests elsewhere, for a caller with other processors: intake_job and its like of c->intake, in P2_PAYLOAD. p2_client_work is called
// as ever, behind them, so that the others get first what they can take. Jobs that are out when the phase leaves P2_PAYLOAD still read
// the memory.

// Is no block under way, so that nothing is missed while a caller does something long?
bool p2_client_quiet(const struct p2_client *c);

enum p2_phase p2_client_phase(const struct p2_client *c);
int p2_client_error(const struct p2_client *c);

// Valid from SEALED on: what the verified seal says, and the bytes it was read from.
const struct seal *p2_client_seal(const struct p2_client *c);

// Goes on from SEALED. `map` must cover exactly seal->payload_size bytes; it is copied. list_buf holds
// chunk_count * 32 bytes; chunk_bits (chunk_count + 7) / 8 bytes, bit i is set when chunk i is verified. All of
// it is the caller's and must stay until DONE. ERR_INVALID in another phase or for a wrong map.
int p2_client_accept(struct p2_client *c, const struct scatter *map, uint8_t *list_buf, uint8_t *chunk_bits);

// The same without memory for the payload. Valid from SEALED on: the bytes that `room` needs, at most P2_CLIENT_ROOM_MAX.
#define P2_CLIENT_ROOM_MAX (32u << 20)
size_t p2_client_room(const struct p2_client *c);
int p2_client_accept_passing(struct p2_client *c, const struct intake_passing *passing, uint8_t *list_buf, uint8_t *chunk_bits);

// Chunks that the caller has from elsewhere: in PAYLOAD, before the first p2_client_output of that phase, it writes a
// chunk's bytes through its map and calls this. They are hashed there. 1 when they are the chunk, which then counts as
// verified and is never asked for; 0 when not, and it is fetched as ever; ERR_INVALID in another phase, for a chunk that
// does not exist or was asked for already. Which chunks to try the digests in list_buf tell, which are verified by then.
int p2_client_local(struct p2_client *c, uint32_t chunk);

// What the server is told at the end. Allowed in every phase (a user may cancel); once.
struct p2_report {
    uint8_t outcome;  // enum p2_outcome
    int error;        // ERR_*, 0 = none; names the code
    const char *text; // one sentence; NULL = err_text(error)
    uint32_t transport_ms, digest_ms;
};
void p2_client_finish(struct p2_client *c, const struct p2_report *report, uint64_t now);

// After ERR_P2_NO_IMAGE for an image without a name: a piece of the servers' list of names, for people, i from 0 on.
// NULL: there is no more, or none is known.
const char *p2_client_choice(const struct p2_client *c, uint32_t i);

// A copy of the counters.
void p2_client_progress(const struct p2_client *c, struct p2_progress *ret);

// Name of a phase for people ("discover", "seal", ...).
const char *p2_phase_name(enum p2_phase phase);
