// SPDX-License-Identifier: MPL-2.0
// The serving side of the native protocol as a machine without I/O: datagrams in, datagrams out, time and
// secret as parameters (doc/phase2-protocol.md). `signet bootserver` and the simulator run the same one.
//
// Bounds: all memory is the caller's and fixed at init. A HELLO costs no memory that a validated client
// needs; until an address has echoed a cookie nothing is sent to it that is longer than what it sent.
// Every output is caused by one input, and what a READ may cause is bounded by P2_READ_BLOCKS_MAX.
//
// Shares: a nonce costs its sender nothing, so nothing is shared out by nonces. Turns, ranges, blocks, entries and short
// answers are shared out by source: an IPv4 address, an IPv6 /64, within it an address (a link-local address by itself).
#pragma once
#include "phase2/wire.h"

#define P2_SERVER_SECRET_SIZE 32
#define P2_SERVER_COOKIE_EPOCH_BITS 26 // 2^26 us = 67 s; this epoch's and the last one's cookies are good
#define P2_SERVER_REPLIES 128          // short answers waiting to be sent; more are dropped
#define P2_SERVER_EVENTS 64            // events waiting to be polled; progress is dropped first
#define P2_SERVER_EVENT_ROOM 3         // events that one input may cause
#define P2_SERVER_STRANGERS 8          // sources whose vain questions are told of within a second
#define P2_SERVER_PEER_JOBS 128        // ranges waiting for one client
// Blocks are counted as p2_block_frames says: who asks for large ones has no larger share.
#define P2_SERVER_QUANTUM 44           // DATA in a row for one source: what a sender hands to the kernel as one message
#define P2_SERVER_PEER_BLOCKS 2048     // blocks waiting for one client
_Static_assert(P2_BLOCK_LARGE / P2_BLOCK_MAX < P2_SERVER_QUANTUM, "a turn is enough for the largest block");
#define P2_SERVER_JOB_BLOCKS 32        // so many blocks may wait for each entry of the table of ranges

// An image as the machine sees it. The pointer need only stay valid until the next call into the machine.
struct p2_image {
    uint8_t id[P2_IMAGE_ID_SIZE];
    uint32_t seal_size, list_size;
    uint64_t payload_size;
    uint32_t chunk_size; // power of two
    void *handle;        // the caller's: comes back in p2_send
    const char *name;
};

struct p2_images {
    void *ctx;
    // The image to offer under a requested name ("" = the default one). NULL: there is none.
    const struct p2_image *(*by_name)(void *ctx, const char *name);
    // The image whose id starts with the tag, among current images and replaced ones that are still kept
    // for boots under way. Called for every READ and every DATA: it should be quick.
    const struct p2_image *(*by_tag)(void *ctx, const uint8_t tag[P2_TAG_SIZE]);
    // The bytes, at an address that stays valid until they were sent (a mapping), or NULL. Only
    // p2_server_output_flat calls it; senders by reference resolve p2_send themselves. May be NULL then.
    const uint8_t *(*bytes)(void *ctx, const struct p2_image *image, uint8_t space, uint64_t offset, uint32_t length);
    // For a client that named no image where none is the default: what there is to name, in text; a list that is too long
    // comes in pieces, each a whole turn. The first image of the piece; NULL: nothing to choose from. May be NULL.
    const struct p2_image *(*choice)(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT]);
};

enum p2_stage { // how far a client is, as the server can tell
    P2_STAGE_HELLO,    // said HELLO; its address is not validated
    P2_STAGE_SEAL,     // reads the seal
    P2_STAGE_LIST,
    P2_STAGE_PAYLOAD,
    P2_STAGE_FINISHED, // outcome is set
};

// A place in the order of turns, and the account of what waits below it. Clients hang under the address that they
// came from, addresses of IPv6 under their /64, and those under the root: turns are shared out from the root down, so a
// source gets no more of them for having more clients. Links are numbers of nodes, 0 = none (the root).
struct p2_node {
    uint32_t parent;
    uint32_t first, last;    // children with work, in the order of their turns
    uint32_t next, previous; // in the parent's order
    bool queued;
    uint32_t jobs, blocks;
};

// An address or a network that clients came from.
struct p2_source {
    struct p2_node node;
    uint8_t ip[16];
    uint8_t zone, bits;           // of link-local addresses; how many bits of ip count
    uint32_t users;               // nodes whose parent this is, 0 = free
    uint32_t bucket, chain;       // first source of this entry's hash value; the next one of the same
};

// One client. Caller provides an array of them; zeros = free. Read-only for the caller.
struct p2_peer {
    struct net_addr addr;
    uint8_t nonce[P2_NONCE_SIZE];
    uint8_t tag[P2_TAG_SIZE];   // image it reads
    struct p2_facts facts;      // zeros when its HELLO was not seen (server restarted)
    uint8_t stage, outcome;
    bool used, validated;
    uint64_t first_seen, last_seen;
    uint64_t verified, payload_size; // progress
    uint64_t sent_bytes;             // DATA bytes sent to it
    uint64_t sent_seal, sent_payload; // of these, the seal's and the payload's
    uint32_t sent_blocks, reads, lost;
    uint64_t progress_shown; // when the last PROGRESS event was queued
    uint32_t serial;         // counts clients: tells a reused entry apart
    // pending work
    uint32_t job_first, job_last; // job indexes are 1-based, 0 = none
    struct p2_node node;
    struct p2_source sources[2]; // room for accounts: there are never more sources than two for each client
};

// A range waiting to be sent. Caller provides an array of them; the machine keeps the free list.
struct p2_job {
    uint64_t offset;
    uint32_t length, next;
    uint32_t blocks; // in which it is sent, counted as p2_block_frames says, as all accounts here
    uint16_t stamp, block_size;
    uint8_t space;
    uint8_t tag[P2_TAG_SIZE];
};

enum p2_event_type {
    P2_EVENT_CLIENT = 1, // a client with a valid cookie reads for the first time
    P2_EVENT_SEAL,       // it has the seal: it asks for the list
    P2_EVENT_PROGRESS,   // at most one a second and client
    P2_EVENT_FINISHED,   // outcome, code and text in `finished`
    P2_EVENT_NO_IMAGE,   // someone asked for a name (in `name`) that is not here; at most one a second and source
};
struct p2_event {
    uint8_t type;
    uint32_t index;      // into the peers
    struct p2_peer peer; // as it was (NO_IMAGE: address and facts only)
    struct p2_finished finished;
    char name[P2_NAME_MAX];
};

struct p2_server_stats {
    uint64_t in_messages, malformed, hellos, reads, cookies_bad, data_messages, data_bytes;
    uint64_t replies_dropped, jobs_dropped, events_dropped, peers_evicted, busy;
};

struct p2_server_config {
    struct p2_images images;
    uint8_t secret[P2_SERVER_SECRET_SIZE]; // random, fresh for each run
    uint8_t instance[8];                   // random, fresh for each run
    const char *name;                      // shown to people at the client ("" or NULL: none)
    uint16_t block_max;                    // 0 = P2_BLOCK_MAX; never larger
    // The largest block that one datagram carries to a client (the link's and the route's MTU say so), at most P2_BLOCK_LARGE.
    // Called for a HELLO that asks for more than block_max. NULL: nobody gets more.
    uint16_t (*path_block)(void *ctx, const struct net_addr *client);
    void *path_ctx;
    struct p2_peer *peers;                 // caller's arrays; zeroed by p2_server_init
    uint32_t peer_count;
    struct p2_job *jobs;
    uint32_t job_count;
};

struct p2_server_reply {
    struct net_addr to;
    uint16_t length;
    uint8_t bytes[P2_OFFER_SIZE];
};

struct p2_server {
    struct p2_server_config config;
    struct p2_server_stats stats;
    char name[32];
    uint32_t job_free;    // free list of jobs
    uint32_t source_free; // free list of sources
    struct p2_node root;  // its account: all that waits
    uint32_t quantum;     // DATA left for the source whose turn it is
    uint32_t serials;
    struct p2_stranger {
        struct net_addr addr;
        uint64_t until;
    } strangers[P2_SERVER_STRANGERS];
    struct p2_server_reply replies[P2_SERVER_REPLIES];
    uint32_t reply_head, reply_count;
    struct p2_event events[P2_SERVER_EVENTS];
    uint32_t event_head, event_count;
    uint32_t choice_turn; // which piece of the images to choose from is told next
};

// Sets the machine up. ERR_INVALID when a table is missing or empty.
int p2_server_init(struct p2_server *s, const struct p2_server_config *config);

// The source that an address counts for: everything below a /64 is the same, except in fe80::/10, which a whole link shares.
struct net_addr p2_server_source(const struct net_addr *addr);

// One datagram that came in. Answers and DATA that it causes come out of p2_server_output, at most P2_SERVER_EVENT_ROOM
// events out of p2_server_event: who polls them after each input misses none. 0, or
// ERR_P2_MALFORMED (also for messages that only servers send); never fatal.
int p2_server_input(struct p2_server *s, const uint8_t *data, size_t len, const struct net_addr *from, uint64_t now);

// Datagrams to send. A short answer is `head` (head_len bytes) and length 0. Else `length` bytes of the image from
// space + offset on, in datagrams of `block_size` bytes, the last of which may be shorter, each behind a head of its own:
// `head` is that of the first, p2_send_head makes the others.
struct p2_send {
    struct net_addr to;
    uint8_t head[P2_OFFER_SIZE];
    uint32_t head_len;
    const struct p2_image *image; // as by_tag gave it just now
    uint8_t space;
    uint64_t offset;
    uint32_t length;
    uint16_t block_size;
};
// The head of the datagram whose bytes begin at `offset`.
void p2_send_head(const struct p2_send *send, uint64_t offset, uint8_t head[P2_DATA_FIXED]);

// True with *ret filled when there is something to send, of DATA at most `blocks` datagrams; false when there is nothing.
// Call until it says false (or until the socket is full: what was not asked for stays queued).
bool p2_server_output(struct p2_server *s, struct p2_send *ret, uint32_t blocks, uint64_t now);

// The same as one flat datagram. Its length, 0 when nothing is to be sent, ERR_TOO_LARGE when cap is below
// P2_MESSAGE_MAX, with path_block below P2_MESSAGE_LARGE.
int p2_server_output_flat(struct p2_server *s, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now);

// When to call p2_server_output again without input: 0 = now, UINT64_MAX = no need.
uint64_t p2_server_deadline(const struct p2_server *s);

// The next event. False when there is none.
bool p2_server_event(struct p2_server *s, struct p2_event *ret);

// True when a client that is neither finished nor silent for `idle` microseconds still reads the image: a
// replaced file must be kept as long.
bool p2_server_in_use(const struct p2_server *s, const uint8_t tag[P2_TAG_SIZE], uint64_t now, uint64_t idle);
