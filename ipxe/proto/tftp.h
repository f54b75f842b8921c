// SPDX-License-Identifier: MPL-2.0
// A TFTP reader (RFC 1350) with option negotiation (RFC 2347), block size (2348), transfer size (2349) and
// windows (7440), as a machine without I/O. The caller owns the socket and the time.
#pragma once
#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/progress.h"

#define TFTP_PORT 69
#define TFTP_FILENAME_MAX 512       // with NUL
#define TFTP_HEADERS 52             // IPv6 40, UDP 8, TFTP 4
#define TFTP_BLOCK_SIZE 1432        // the largest that is asked for: leaves 16 bytes of 1500 to tunnels
#define TFTP_BLOCK_SIZE_DEFAULT 512 // of a server that knows no options
#define TFTP_WINDOW 16              // blocks between two ACKs, when the server agrees
#define TFTP_REQUEST_MAX (TFTP_FILENAME_MAX + 96)
#define TFTP_ACK_SIZE 4
#define TFTP_ERROR_MAX 64           // bytes of an ERROR of ours
#define TFTP_TIMEOUT_FIRST_US 500000u // doubles with every repetition
#define TFTP_TIMEOUT_MAX_US 8000000u
#define TFTP_SILENCE_US 1000000u    // the asked address said nothing for so long: the answer may come from another one
#define TFTP_QUIET_US 20000u        // nothing behind a window's end for so long: the server waits for its ACK

// Takes the next bytes of the file, in order. A negative error ends the transfer with it.
typedef int tftp_sink(void *ctx, const uint8_t *data, size_t len);

enum tftp_state { TFTP_REQUESTING, TFTP_RECEIVING, TFTP_COMPLETE, TFTP_FAILED };

struct tftp_client {
    char filename[TFTP_FILENAME_MAX];
    tftp_sink *sink;
    void *ctx;
    enum tftp_state state;
    int error;
    struct net_addr server;  // where the request goes
    struct net_addr peer;    // where the first answer came from: address and transfer port. Port 0 before
    uint16_t block_size_asked, window_asked, block_size, window;
    uint32_t block;          // the last one that came in order
    uint32_t acked;          // the last one that an ACK was sent for
    uint32_t old_end;        // the end of the window that was sent before an ACK inside it, 0: none
    bool keeps_window;       // this server sends an old window to its end, and waits for the ACK of that
    bool quiet;              // the old window's end is here, and it is not known yet whether more follows
    bool skips_zero;         // block numbers start over at 1, not at 0
    uint8_t ones;            // bursts that began with 1 where 0 was due
    uint64_t size;           // from tsize, 0 = not said
    bool send_due;           // an output is waiting
    bool gap_acked;          // the gap behind `block` was answered once already
    bool plain;              // ask without options: the server refused them
    bool tell;               // the server is to be sent an ERROR
    uint64_t timeout_us, deadline;
    uint64_t others_from;    // from then on other addresses than the server's may answer
    struct progress progress;
    char message[80];        // what the server said with an ERROR, NUL-terminated, printable
};

// `server` with the port of the request. `mtu`: of the way there, for a block size whose packets fit; 0: 1500. ERR_TOO_LARGE
// for a long name. The first output is due at once.
int tftp_init(struct tftp_client *c, const char *filename, const struct net_addr *server, uint16_t mtu, tftp_sink *sink,
              void *ctx, uint64_t now);

// Asks for no more than so many blocks at a time: of a card that holds no more. Before the first output.
void tftp_limit_window(struct tftp_client *c, uint16_t blocks);

// The datagram that is due, if any, and where it goes: its length, or 0. To be asked until there is none, also behind the
// end: the last ACK, or the ERROR that ends the transfer for the server, is still to be sent.
size_t tftp_output(struct tftp_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now);

// A datagram that came to the socket. The first answer chooses the peer. It may have another address than the one that was asked
// (a server of several addresses), but only once that one was silent for TFTP_SILENCE_US behind the request, and not with an
// ERROR; what others send, and stray packets, are dropped in silence.
void tftp_input(struct tftp_client *c, const struct net_addr *from, const uint8_t *data, size_t len, uint64_t now);

// `to` refuses what was sent there: nothing serves TFTP. Ends the transfer before the first answer; behind it that is no more than
// a loss, as anyone may have sent it.
void tftp_refused(struct tftp_client *c, const struct net_addr *to);

// The caller gives up with this error.
void tftp_abort(struct tftp_client *c, int err);

uint64_t tftp_deadline(const struct tftp_client *c);

// PENDING, 0 when the file is whole, ERR_TFTP_ERROR (message says why; none: its options are not what was asked
// for), ERR_NOT_FOUND, ERR_CONN_REFUSED, ERR_TIMED_OUT, ERR_TOO_SLOW, the sink's error or the caller's.
int tftp_result(const struct tftp_client *c);
