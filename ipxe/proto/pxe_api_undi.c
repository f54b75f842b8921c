// SPDX-License-Identifier: MPL-2.0
// UNDI functions of the PXE API (section 4): frames as they are. The card has no interrupt, which IntNumber 0 says, so the program polls:
// UNDI_ISR looks for a frame whenever it is called.
#include "proto/pxe_api_parts.h"

#include "proto/heads.h"

#define TYPE_AT 12 // of a frame: its EtherType
#define TYPE_ARP 0x0806
#define TYPE_RARP 0x8035
#define HARDWARE_ETHERNET 1
#define LINK_SPEED_LEAST 10000000 // bits a second; a card does not say how fast its link is

static const uint16_t types[] = { [PXE_PROTOCOL_IP] = TYPE_IP4, [PXE_PROTOCOL_ARP] = TYPE_ARP, [PXE_PROTOCOL_RARP] = TYPE_RARP };

// The card is the stack's again, as it was before.
static unsigned give_back(struct pxe_api *a)
{
    a->card = PXE_CARD_STACK;
    (void)pxe_api_world.filter(NULL, 0, false);
    return PXE_SUCCESS;
}

unsigned pxe_api_initialize(struct pxe_api *a, void *block)
{
    if (a->card != PXE_CARD_CLOSED)
        return PXE_SUCCESS;
    return pxe_api_world.card(true) ? PXE_UNDI_CANNOT_INITIALIZE : give_back(a);
}

unsigned pxe_api_shutdown(struct pxe_api *a, void *block)
{
    if (a->card != PXE_CARD_CLOSED)
        (void)pxe_api_world.card(false);
    a->card = PXE_CARD_CLOSED;
    return PXE_SUCCESS;
}

static unsigned tell_filter(struct pxe_api *a)
{
    uint8_t macs[PXE_MCAST_MAX][6];
    unsigned count = a->mcast.count;
    if (count > PXE_MCAST_MAX)
        return PXE_UNDI_INVALID_PARAMETER;
    for (unsigned i = 0; i < count; i++)
        memcpy(macs[i], a->mcast.address[i], 6);
    return pxe_api_world.filter((const uint8_t(*)[6])macs, count, a->self.everything && a->filter & FILTER_PROMISCUOUS) ? PXE_FAILURE : PXE_SUCCESS;
}

unsigned pxe_api_set_mcast(struct pxe_api *a, void *block)
{
    a->mcast = ((const struct pxe_undi_set_mcast *)block)->mcast;
    return tell_filter(a);
}

// Where the card cannot have everything the rest of the filter counts: iPXE asks for everything at first, whatever it needs.
unsigned pxe_api_set_filter(struct pxe_api *a, void *block)
{
    a->filter = ((const struct pxe_undi_set_filter *)block)->filter;
    return tell_filter(a);
}

unsigned pxe_api_undi_open(struct pxe_api *a, void *block)
{
    const struct pxe_undi_open *b = block;
    a->filter = (uint8_t)b->filter;
    a->mcast = b->mcast;
    a->frame_len = 0;
    a->sent = false;
    unsigned status = tell_filter(a);
    if (!status)
        a->card = PXE_CARD_PROGRAM;
    return status;
}

unsigned pxe_api_undi_close(struct pxe_api *a, void *block)
{
    return a->card == PXE_CARD_PROGRAM ? give_back(a) : PXE_SUCCESS;
}

// --- frames ---

static unsigned append(struct pxe_api *a, uint32_t address, uint16_t len)
{
    if (len > FRAME_MAX - a->out_len)
        return PXE_FAILURE;
    a->out_len += len;
    return pxe_api_copy(address, a->out + a->out_len - len, len, false);
}

// The descriptor's own piece is followed by blocks of as many bytes, each of which is another piece.
static unsigned append_all(struct pxe_api *a, uint32_t descriptor)
{
    union {
        struct pxe_tbd_head head;
        struct pxe_tbd_block block;
    } piece;
    unsigned blocks = 0;
    for (unsigned i = 0; i <= blocks; i++) {
        if (pxe_api_copy(descriptor + i * sizeof piece, &piece, sizeof piece, false))
            return PXE_FAILURE;
        const struct segoff *data = &piece.block.data;
        bool is_far = piece.block.pointer_type == PXE_TBD_FAR;
        uint16_t len = piece.block.length;
        if (i == 0) {
            data = &piece.head.data;
            is_far = true;
            len = piece.head.length;
            blocks = piece.head.block_count;
        }
        uint32_t address = is_far ? pxe_api_address(data) : load32_le(data);
        if (blocks > PXE_TBD_BLOCKS_MAX || append(a, address, len))
            return PXE_FAILURE;
    }
    return a->out_len < ETH_HEAD;
}

unsigned pxe_api_transmit(struct pxe_api *a, void *block)
{
    const struct pxe_undi_transmit *b = block;
    unsigned bad = b->protocol >= ARRAY_SIZE(types);
    a->out_len = 0;
    if (!bad && b->protocol != PXE_PROTOCOL_NONE) {
        memset(a->out, 0xff, 6);
        if (b->flag == PXE_TRANSMIT_TO)
            bad = pxe_api_copy(pxe_api_address(&b->destination), a->out, 6, false);
        memcpy(a->out + 6, a->self.mac, 6);
        store16_be(a->out + TYPE_AT, types[b->protocol]);
        a->out_len = ETH_HEAD;
    }
    if (bad || append_all(a, pxe_api_address(&b->tbd)))
        return PXE_UNDI_INVALID_PARAMETER;
    a->sent = !pxe_api_world.transmit(a->out, a->out_len);
    a->statistics.sent += a->sent;
    return a->sent ? PXE_SUCCESS : PXE_UNDI_TRANSMIT_ERROR;
}

static void hand_out(struct pxe_api *a, struct pxe_undi_isr *b)
{
    const uint8_t *frame = a->low_bytes;
    b->flag = PXE_ISR_OUT_RECEIVE;
    b->buffer_length = b->frame_length = a->frame_len;
    b->header_length = ETH_HEAD;
    b->frame = pxe_api_far(a->low);
    b->protocol = ARRAY_SIZE(types);
    while (--b->protocol && types[b->protocol] != load16_be(frame + TYPE_AT))
        ;
    b->packet_type = frame[0] & 1; // PXE_PACKET_DIRECTED, PXE_PACKET_BROADCAST
    if (b->packet_type && (load32_le(frame) & load32_le(frame + 2)) != UINT32_MAX)
        b->packet_type = PXE_PACKET_MULTICAST;
    a->frame_len = 0;
    a->statistics.received++;
}

// Some programs that poll begin with START, others with PROCESS.
unsigned pxe_api_isr(struct pxe_api *a, void *block)
{
    struct pxe_undi_isr *b = block;
    bool start = b->flag == PXE_ISR_IN_START;
    if (!a->frame_len)
        a->frame_len = (uint16_t)pxe_api_world.receive(a->low_bytes, FRAME_RECEIVE_MAX);
    b->flag = start ? PXE_ISR_OUT_OURS : PXE_ISR_OUT_TRANSMIT;
    if (a->sent) {
        a->sent = start;
    } else if (!a->frame_len) {
        b->flag = start; // PXE_ISR_OUT_NOT_OURS, or PXE_ISR_OUT_DONE
    } else if (!start) {
        hand_out(a, b);
    }
    return PXE_SUCCESS;
}
_Static_assert(PXE_ISR_OUT_NOT_OURS == 1 && PXE_ISR_OUT_DONE == 0 && PXE_PACKET_DIRECTED == 0 && PXE_PACKET_BROADCAST == 1, "as above");

// --- what the card is ---

unsigned pxe_api_information(struct pxe_api *a, void *block)
{
    struct pxe_undi_information *b = block;
    memset(b, 0, sizeof *b);
    b->mtu = FRAME_MAX - ETH_HEAD;
    b->hardware_type = HARDWARE_ETHERNET;
    b->address_len = 6;
    memcpy(b->current_address, a->self.mac, 6);
    memcpy(b->permanent_address, a->self.mac, 6);
    b->rx_buffers = MAX(a->self.rx_buffers, 1);
    b->tx_buffers = 1;
    return PXE_SUCCESS;
}

// The program's frames. Of others nothing is known.
unsigned pxe_api_statistics(struct pxe_api *a, void *block)
{
    memcpy(block, &a->statistics, sizeof a->statistics);
    return PXE_SUCCESS;
}

unsigned pxe_api_clear_statistics(struct pxe_api *a, void *block)
{
    memset(&a->statistics, 0, sizeof a->statistics);
    return PXE_SUCCESS;
}

// RFC 1112 6.4.
unsigned pxe_api_mcast_address(struct pxe_api *a, void *block)
{
    struct pxe_undi_mcast_address *b = block;
    store32_be(b->address, 0x01005e00u | (b->ip[1] & 0x7f));
    memcpy(b->address + 4, b->ip + 2, 2);
    return b->ip[0] >> 4 == 0xe ? PXE_SUCCESS : PXE_UNDI_INVALID_PARAMETER;
}

unsigned pxe_api_nic_type(struct pxe_api *a, void *block)
{
    memcpy(block, &a->self.nic, sizeof a->self.nic);
    return a->self.nic.vendor ? PXE_SUCCESS : PXE_UNSUPPORTED;
}

unsigned pxe_api_iface(struct pxe_api *a, void *block)
{
    static const struct pxe_undi_iface iface = {
        .type = "DIX+802.3",
        .link_speed = LINK_SPEED_LEAST,
        .service_flags = SERVICE_BROADCAST | SERVICE_MULTICAST | SERVICE_OPEN_CLOSE,
    };
    memcpy(block, &iface, sizeof iface);
    if (a->self.everything)
        ((struct pxe_undi_iface *)block)->service_flags |= SERVICE_PROMISCUOUS;
    return PXE_SUCCESS;
}
