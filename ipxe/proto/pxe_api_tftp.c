// SPDX-License-Identifier: MPL-2.0
// TFTP functions of the PXE API (section 3.3), over the reader of proto/tftp.h: one transfer at a time. A file that is read block by
// block has a window of one, and is acknowledged when the program asks for the next block.
#include "proto/pxe_api_parts.h"

static void flush(struct pxe_api *a)
{
    uint8_t packet[TFTP_REQUEST_MAX];
    struct net_addr to;
    size_t len;
    while ((len = tftp_output(&a->tftp, packet, sizeof packet, &to, pxe_api_world.now())) > 0)
        (void)pxe_api_world.send(PXE_API_TFTP, &to, packet, len); // lost: it is sent again
}

static void turn(struct pxe_api *a)
{
    flush(a);
    pxe_api_world.turn();
}

unsigned pxe_api_tftp_close(struct pxe_api *a, void *block)
{
    if (!a->tftp_open)
        return PXE_TFTP_CLOSED;
    tftp_abort(&a->tftp, ERR_CANCELLED);
    if (a->card != PXE_CARD_CLOSED)
        flush(a); // the server is told
    pxe_api_world.close(PXE_API_TFTP);
    a->tftp_open = false;
    return PXE_SUCCESS;
}

// Status of the transfer, which ends when it has failed.
static unsigned judge(struct pxe_api *a)
{
    int err = a->tftp.error;
    if (a->tftp.state != TFTP_FAILED)
        return PXE_SUCCESS;
    (void)pxe_api_tftp_close(a, NULL);
    return err == ERR_NOT_FOUND                           ? PXE_TFTP_NOT_FOUND
           : err == ERR_TFTP_ERROR                        ? PXE_TFTP_ERROR_OPCODE
           : err == ERR_TIMED_OUT || err == ERR_TOO_SLOW  ? PXE_TFTP_READ_TIMEOUT
           : err == ERR_TOO_LARGE                         ? PXE_OUT_OF_RESOURCES // the program's buffer
                                                          : PXE_TFTP_CANNOT_READ;
}

// What was open before is closed: its program may be another one. `port` as it is on the wire; blocks of at most that size.
static unsigned begin(struct pxe_api *a, const uint8_t server[4], uint16_t port, const char *filename, unsigned size, tftp_sink *sink)
{
    (void)pxe_api_tftp_close(a, NULL);
    if (!memchr(filename, 0, PXE_FILENAME_MAX) || !pxe_api_world.listen(PXE_API_TFTP, 0))
        return PXE_OUT_OF_RESOURCES;
    struct net_addr to = net_addr_v4(server, port ? load16_be(&port) : TFTP_PORT);
    uint16_t mtu = (uint16_t)MIN(size + TFTP_HEADERS, pxe_api_world.mtu(&to));
    (void)tftp_init(&a->tftp, filename, &to, mtu, sink, a, pxe_api_world.now()); // the name is short enough
    a->block_full = false;
    a->blocks_read = a->at = 0;
    a->tftp_open = true;
    return PXE_SUCCESS;
}

static int take_block(void *ctx, const uint8_t *data, size_t len)
{
    struct pxe_api *a = ctx;
    if (a->block_full)
        return ERR_INVALID; // nobody has asked for it
    memcpy(a->block, data, len);
    a->block_len = (uint16_t)len;
    a->block_at = 0;
    a->block_full = true;
    return 0;
}

unsigned pxe_api_open_blocks(struct pxe_api *a, const uint8_t server[4], uint16_t port, const char *filename, unsigned size)
{
    unsigned status = begin(a, server, port, filename, size, take_block);
    if (status)
        return status;
    tftp_limit_window(&a->tftp, 1);
    while (a->tftp.state == TFTP_REQUESTING)
        turn(a);
    return judge(a);
}

unsigned pxe_api_tftp_open(struct pxe_api *a, void *block)
{
    struct pxe_tftp_open *b = block;
    if (b->packet_size < PXE_PACKET_SIZE_MIN)
        return PXE_TFTP_PACKET_SIZE;
    unsigned status = pxe_api_open_blocks(a, b->server, b->port, b->filename, b->packet_size);
    b->packet_size = a->tftp.block_size;
    return status;
}

unsigned pxe_api_read_on(struct pxe_api *a, const struct segoff *to, uint16_t *size)
{
    struct tftp_client *c = &a->tftp;
    if (!a->tftp_open)
        return PXE_TFTP_CLOSED;
    progress_start(&c->progress, pxe_api_world.now()); // the program took its time
    while (!a->block_full && c->state == TFTP_RECEIVING)
        turn(a);
    unsigned status = judge(a);
    if (status)
        return status;
    if (a->blocks_read == c->block)
        return PXE_TFTP_CANNOT_READ; // that was the last one
    unsigned left = a->block_full ? a->block_len - a->block_at : 0; // the reader hands out no block without bytes
    *size = (uint16_t)MIN(*size, left);
    status = pxe_api_put(to, a->block + a->block_at, *size);
    if (status)
        return status;
    a->block_at += *size;
    if (*size < left)
        return PXE_SUCCESS;
    a->block_full = false;
    a->blocks_read = c->block;
    if (c->state == TFTP_COMPLETE)
        flush(a);
    return PXE_SUCCESS;
}

unsigned pxe_api_tftp_read(struct pxe_api *a, void *block)
{
    struct pxe_tftp_read *b = block;
    uint16_t size = UINT16_MAX; // it has room for a block
    unsigned status = pxe_api_read_on(a, &b->buffer, &size);
    b->size = size;
    b->packet_number = (uint16_t)a->tftp.block;
    return status;
}

static int take_file(void *ctx, const uint8_t *data, size_t len)
{
    struct pxe_api *a = ctx;
    if (len > a->room - a->at)
        return ERR_TOO_LARGE;
    uint32_t to = a->to + a->at;
    a->at += (uint32_t)len;
    memcpy(a->block, data, len); // no longer than a block is
    return pxe_api_copy(to, a->block, (uint32_t)len, true) ? ERR_INVALID : 0;
}

unsigned pxe_api_tftp_read_file(struct pxe_api *a, void *block)
{
    struct pxe_tftp_read_file *b = block;
    a->to = b->buffer;
    a->room = MIN(b->size, -b->buffer - 1); // below 4 GiB
    unsigned status = begin(a, b->server, b->server_port, b->filename, TFTP_BLOCK_SIZE, take_file);
    while (!status && tftp_result(&a->tftp) == PENDING)
        turn(a);
    if (!status)
        status = judge(a);
    if (status)
        return status;
    b->size = a->at;
    return pxe_api_tftp_close(a, NULL);
}

// By the transfer size that a server tells with its first answer.
unsigned pxe_api_tftp_fsize(struct pxe_api *a, void *block)
{
    struct pxe_tftp_fsize *b = block;
    unsigned status = pxe_api_open_blocks(a, b->server, 0, b->filename, TFTP_BLOCK_SIZE);
    if (status)
        return status;
    (void)pxe_api_tftp_close(a, NULL);
    b->size = (uint32_t)a->tftp.size;
    return b->size && b->size == a->tftp.size ? PXE_SUCCESS : PXE_TFTP_NO_FILESIZE; // 0: it did not tell
}
