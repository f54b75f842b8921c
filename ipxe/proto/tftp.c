// SPDX-License-Identifier: MPL-2.0
// See tftp.h.
#include "proto/tftp.h"

#include "base/ascii.h"
#include "base/cursor.h"
#include "base/fmt.h"

enum { OP_RRQ = 1, OP_DATA = 3, OP_ACK = 4, OP_ERROR = 5, OP_OACK = 6 };
enum { TFTP_E_NOT_FOUND = 1, TFTP_E_OPTIONS = 8 };

int tftp_init(struct tftp_client *c, const char *filename, tftp_sink *sink, void *ctx, uint64_t now)
{
    memset(c, 0, sizeof *c);
    size_t len = strlen(filename);
    if (len >= TFTP_FILENAME_MAX)
        return ERR_TOO_LARGE;
    memcpy(c->filename, filename, len + 1);
    c->sink = sink;
    c->ctx = ctx;
    c->block_size = TFTP_BLOCK_SIZE_DEFAULT;
    c->window = 1;
    c->timeout_us = TFTP_TIMEOUT_FIRST_US;
    c->deadline = now;
    c->send_due = true;
    return 0;
}

static void fail(struct tftp_client *c, int err)
{
    c->state = TFTP_FAILED;
    c->error = err;
    c->send_due = false;
}

static void put_text(struct builder *b, const char *text)
{
    builder_bytes(b, text, strlen(text) + 1);
}

static void put_option(struct builder *b, const char *name, unsigned value)
{
    char number[12];
    fmt_snprintf(number, sizeof number, "%u", value);
    put_text(b, name);
    put_text(b, number);
}

static void build_request(const struct tftp_client *c, struct builder *b)
{
    builder_u16_be(b, OP_RRQ);
    put_text(b, c->filename);
    put_text(b, "octet");
    if (c->plain)
        return;
    put_option(b, "blksize", TFTP_BLOCK_SIZE);
    put_option(b, "tsize", 0);
    put_option(b, "windowsize", TFTP_WINDOW);
}

size_t tftp_output(struct tftp_client *c, uint8_t *buf, size_t cap, uint16_t *ret_port, uint64_t now)
{
    if (c->state == TFTP_FAILED || (c->state == TFTP_COMPLETE && !c->send_due))
        return 0;
    if (!c->send_due) {
        if (now < c->deadline)
            return 0;
        if (++c->tries == TFTP_TRIES) {
            fail(c, ERR_TIMED_OUT);
            return 0;
        }
        c->timeout_us = MIN(c->timeout_us * 2, (uint64_t)TFTP_TIMEOUT_MAX_US);
    }
    c->send_due = false;
    c->deadline = now + c->timeout_us;
    struct builder b = builder_make(buf, cap);
    if (c->state == TFTP_REQUESTING) {
        build_request(c, &b);
    } else {
        builder_u16_be(&b, OP_ACK);
        builder_u16_be(&b, (uint16_t)c->block);
        c->acked = c->block;
    }
    *ret_port = c->server_port ? c->server_port : TFTP_PORT;
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

// RFC 2347: only what was asked for, and nothing larger than asked for.
static void take_oack(struct tftp_client *c, struct cursor *in)
{
    uint64_t block_size = TFTP_BLOCK_SIZE_DEFAULT, window = 1, size = 0;
    while (in->len > 0) {
        const char *name = take_text(in), *value = take_text(in);
        uint64_t number;
        if (!name || !value || !fmt_parse_u64(value, strlen(value), 10, &number)) {
            fail(c, ERR_TFTP_ERROR);
            return;
        }
        if (same_name(name, "blksize"))
            block_size = number;
        else if (same_name(name, "windowsize"))
            window = number;
        else if (same_name(name, "tsize"))
            size = number;
    }
    if (block_size < 8 || block_size > TFTP_BLOCK_SIZE || window < 1 || window > TFTP_WINDOW) {
        fail(c, ERR_TFTP_ERROR);
        return;
    }
    c->block_size = (uint16_t)block_size;
    c->window = (uint16_t)window;
    c->size = size;
    c->state = TFTP_RECEIVING;
    c->send_due = true; // ACK of block 0
}

static void take_data(struct tftp_client *c, struct cursor *in)
{
    uint16_t number = cursor_u16_be(in);
    if (!cursor_ok(in))
        return;
    c->state = TFTP_RECEIVING; // a server without options answers with DATA at once
    if (number != (uint16_t)(c->block + 1)) {
        // Lost or repeated: say once where we are, so that the server goes back; then wait for it.
        if (!c->gap_acked)
            c->send_due = true;
        c->gap_acked = true;
        return;
    }
    if (in->len > c->block_size)
        return;
    size_t len = in->len;
    int err = len ? c->sink(c->ctx, cursor_bytes(in, len), len) : 0;
    if (err) {
        fail(c, err);
        return;
    }
    c->block++;
    c->gap_acked = false;
    if (len < c->block_size)
        c->state = TFTP_COMPLETE;
    if (c->state == TFTP_COMPLETE || c->block - c->acked >= c->window)
        c->send_due = true;
}

static void take_error(struct tftp_client *c, struct cursor *in)
{
    uint16_t code = cursor_u16_be(in);
    const char *text = take_text(in);
    for (size_t i = 0; text && text[i] && i < sizeof c->message - 1; i++)
        c->message[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    if (code == TFTP_E_OPTIONS && c->state == TFTP_REQUESTING && !c->plain) {
        c->plain = true;
        c->send_due = true;
        c->server_port = 0;
        return;
    }
    fail(c, code == TFTP_E_NOT_FOUND ? ERR_NOT_FOUND : ERR_TFTP_ERROR);
}

void tftp_input(struct tftp_client *c, uint16_t from_port, const uint8_t *data, size_t len, uint64_t now)
{
    if (c->state > TFTP_RECEIVING || (c->server_port && from_port != c->server_port))
        return;
    struct cursor in = cursor_make(data, len);
    uint16_t op = cursor_u16_be(&in);
    if (!cursor_ok(&in) || (op != OP_DATA && op != OP_ERROR && op != OP_OACK))
        return;
    c->server_port = from_port;
    c->tries = 0;
    c->timeout_us = TFTP_TIMEOUT_FIRST_US;
    c->deadline = now + c->timeout_us;
    if (op == OP_OACK && c->state == TFTP_REQUESTING)
        take_oack(c, &in);
    else if (op == OP_DATA)
        take_data(c, &in);
    else if (op == OP_ERROR)
        take_error(c, &in);
}

uint64_t tftp_deadline(const struct tftp_client *c)
{
    if (c->send_due)
        return 0;
    return c->state > TFTP_RECEIVING ? UINT64_MAX : c->deadline;
}

int tftp_result(const struct tftp_client *c)
{
    if (c->state == TFTP_FAILED)
        return c->error;
    return c->state == TFTP_COMPLETE && !c->send_due ? 0 : 1;
}
