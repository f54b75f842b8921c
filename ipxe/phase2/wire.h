// SPDX-License-Identifier: MPL-2.0
// The messages of the native protocol, version 1 (doc/phase2-protocol.md is normative): their layout, and
// reading and writing them. One UDP datagram is one message; all integers are little-endian.
//
//   client -> server   HELLO, READ, FINISHED
//   server -> client   OFFER, DATA, FINISHED_ACK, ERROR, RESET
//
// Every message in either direction carries the client's nonce: what does not is not for this client.
// Text fields are fixed-size, NUL-padded, printable ASCII, and always end in a NUL once read.
#pragma once
#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

#define P2_PORT 20530 // 0x5032, "P2"
#define P2_MAGIC "SgP2"
#define P2_VERSION 1
#define P2_GROUP_V4 { 239, 255, 80, 50 } // RFC 2365 local scope
#define P2_GROUP_V6 { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x32 } // ff02::5032, hop limit 1

// Only programs for an operating system serve: the firmware is built without reading what clients say and writing what servers do.
#define P2_SERVES __STDC_HOSTED__

#define P2_NONCE_SIZE 8
#define P2_COOKIE_SIZE 16
#define P2_TAG_SIZE 8 // the first bytes of the image id
#define P2_IMAGE_ID_SIZE 32
#define P2_NAME_MAX 64 // requested image name, with NUL

#define P2_BLOCK_MAX 1408 // + DATA's head + UDP + IPv6 = 1496 <= 1500
#define P2_BLOCK_MID 1200 // 1288 with heads over IPv6: tunnels and VPNs
#define P2_BLOCK_SMALL 512 // 600 with heads over IPv6: the least that servers before 0.2 send
#define P2_BLOCK_MIN 448   // 516 with heads over IPv4: fits the 576 bytes that every host takes, options and a tunnel beside
#define P2_BLOCK_LARGE 8192 // the most that a client may ask for in HELLO: 8280 with heads over IPv6, for jumbo frames of 9000
#define P2_RANGES_MAX 64   // in one READ
#define P2_RANGES_SMALL 32 // in a READ for blocks below P2_BLOCK_SMALL: it has to fit as well
#define P2_READ_BLOCKS_MAX 1024 // in one READ, counted as p2_block_frames says
#define P2_LIST_PIECE (1u << 20) // blocks of the list are counted from multiples of this

enum p2_type {
    P2_HELLO = 1,
    P2_OFFER = 2,
    P2_READ = 3,
    P2_DATA = 4,
    P2_FINISHED = 5,
    P2_FINISHED_ACK = 6,
    P2_ERROR = 7,
    P2_RESET = 8,
};

// What an offset counts from. A block never crosses a piece: seal = 1 piece, list = pieces of
// P2_LIST_PIECE, payload = chunks. The last block of a piece is short.
enum p2_space { P2_SPACE_SEAL = 0, P2_SPACE_LIST = 1, P2_SPACE_PAYLOAD = 2, P2_SPACES = 3 };

#define P2_HEAD_SIZE 16 // magic 4, version 1, type 1, zero 2, nonce 8

// HELLO is padded with zeros so that no answer to it is longer.
#define P2_HELLO_SIZE 256
#define P2_OFFER_SIZE 160
#define P2_READ_FIXED 64
#define P2_RANGE_SIZE 12
#define P2_READ_MAX (P2_READ_FIXED + P2_RANGES_MAX * P2_RANGE_SIZE)
#define P2_DATA_FIXED 40
#define P2_DATA_OFFSET 24 // where in it the offset lies
#define P2_FINISHED_SIZE 168
#define P2_FINISHED_ACK_SIZE 24
#define P2_ERROR_SIZE 56 // <= P2_READ_FIXED: an ERROR is never longer than what it answers
#define P2_ERROR_TEXT 24
#define P2_RESET_SIZE 24
#define P2_CLIENT_MESSAGE_MAX P2_READ_MAX               // no client message is longer
#define P2_MESSAGE_MAX (P2_DATA_FIXED + P2_BLOCK_MAX) // no message is longer to who asked for no larger blocks,
#define P2_MESSAGE_LARGE (P2_DATA_FIXED + P2_BLOCK_LARGE) // and none to anyone

_Static_assert(P2_NONCE_SIZE == 8 && P2_TAG_SIZE == 8, "both are compared by equal8");
_Static_assert(P2_OFFER_SIZE <= P2_HELLO_SIZE, "an OFFER must not amplify a HELLO");
_Static_assert(P2_ERROR_SIZE <= P2_READ_FIXED && P2_RESET_SIZE <= P2_READ_FIXED, "errors must not amplify");
_Static_assert(P2_MESSAGE_MAX + 8 + 40 <= 1500, "a full DATA fits an Ethernet frame over IPv6");
_Static_assert(P2_MESSAGE_LARGE + 8 + 40 <= 9000, "a large one fits a jumbo frame");
_Static_assert(P2_DATA_FIXED + P2_BLOCK_MIN + 8 + 60 <= 576 &&
                   P2_READ_FIXED + P2_RANGES_SMALL * P2_RANGE_SIZE + 8 + 60 <= 576,
               "the smallest ones fit 576 bytes with the longest head of IPv4 (RFC 791, 3.2)");

// Bounds on blocks are meant in blocks of up to P2_BLOCK_MAX: a larger one counts as so many of them.
static inline uint32_t p2_block_frames(uint32_t block)
{
    return (block + P2_BLOCK_MAX - 1) / P2_BLOCK_MAX;
}

// Facts about the client, for logs only: nothing is decided by them.
struct p2_facts {
    uint8_t mac[6];
    uint8_t uuid[16];  // SMBIOS system UUID, zeros = not known
    char arch[16];     // "i386-pcbios"
    char version[32];  // firmware version
};

struct p2_hello {
    uint8_t tag[P2_TAG_SIZE]; // the image wanted, if still held; zeros = go by name
    char name[P2_NAME_MAX];   // "" = the server's default
    struct p2_facts facts;
    uint16_t window_max; // blocks of credit that the client may grow to (for logs)
    uint16_t block_max;  // above P2_BLOCK_MAX: blocks so large are welcome. Servers of 0.1 drop a HELLO that says so
};

// Multicast, provided for: a client that takes part in a group accepts DATA that carries the group's nonce
// from the group's address. Version 1 servers send group_nonce = zeros: no group.
struct p2_offer {
    uint8_t cookie[P2_COOKIE_SIZE];
    uint8_t image_id[P2_IMAGE_ID_SIZE];
    uint32_t seal_size, list_size;
    uint64_t payload_size;
    uint16_t block_max;  // largest block the server sends; above P2_BLOCK_MAX only to who asked for it
    uint16_t window_max; // blocks that it takes in one READ, counted as p2_block_frames says
    uint8_t instance[8]; // changes when the server restarts
    uint8_t group_nonce[P2_NONCE_SIZE];
    uint8_t group_ip[16];
    uint16_t group_port;
    char server[32]; // what the server calls itself, for people
};

struct p2_range {
    uint64_t offset;
    uint32_t length; // bytes, > 0
};

// "Send exactly these bytes, in blocks of block_size": the ranges are the receiver's credit.
#define P2_READ_CANCEL 1 // flag: forget what earlier READs asked for and was not sent yet
struct p2_read {
    uint8_t cookie[P2_COOKIE_SIZE];
    uint8_t tag[P2_TAG_SIZE];
    uint64_t verified; // bytes of payload verified so far: the server shows it
    uint32_t lost;     // blocks asked for again so far, for logs
    uint16_t stamp;    // comes back in each DATA that answers this READ; not 0, which is multicast's
    uint16_t block_size;
    uint16_t flags;
    uint8_t space;
    uint8_t range_count; // 1..P2_RANGES_MAX
    struct p2_range ranges[P2_RANGES_MAX];
};

// Names image, space and offset, never a session.
struct p2_data {
    uint8_t tag[P2_TAG_SIZE];
    uint64_t offset;
    uint8_t space;
    uint16_t stamp;  // of the READ; 0 in multicast
    uint32_t serial; // counts a group's messages; 0 in unicast
    const uint8_t *bytes; // into the datagram
    uint32_t length;      // 1..P2_BLOCK_LARGE
};

enum p2_outcome {
    P2_OUTCOME_BOOTING = 1,  // verified; the image is being started
    P2_OUTCOME_VERIFIED = 2, // verified; not started (a data image, or a test)
    P2_OUTCOME_FAILED = 3,   // code says why
    P2_OUTCOME_REFUSED = 4,  // sealed by a trusted key but not for this machine (does not fit, wrong target)
};

struct p2_finished {
    uint8_t cookie[P2_COOKIE_SIZE];
    uint8_t tag[P2_TAG_SIZE];
    uint64_t bytes; // payload bytes verified
    uint32_t transport_ms, digest_ms;
    uint32_t lost, duplicates;
    uint8_t outcome;
    char code[8];  // "S09"; "" on success
    char text[88]; // one sentence
};

enum p2_error_code {
    P2_ERROR_NO_IMAGE = 1, // no image of that name; with a tag where HELLO had none: text names images to choose from
    P2_ERROR_NO_TAG = 2,   // this image is not held (any more)
    P2_ERROR_BAD_READ = 3, // range outside the image, block size outside limits
    P2_ERROR_BUSY = 4,     // queues are full: ask later or elsewhere
};
struct p2_error {
    uint8_t tag[P2_TAG_SIZE];
    uint16_t code;
    char text[P2_ERROR_TEXT];
};

enum p2_reset_reason { P2_RESET_COOKIE = 1 }; // cookie not valid (any more): say HELLO again

struct p2_message {
    uint8_t type;
    uint8_t nonce[P2_NONCE_SIZE];
    union {
        struct p2_hello hello;
        struct p2_offer offer;
        struct p2_read read;
        struct p2_data data;
        struct p2_finished finished;
        struct p2_error error;
        uint16_t reset_reason;
    };
};

// Reads one datagram. 0, or ERR_P2_MALFORMED: wrong magic, version, type, length, a reserved byte that is
// not zero, text that is not text, a range that is empty or wraps. DATA's bytes point into the datagram. Of *ret only
// the message's own fields are set, on failure any of them.
int p2_wire_read(const uint8_t *data, size_t len, struct p2_message *ret);

// Writes a message (DATA with its bytes). Returns its length, or ERR_INVALID for a field out of bounds,
// ERR_TOO_LARGE when cap is too small.
int p2_wire_write(const struct p2_message *message, uint8_t *buf, size_t cap);

// Writes DATA's head alone (P2_DATA_FIXED bytes), for senders that put the bytes behind it by reference.
void p2_wire_data_head(uint8_t head[P2_DATA_FIXED], const uint8_t nonce[P2_NONCE_SIZE], const struct p2_data *data);

// Copies text into a fixed field: cut to fit, what is not printable ASCII becomes '?', NUL-padded.
void p2_wire_text(char *field, size_t size, const char *text);

// The name of a message type, for logs ("HELLO"; "?" when not known).
const char *p2_type_name(uint8_t type);
