// SPDX-License-Identifier: MPL-2.0
// UNDI cards (PXE specification 2.1, section 4): what they are, opening and closing, filters, interrupts. Their frames are
// undi_frames.c's.
//
// The base-code stack of a ROM that started Signet stays loaded, so that `exit` can go back to it.
#include "bios/undi_card.h"

#include "base/fmt.h"
#include "bios/ports.h"

#define PACKET_MAX 2048
// Quirk of iPXE's ROMs (QEMU's, e1000): every call of PROCESS and GET_NEXT makes the ROM take in all that its card
// has, so a burst piles up in the ROM's heap; at some 306 frames the heap is full, the card's ring is not filled
// again, and since the driver looks at the ring only when the card reports something, nothing is received until
// the next transmission. Seen as downloads that stand still for a whole retransmission timer, over and over, with
// RDH == RDT in the card's registers. So less than that may be under way.
#define RX_LIMIT 192

static struct {
    struct undi_card cards[UNDI_CARDS_MAX];
    unsigned count;
    uint8_t ack[PACKET_MAX], reply[PACKET_MAX]; // of the card that Signet was booted from
    const struct undi_card *irq_card;           // whose interrupt is hooked
    uint8_t irq_saved_mask;
    bool polling_wanted;
} undi;

// Full frames that a card's receive ring holds under the ROMs that were measured (doc/bios.md): more in flight than
// this is lost on a fast wire. Cards not measured have no row.
static const struct ring {
    uint16_t vendor, device; // device 0: all of that vendor
    uint8_t frames;
    uint8_t limit; // more may never be under way, 0: the window finds out
} rings[] = {
    { 0x10ec, 0x8139, 4, 0 }, // 8 KiB of ring in the chip's smallest setting, which ROMs use
    // ne2k_pci: 58 pages of 256 bytes, nine full frames of six. QEMU's card takes a ring that is full to the last page for an empty
    // one and writes over what waits, and the ROM's driver stays at a frame that makes no sense to it for good. The three
    // frames' room is left for what strangers send.
    { 0x10ec, 0x8029, 6, 6 },
    // 8255x: four descriptors. A fifth frame stops the receiver for good, or is written over the interrupt vectors. Two
    // descriptors are left for what strangers send.
    { 0x8086, 0x1209, 2, 2 },
    { 0x8086, 0x1229, 2, 2 },
    { 0x8086, 0, 8, 0 }, // eight descriptors filled
    { 0x15ad, 0x07b0, 8, 0 },
    { 0x1022, 0x2000, 16, 0 },
};

static const struct card_ops undi_ops; // below

static void know_ring(struct card_info *nic, uint16_t vendor, uint16_t device)
{
    const struct ring *ring = rings;
    while (ring < rings + ARRAY_SIZE(rings) && (ring->vendor != vendor || (ring->device && ring->device != device)))
        ring++;
    if (ring == rings + ARRAY_SIZE(rings))
        return;
    if (nic->rx_buffers == 0)
        nic->rx_buffers = ring->frames;
    if (ring->limit)
        nic->rx_limit = ring->limit;
}

static void take_packets(struct card_info *nic)
{
    nic->dhcp_ack_len = pxe_cached_packet(PXE_PACKET_ACK, undi.ack, sizeof undi.ack);
    nic->dhcp_ack = nic->dhcp_ack_len ? undi.ack : NULL;
    nic->boot_reply_len = pxe_cached_packet(PXE_PACKET_REPLY, undi.reply, sizeof undi.reply);
    nic->boot_reply = nic->boot_reply_len ? undi.reply : NULL;
}

int undi_add(bool booted, struct card **ret)
{
    struct pxe_undi_information info = { 0 };
    if (undi.count == UNDI_CARDS_MAX)
        return ERR_TOO_LARGE;
    if (pxe_call(PXENV_UNDI_GET_INFORMATION, &info, sizeof info) != 0)
        return ERR_UNDI_CALL;
    struct undi_card *card = &undi.cards[undi.count];
    struct card_info *nic = &card->card.info;
    memset(card, 0, sizeof *card);
    card->card.ops = &undi_ops;
    card->entry = pxe_entry;
    fmt_snprintf(nic->driver, sizeof nic->driver, "undi");
    memcpy(nic->mac, info.current_address, 6);
    // Quirk: RxBufCt is what the ROM says; QEMU's say 1 for cards that hold 5 (rtl8139), 8 (e1000) or more (virtio)
    // full frames, so small numbers mean "not known".
    nic->rx_buffers = info.rx_buffers >= 4 && info.rx_buffers <= 1024 ? info.rx_buffers : 0;
    nic->rx_limit = RX_LIMIT;
    nic->mtu = 1500;
    card->irq = info.irq < 16 ? (uint8_t)info.irq : 0;

    struct pxe_undi_nic_type type = { 0 };
    struct pxe_undi_iface iface = { 0 };
    if (pxe_call(PXENV_UNDI_GET_IFACE_INFO, &iface, sizeof iface) == 0)
        card->irq_offered = (iface.service_flags & SERVICE_IRQ) && card->irq != 0;
    if (pxe_call(PXENV_UNDI_GET_NIC_TYPE, &type, sizeof type) == 0 && (type.type == 2 || type.type == 4)) {
        fmt_snprintf(nic->chip, sizeof nic->chip, "PCI %04x:%04x by %s, irq %u", type.vendor, type.device, pxe_kind(),
                     card->irq);
        know_ring(nic, type.vendor, type.device);
        card->on_pci = true;
        card->at = type.bus_dev_fn;
    } else {
        fmt_snprintf(nic->chip, sizeof nic->chip, "card by %s, irq %u", pxe_kind(), card->irq);
    }
    if (booted)
        take_packets(nic);
    undi.count++;
    *ret = &card->card;
    return 0;
}

static struct undi_card *card_of(struct card *of)
{
    return container_of(of, struct undi_card, card);
}

bool undi_place(struct card *of, uint16_t *ret_at)
{
    *ret_at = card_of(of)->at;
    return card_of(of)->on_pci;
}

struct undi_card *undi_select(struct card *of)
{
    pxe_entry = card_of(of)->entry;
    return card_of(of);
}

bool undi_any_open(void)
{
    bool any = false;
    for (unsigned i = 0; i < undi.count; i++)
        any = any || undi.cards[i].open;
    return any;
}

// ---- interrupts ----

static uint8_t irq_vector(uint8_t irq)
{
    return (uint8_t)(irq < 8 ? 0x08 + irq : 0x70 + irq - 8);
}

static uint16_t pic_port(uint8_t irq)
{
    return irq < 8 ? 0x21 : 0xa1;
}

static void irq_hook(const struct undi_card *card)
{
    struct segoff ours = segoff_of((uint32_t)irq_entry);
    void *vector = low_memory(irq_vector(card->irq) * 4u);
    uint8_t bit = (uint8_t)(1u << (card->irq & 7));
    memcpy(&irq_old, vector, sizeof irq_old);
    memcpy(vector, &ours, sizeof ours);
    irq_line = card->irq;
    irq_seen = 0;
    undi.irq_saved_mask = in8(pic_port(card->irq));
    out8(pic_port(card->irq), undi.irq_saved_mask & (uint8_t)~bit);
    if (card->irq >= 8)
        out8(0x21, in8(0x21) & (uint8_t)~(1u << 2)); // the cascade
    undi.irq_card = card;
    rx_mode = RX_USE_IRQ;
}

void undi_irq_unhook(void)
{
    if (!undi.irq_card)
        return;
    uint8_t irq = undi.irq_card->irq, bit = (uint8_t)(1u << (irq & 7));
    out8(pic_port(irq), (uint8_t)((in8(pic_port(irq)) & ~bit) | (undi.irq_saved_mask & bit)));
    memcpy(low_memory(irq_vector(irq) * 4u), &irq_old, sizeof irq_old);
    undi.irq_card = NULL;
    rx_mode &= (uint8_t)~RX_USE_IRQ;
}

// ---- opening and closing ----

static uint8_t filter(const struct undi_card *card)
{
    return FILTER_DIRECTED | FILTER_BROADCAST | (card->promiscuous ? FILTER_PROMISCUOUS : 0);
}

static uint16_t open_call(struct undi_card *card)
{
    struct pxe_undi_open open = { .filter = filter(card), .mcast = card->mcast };
    card->filter_set = filter(card);
    return pxe_call(PXENV_UNDI_OPEN, &open, sizeof open);
}

// One that takes nothing, and whose failure is nothing that anybody could mend.
static void simple_call(uint16_t function)
{
    struct pxe_status status = { 0 };
    (void)pxe_call(function, &status, sizeof status);
}

static void close_call(void)
{
    simple_call(PXENV_UNDI_CLOSE);
}

static void start_calls(void)
{
    struct pxe_undi_initialize initialize = { 0 };
    simple_call(PXENV_UNDI_STARTUP);
    (void)pxe_call(PXENV_UNDI_INITIALIZE, &initialize, sizeof initialize);
}

void undi_lend(struct card *of)
{
    struct undi_card *card = undi_select(of);
    simple_call(PXENV_UDP_CLOSE);
    close_call();
    simple_call(PXENV_UNDI_SHUTDOWN);
    card->lent = true;
}

void undi_take_back(struct card *of)
{
    struct undi_card *card = undi_select(of);
    start_calls();
    card->lent = false;
}

static int open(struct card *of)
{
    struct undi_card *card = undi_select(of);
    simple_call(PXENV_UDP_CLOSE); // the ROM's own UDP and TFTP may still hold the card; failure means that they do not
    undi_frames_reset(card);
    // The handler knows one ROM: of several cards, all are polled.
    if (card->irq_offered && undi.count == 1 && !undi.polling_wanted)
        irq_hook(card);
    // ROMs hand the card over open, closed or half started, and refuse the step that is done already: try the
    // shortest way first.
    uint16_t result = open_call(card);
    if (result != 0) {
        close_call();
        result = open_call(card);
    }
    if (result != 0) {
        start_calls();
        result = open_call(card);
    }
    if (result != 0) {
        undi_irq_unhook();
        return ERR_UNDI_CALL;
    }
    card->open = true;
    return 0;
}

static void close(struct card *of)
{
    struct undi_card *card = undi_select(of);
    close_call();
    if (undi.irq_card == card)
        undi_irq_unhook();
    card->open = false;
    undi_frames_reset(card);
}

bool undi_is_open(struct card *card)
{
    return undi_select(card)->open;
}

void undi_close_all(void)
{
    for (unsigned i = 0; i < undi.count; i++)
        if (undi.cards[i].open)
            close(&undi.cards[i].card);
        else if (undi.cards[i].lent)
            undi_take_back(&undi.cards[i].card);
}

void undi_shutdown(void)
{
    for (unsigned i = 0; i < undi.count; i++) {
        struct undi_card *card = undi_select(&undi.cards[i].card);
        if (card->open)
            close(&card->card);
        if (!card->lent)
            simple_call(PXENV_UNDI_SHUTDOWN);
    }
    undi.count = 0;
}

static int multicast(struct card *of, const uint8_t (*macs)[6], unsigned count)
{
    struct undi_card *card = undi_select(of);
    // UNDI takes eight; more are had by taking everything.
    card->promiscuous = count > PXE_MCAST_MAX;
    memset(&card->mcast, 0, sizeof card->mcast);
    card->mcast.count = (uint16_t)MIN(count, (unsigned)PXE_MCAST_MAX);
    for (unsigned i = 0; i < card->mcast.count; i++)
        memcpy(card->mcast.address[i], macs[i], 6);
    struct pxe_undi_set_mcast set_mcast = { .mcast = card->mcast };
    struct pxe_undi_set_filter set_filter = { .filter = filter(card) };
    bool was_promiscuous = card->filter_set & FILTER_PROMISCUOUS;
    if ((card->promiscuous == was_promiscuous || pxe_call(PXENV_UNDI_SET_PACKET_FILTER, &set_filter, sizeof set_filter) == 0) &&
        (card->promiscuous || pxe_call(PXENV_UNDI_SET_MCAST_ADDRESS, &set_mcast, sizeof set_mcast) == 0)) {
        card->filter_set = filter(card);
        return 0;
    }
    // A filter that cannot be changed in place is set by opening anew. That may cost seconds of link.
    close_call();
    if (open_call(card) == 0)
        return 0;
    card->promiscuous = true;
    close_call();
    return open_call(card) == 0 ? 0 : ERR_UNDI_CALL;
}

void undi_prefer_polling(bool polling)
{
    undi.polling_wanted = polling;
}

// A ROM is not asked for the link: these cards cannot tell.
static const struct card_ops undi_ops = { .open = open, .close = close, .multicast = multicast, .send = undi_send, .receive = undi_receive };
