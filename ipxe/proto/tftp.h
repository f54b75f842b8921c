// SPDX-License-Identifier: MPL-2.0
// A TFTP reader (RFC 1350) with option negotiation (RFC 2347), block size (2348), transfer size (2349) and
// windows (7440), as a machine without I/O. The caller owns the socket and the time.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define TFTP_PORT 69
#define TFTP_FILENAME_MAX 512       // with NUL
#define TFTP_BLOCK_SIZE 1432        // 1500 - IPv6 40 - UDP 8 - TFTP 4, and a multiple of 8
#define TFTP_BLOCK_SIZE_DEFAULT 512 // of a server that knows no options
#define TFTP_WINDOW 16              // blocks between two ACKs, when the server agrees
#define TFTP_REQUEST_MAX (TFTP_FILENAME_MAX + 96)
#define TFTP_ACK_SIZE 4
#define TFTP_TIMEOUT_FIRST_US 500000u // doubles with every repetition
#define TFTP_TIMEOUT_MAX_US 8000000u
#define TFTP_TRIES 8

// Takes the next bytes of the file, in order. A negative error ends the transfer with it.
typedef int tftp_sink(void *ctx, const uint8_t *data, size_t len);

enum tftp_state { TFTP_REQUESTING, TFTP_RECEIVING, TFTP_COMPLETE, TFTP_FAILED };

struct tftp_client {
    char filename[TFTP_FILENAME_MAX];
    tftp_sink *sink;
    void *ctx;
    enum tftp_state state;
    int error;
    uint16_t server_port;  // the server's transfer port once it answered, 0 before
    uint16_t block_size, window;
    uint64_t block;        // the last one that came in order; its low 16 bits are on the wire
    uint64_t acked;        // the last one that an ACK was sent for
    uint64_t size;         // from tsize, 0 = not said
    bool send_due;         // an output is waiting
    bool gap_acked;        // the gap behind `block` was answered once already
    bool plain;            // ask without options: the server refused them
    unsigned tries;
    uint64_t timeout_us, deadline;
    char message[80];      // what the server said with an ERROR, NUL-terminated, printable
};

// ERR_TOO_LARGE for a long name. The first output is due at once.
int tftp_init(struct tftp_client *c, const char *filename, tftp_sink *sink, void *ctx, uint64_t now);

// The datagram that is due, if any, and the port to send it to: its length, or 0.
size_t tftp_output(struct tftp_client *c, uint8_t *buf, size_t cap, uint16_t *ret_port, uint64_t now);

// A datagram from the server's address. Strange ports and stray packets are dropped in silence.
void tftp_input(struct tftp_client *c, uint16_t from_port, const uint8_t *data, size_t len, uint64_t now);

uint64_t tftp_deadline(const struct tftp_client *c);

// 1 while it goes on, 0 when the file is whole, ERR_TFTP_ERROR (message says why), ERR_NOT_FOUND,
// ERR_TIMED_OUT, or the sink's error.
int tftp_result(const struct tftp_client *c);
