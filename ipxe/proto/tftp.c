// SPDX-License-Identifier: MPL-2.0
// See tftp.h.
#include "proto/tftp.h"

#include "base/ascii.h"
#include "base/cursor.h"
#include "base/fmt.h"

enum { OP_RRQ = 1, OP_DATA = 3, OP_ACK = 4, OP_ERROR = 5, OP_OACK = 6 };
enum { TFTP_E_NOT_FOUND = 1, TFTP_E_OPTIONS = 8 };

int tftp_init(struct tftp_client *c, const char *filename, const struct net_addr *server, uint16_t mtu, tftp_sink *sink,
              void *ctx, uint64_t now)
{
    memset(c, 0, sizeof *c);
    size_t len = strlen(filename);
    if (len >= TFTP_FILENAME_MAX)
        return ERR_TOO_LARGE;
    memcpy(c->filename, filename, len + 1);
    c->server = *server;
    c->sink = sink;
    c->ctx = ctx;
    c->block_size_asked = mtu > TFTP_HEADERS + 8 ? (uint16_t)MIN(mtu - TFTP_HEADERS, TFTP_BLOCK_SIZE) : TFTP_BLOCK_SIZE;
    c->block_size = TFTP_BLOCK_SIZE_DEFAULT;
    c->window_asked = TFTP_WINDOW;
    c->window = 1;
    c->timeout_us = TFTP_TIMEOUT_FIRST_US;
    c->deadline = now;
    c->others_from = UINT64_MAX;
    c->send_due = true;
    progress_start(&c->progress, now);
    return 0;
}

void tftp_limit_window(struct tftp_client *c, uint16_t blocks)
{
    c->window_asked = MIN(c->window_asked, MAX(blocks, 1));
}

// The server is told, unless the error is its own.
static void fail(struct tftp_client *c, int err, bool tell)
{
    c->state = TFTP_FAILED;
    c->error = err;
    c->send_due = false;
    c->tell = tell && c->peer.port;
}

void tftp_abort(struct tftp_client *c, int err)
{
    if (c->state <= TFTP_RECEIVING)
        fail(c, err, true);
}

void tftp_refused(struct tftp_client *c, const struct net_addr *to)
{
    if (c->state == TFTP_REQUESTING && !c->peer.port && net_addr_equal(to, &c->server))
        fail(c, ERR_CONN_REFUSED, false);
}

// A block's number on the wire: 16 bits, and behind 65535 comes 0 or 1, as the server likes it.
static uint16_t wire_number(const struct tftp_client *c, uint32_t block)
{
    return (uint16_t)(c->skips_zero && block ? (block - 1) % UINT16_MAX + 1 : block);
}

static void put_text(struct builder *b, const char *text)
{
    builder_bytes(b, text, strlen(text) + 1);
}

// None with an empty value: servers do not see those behind it (findings/tftp-empty-option.sh).
static void put_option(struct builder *b, const char *name, unsigned value)
{
    char number[12];
    fmt_snprintf(number, sizeof number, "%u", value);
    put_text(b, name);
    put_text(b, number);
}

static void build_request(struct tftp_client *c, struct builder *b, uint64_t now)
{
    if (c->others_from == UINT64_MAX)
        c->others_from = now + TFTP_SILENCE_US;
    builder_u16_be(b, OP_RRQ);
    put_text(b, c->filename);
    put_text(b, "octet");
    if (c->plain)
        return;
    put_option(b, "blksize", c->block_size_asked);
    put_option(b, "tsize", 0);
    put_option(b, "windowsize", c->window_asked);
}

static void build_error(const struct tftp_client *c, struct builder *b)
{
    builder_u16_be(b, OP_ERROR);
    builder_u16_be(b, c->error == ERR_TFTP_ERROR ? TFTP_E_OPTIONS : 0); // the only such error that is ours
    put_text(b, err_text(c->error));
}

// RFC 7440 has a server begin a new window behind an ACK inside one. tftpd-hpa 7 sends the rest of the old one, and waits for
// the ACK of its end.
static void build_ack(struct tftp_client *c, struct builder *b)
{
    builder_u16_be(b, OP_ACK);
    builder_u16_be(b, wire_number(c, c->block));
    if (c->block >= c->old_end)
        c->old_end = c->block != c->old_end && c->block < c->acked + c->window ? c->acked + c->window : 0;
    c->acked = c->block;
}

// The time is over: everything is sent again, or the quiet behind an old window's end has told what the server waits for.
static void repeat(struct tftp_client *c)
{
    if (c->quiet)
        c->keeps_window = true;
    else
        c->timeout_us = MIN(c->timeout_us * 2, (uint64_t)TFTP_TIMEOUT_MAX_US);
}

static void judge_progress(struct tftp_client *c, uint64_t now)
{
    int err = c->state <= TFTP_RECEIVING ? progress_judge(&c->progress, now) : 0;
    if (err)
        fail(c, err, true);
}

size_t tftp_output(struct tftp_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now)
{
    judge_progress(c, now);
    bool late = c->state <= TFTP_RECEIVING && now >= c->deadline;
    if (!c->send_due && !c->tell && !late)
        return 0;
    if (!c->send_due && late)
        repeat(c);
    struct builder b = builder_make(buf, cap);
    if (c->tell)
        build_error(c, &b);
    else if (c->state == TFTP_REQUESTING)
        build_request(c, &b, now);
    else
        build_ack(c, &b);
    c->send_due = c->tell = c->quiet = false;
    c->deadline = now + c->timeout_us;
    *ret_to = c->peer.port ? c->peer : c->server;
    return b.bad ? 0 : b.len;
}

// A NUL-terminated text of the packet, or NULL.
static const char *take_text(struct cursor *c)
{
    const uint8_t *end = c->len ? memchr(c->data, 0, c->len) : NULL;
    if (!end) {
        cursor_fail(c);
        return NULL;
    }
    return (const char *)cursor_bytes(c, (size_t)(end - c->data) + 1);
}

// Option names are compared without regard to case (RFC 2347); `b` is lower case.
static bool same_name(const char *a, const char *b)
{
    while (*a && ascii_lower(*a) == *b) {
        a++;
        b++;
    }
    return *a == 0 && *b == 0;
}

// The options that were asked for, in `values`; others (atftpd's multicast) are read over.
enum { BLKSIZE, WINDOWSIZE, TSIZE, OPTIONS };
static bool read_options(struct cursor *in, uint64_t values[OPTIONS])
{
    static const char *const names[OPTIONS] = { "blksize", "windowsize", "tsize" };
    while (in->len > 0) {
        const char *name = take_text(in), *value = take_text(in);
        for (unsigned i = 0; value && i < OPTIONS; i++)
            if (same_name(name, names[i]) && !fmt_parse_u64(value, strlen(value), 10, &values[i]))
                return false;
    }
    return cursor_ok(in);
}

// RFC 2347: nothing larger than asked for.
static void take_oack(struct tftp_client *c, struct cursor *in)
{
    uint64_t values[OPTIONS] = { [BLKSIZE] = TFTP_BLOCK_SIZE_DEFAULT, [WINDOWSIZE] = 1 };
    if (!read_options(in, values) || values[BLKSIZE] < 8 || values[BLKSIZE] > c->block_size_asked || values[WINDOWSIZE] < 1 ||
        values[WINDOWSIZE] > c->window_asked) {
        fail(c, ERR_TFTP_ERROR, true);
        return;
    }
    c->block_size = (uint16_t)values[BLKSIZE];
    c->window = (uint16_t)values[WINDOWSIZE];
    c->size = values[TSIZE];
    c->state = TFTP_RECEIVING;
    c->send_due = true; // ACK of block 0
}

// Does 1 stand for the block behind 65535? Where one block is under way at a time it does. In a window the one before may be
// lost: so it must begin three bursts.
static bool starts_over_at_one(struct tftp_client *c, uint16_t number)
{
    if (number != 1 || c->block != UINT16_MAX || c->skips_zero)
        return false;
    return c->skips_zero = c->window == 1 || ++c->ones == 3;
}

// Something is missing: says once where we are, so that the server goes back or on; then waits for it.
static void say_once(struct tftp_client *c)
{
    c->send_due |= !c->gap_acked;
    c->gap_acked = true;
}

static void take_data(struct tftp_client *c, struct cursor *in, uint64_t now)
{
    uint16_t number = cursor_u16_be(in);
    if (number != wire_number(c, c->block + 1) && !starts_over_at_one(c, number)) {
        // A repetition is never answered at once: with servers that answer ACKs of the past, each window would come twice from
        // there on. Where our ACK was lost, the timer sends it again.
        if ((int16_t)(number - wire_number(c, c->block)) > 0)
            say_once(c);
        return;
    }
    if (in->len > c->block_size)
        return;
    c->state = TFTP_RECEIVING; // a server without options answers with DATA at once
    size_t len = in->len;
    int err = len ? c->sink(c->ctx, cursor_bytes(in, len), len) : 0;
    if (err) {
        fail(c, err, true);
        return;
    }
    progress_add(&c->progress, len, now);
    c->block++;
    c->gap_acked = false;
    c->timeout_us = TFTP_TIMEOUT_FIRST_US;
    if (len < c->block_size)
        c->state = TFTP_COMPLETE;
    bool at_old_end = c->block == c->old_end;
    c->send_due = c->state == TFTP_COMPLETE || c->block - c->acked >= c->window || (at_old_end && c->keeps_window);
    c->quiet = at_old_end;
    c->deadline = now + (at_old_end ? TFTP_QUIET_US : c->timeout_us);
}

static void take_error(struct tftp_client *c, struct cursor *in)
{
    uint16_t code = cursor_u16_be(in);
    const char *text = take_text(in);
    memset(c->message, 0, sizeof c->message);
    for (size_t i = 0; text && text[i] && i < sizeof c->message - 1; i++)
        c->message[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    if (code == TFTP_E_OPTIONS && c->state == TFTP_REQUESTING && !c->plain) {
        c->plain = c->send_due = true;
        c->peer.port = 0;
        c->others_from = UINT64_MAX; // this server is not silent
        c->message[0] = 0;
        return;
    }
    fail(c, code == TFTP_E_NOT_FOUND ? ERR_NOT_FOUND : ERR_TFTP_ERROR, false);
}

// Is it an answer to what was asked? The first one chooses the peer, so a packet of an earlier transfer must not.
static bool answers(const struct tftp_client *c, uint16_t op, uint16_t number)
{
    if (c->state == TFTP_RECEIVING)
        return true;
    return op == OP_ERROR || (op == OP_DATA ? number == 1 : !c->plain);
}

// Anyone can send to a port. So a server that answers from another address of its own is heard when it repeats itself, and with
// the file alone: a stranger's ERROR would be the end.
static bool may_answer(const struct tftp_client *c, const struct net_addr *from, uint16_t op, uint64_t now)
{
    if (c->peer.port)
        return net_addr_equal(from, &c->peer);
    struct net_addr named = c->server;
    named.port = from->port;
    return net_addr_equal(from, &named) || (op != OP_ERROR && now >= c->others_from);
}

void tftp_input(struct tftp_client *c, const struct net_addr *from, const uint8_t *data, size_t len, uint64_t now)
{
    if (c->state > TFTP_RECEIVING || len < 4)
        return;
    struct cursor in = cursor_make(data, len);
    uint16_t op = cursor_u16_be(&in);
    if (!may_answer(c, from, op, now) || (op != OP_DATA && op != OP_ERROR && op != OP_OACK) || !answers(c, op, load16_be(data + 2)))
        return;
    c->peer = *from;
    if (op == OP_DATA)
        take_data(c, &in, now);
    else if (op == OP_ERROR)
        take_error(c, &in);
    else if (c->state == TFTP_REQUESTING)
        take_oack(c, &in);
    else if (c->block == 0)
        say_once(c); // the ACK of the first one was lost
}

uint64_t tftp_deadline(const struct tftp_client *c)
{
    if (c->send_due || c->tell)
        return 0;
    return c->state > TFTP_RECEIVING ? UINT64_MAX : MIN(c->deadline, progress_deadline(&c->progress));
}

int tftp_result(const struct tftp_client *c)
{
    if (c->state == TFTP_FAILED)
        return c->error;
    return c->state == TFTP_COMPLETE && !c->send_due ? 0 : PENDING;
}
