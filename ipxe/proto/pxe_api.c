// SPDX-License-Identifier: MPL-2.0
// See pxe_api.h: the table of the functions, and those of the preboot part.
#include "proto/pxe_api_parts.h"

#define FRAME_ROOM 1520 // at the beginning of `low`
_Static_assert(FRAME_ROOM >= FRAME_RECEIVE_MAX && FRAME_ROOM < PXE_API_LOW_MIN, "a frame has room");

void pxe_api_init(struct pxe_api *a, uint32_t low, uint8_t *low_bytes, uint32_t low_size, const struct pxe_api_packets *packets)
{
    memset(a, 0, sizeof *a);
    a->low = low;
    a->low_bytes = low_bytes;
    a->card = PXE_CARD_STACK;
    uint32_t at = FRAME_ROOM;
    for (unsigned i = 0; i < PXE_PACKETS; i++) {
        uint16_t len = (uint16_t)MIN(packets->len[i], low_size - at);
        a->packet_at[i] = (uint16_t)at;
        a->packet_len[i] = len;
        if (len)
            memcpy(low_bytes + at, packets->bytes[i], len);
        at += len;
    }
}

// With a buffer of no size the program is shown the firmware's own.
static unsigned cached_info(struct pxe_api *a, void *block)
{
    struct pxe_cached_info *b = block;
    unsigned i = b->type - 1u;
    if (i >= PXE_PACKETS || !a->packet_len[i])
        return PXE_FAILURE;
    b->limit = a->packet_len[i];
    if (!b->size) {
        b->buffer = pxe_api_far(a->low + a->packet_at[i]);
        b->size = b->limit;
        return PXE_SUCCESS;
    }
    b->size = MIN(b->size, b->limit);
    return pxe_api_put(&b->buffer, a->low_bytes + a->packet_at[i], b->size);
}

static unsigned nothing(struct pxe_api *a, void *block)
{
    return PXE_SUCCESS;
}

// UNDI goes on: iPXE's undionly.kpxe unloads the stack, and then works the card.
static unsigned unload_stack(struct pxe_api *a, void *block)
{
    (void)pxe_api_tftp_close(a, NULL);
    return pxe_api_udp_close(a, NULL);
}

// A card that goes on would write into memory that is somebody else's by then.
static unsigned stop_undi(struct pxe_api *a, void *block)
{
    a->unload = true;
    return pxe_api_shutdown(a, NULL);
}

enum { CLOSED = 1 << PXE_CARD_CLOSED, STACK = 1 << PXE_CARD_STACK, PROGRAM = 1 << PXE_CARD_PROGRAM, ANY = CLOSED | STACK | PROGRAM };

// Where a function is not here it is unsupported.
static const struct row {
    uint8_t function, size; // of its block
    uint8_t cards;          // whose the card may be
    pxe_api_function *call;
} rows[] = {
    { PXENV_START_UNDI, sizeof(struct pxe_status), ANY, nothing }, // it runs
    { PXENV_UNDI_STARTUP, sizeof(struct pxe_status), ANY, nothing },
    { PXENV_UNDI_CLEANUP, sizeof(struct pxe_status), ANY, nothing },
    { PXENV_UNDI_INITIALIZE, sizeof(struct pxe_status), ANY, pxe_api_initialize },
    { PXENV_UNDI_SHUTDOWN, sizeof(struct pxe_status), ANY, pxe_api_shutdown },
    { PXENV_UNDI_OPEN, sizeof(struct pxe_undi_open), STACK | PROGRAM, pxe_api_undi_open },
    { PXENV_UNDI_CLOSE, sizeof(struct pxe_status), ANY, pxe_api_undi_close },
    { PXENV_UNDI_TRANSMIT, sizeof(struct pxe_undi_transmit), PROGRAM, pxe_api_transmit },
    { PXENV_UNDI_SET_MCAST_ADDRESS, sizeof(struct pxe_undi_set_mcast), PROGRAM, pxe_api_set_mcast },
    { PXENV_UNDI_SET_PACKET_FILTER, sizeof(struct pxe_undi_set_filter), PROGRAM, pxe_api_set_filter },
    { PXENV_UNDI_GET_INFORMATION, sizeof(struct pxe_undi_information), ANY, pxe_api_information },
    { PXENV_UNDI_GET_STATISTICS, sizeof(struct pxe_undi_statistics), ANY, pxe_api_statistics },
    { PXENV_UNDI_CLEAR_STATISTICS, sizeof(struct pxe_status), ANY, pxe_api_clear_statistics },
    { PXENV_UNDI_GET_MCAST_ADDRESS, sizeof(struct pxe_undi_mcast_address), ANY, pxe_api_mcast_address },
    { PXENV_UNDI_GET_NIC_TYPE, sizeof(struct pxe_undi_nic_type), ANY, pxe_api_nic_type },
    { PXENV_UNDI_GET_IFACE_INFO, sizeof(struct pxe_undi_iface), ANY, pxe_api_iface },
    { PXENV_UNDI_ISR, sizeof(struct pxe_undi_isr), PROGRAM, pxe_api_isr },
    { PXENV_STOP_UNDI, sizeof(struct pxe_status), ANY, stop_undi },
    { PXENV_TFTP_OPEN, sizeof(struct pxe_tftp_open), STACK, pxe_api_tftp_open },
    { PXENV_TFTP_CLOSE, sizeof(struct pxe_status), ANY, pxe_api_tftp_close },
    { PXENV_TFTP_READ, sizeof(struct pxe_tftp_read), STACK, pxe_api_tftp_read },
    { PXENV_TFTP_READ_FILE, sizeof(struct pxe_tftp_read_file), STACK, pxe_api_tftp_read_file },
    { PXENV_TFTP_GET_FSIZE, sizeof(struct pxe_tftp_fsize), STACK, pxe_api_tftp_fsize },
    { PXENV_UDP_OPEN, sizeof(struct pxe_udp_open), STACK, pxe_api_udp_open },
    { PXENV_UDP_CLOSE, sizeof(struct pxe_status), ANY, pxe_api_udp_close },
    { PXENV_UDP_READ, sizeof(struct pxe_udp_read), STACK, pxe_api_udp_read },
    { PXENV_UDP_WRITE, sizeof(struct pxe_udp_write), STACK, pxe_api_udp_write },
    { PXENV_UNLOAD_STACK, sizeof(struct pxe_status), ANY, unload_stack },
    { PXENV_GET_CACHED_INFO, sizeof(struct pxe_cached_info), ANY, cached_info },
    { PXENV_STOP_BASE, sizeof(struct pxe_status), ANY, unload_stack },
    { PXENV_FILE_OPEN, sizeof(struct pxe_file_open), STACK, pxe_api_file_open },
    { PXENV_FILE_CLOSE, sizeof(struct pxe_file_head), ANY, pxe_api_file_close },
    { PXENV_FILE_SELECT, sizeof(struct pxe_file_select), ANY, pxe_api_file_select },
    { PXENV_FILE_READ, sizeof(struct pxe_file_read), STACK, pxe_api_file_read },
    { PXENV_FILE_GET_SIZE, sizeof(struct pxe_file_size), ANY, pxe_api_file_size },
    { PXENV_FILE_API_CHECK, sizeof(struct pxe_file_check), ANY, pxe_api_file_check },
};

uint16_t pxe_api_call(struct pxe_api *a, uint16_t function, uint32_t block)
{
    union {
        struct pxe_status status;
        struct pxe_tftp_read_file largest;
    } b;
    const struct row *row = rows;
    while (row < rows + ARRAY_SIZE(rows) && row->function != function)
        row++;
    bool known = row < rows + ARRAY_SIZE(rows);
    uint32_t size = known ? row->size : sizeof b.status;
    if (pxe_api_copy(block, &b, size, false))
        return PXENV_EXIT_FAILURE;
    unsigned status = !known ? PXE_UNSUPPORTED : row->cards >> a->card & 1 ? row->call(a, &b) : PXE_UNDI_INVALID_STATE;
    b.status.status = (uint16_t)status;
    (void)pxe_api_copy(block, &b, size, true);
    return status ? PXENV_EXIT_FAILURE : PXENV_EXIT_SUCCESS;
}

int pxe_api_end(struct pxe_api *a)
{
    (void)pxe_api_undi_close(a, NULL);
    unsigned status = pxe_api_initialize(a, NULL);
    (void)unload_stack(a, NULL);
    return status ? ERR_NET_LINK : 0;
}
