// SPDX-License-Identifier: MPL-2.0
// See e1000.h. Rings, frames and multicast; the card itself is e1000_card.c's.
#include "drivers/e1000.h"

#include "base/bytes.h"
#include "drivers/barrier.h"
#include "drivers/e1000_card.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are little-endian, and read as they are");

#define BUFFER_SIZE 2048u // what RCTL says with zeros in its size fields
#define ETHERNET_HEADER 14u
#define PCI_SUBSYSTEM_VENDOR 0x2Cu
#define TX_BATCH 16u       // answers to what is received (TCP has one for every two frames) that the card is told of together
#define TX_FLUSH_US 50000u // for all that was sent before the card is stopped
#define TX_WIRE_US 2000u   // from its buffer onto the wire, at 100 Mbit/s

// What card and driver share, one piece. A receive buffer is at its descriptor's address as long as the card is open.
struct shared {
    volatile struct e1000_rx_descriptor rx[E1000_RX_COUNT];
    volatile struct e1000_tx_descriptor tx[E1000_TX_COUNT];
    uint8_t rx_buffer[E1000_RX_COUNT][BUFFER_SIZE];
    uint8_t tx_buffer[E1000_TX_COUNT][BUFFER_SIZE];
};
// Lengths of rings are multiples of 128 bytes (RDLEN, TDLEN), their addresses of 16; counting wraps by masks.
_Static_assert(E1000_RX_COUNT % 8 == 0 && E1000_TX_COUNT % 8 == 0 && offsetof(struct shared, tx) % 16 == 0, "rings");
_Static_assert(!(E1000_RX_COUNT & (E1000_RX_COUNT - 1)) && !(E1000_TX_COUNT & (E1000_TX_COUNT - 1)), "powers of two");
_Static_assert(E1000_RX_COUNT % E1000_RX_BATCH == 0 && FRAME_RECEIVE_MAX <= BUFFER_SIZE, "batches, buffers");

struct e1000 {
    struct nic base;
    struct e1000_card card;
    struct shared *shared;
    uint64_t bus;     // where the card sees it
    uint32_t rx_next; // the descriptor that the card fills next
    uint32_t rx_tail; // not 0: it belongs to a frame of which the part before it was dropped
    bool rx_in_hand;  // the caller has a frame, and will ask for the next one soon
    uint32_t tx_next; // the descriptor that the next frame gets
    uint32_t tx_told; // as the card knows it: TDT
    uint64_t hears_us; // frames come in from then on
    uint32_t everything; // bits of RCTL that let all frames in, or 0
    uint32_t groups[E1000_MTA_WORDS]; // the multicast table as the card has it
};

static struct e1000 *e1000_of(struct card *card)
{
    return container_of(card, struct e1000, base.card);
}

static int probe(const struct pci_function *pci, uint8_t ret_mac[6])
{
    struct e1000_card card;
    e1000_card_take(&card, pci);
    int err = e1000_card_mac(&card, ret_mac);
    e1000_card_release(&card);
    return err;
}

static void set_address(const struct e1000 *nic)
{
    const struct e1000_card *card = &nic->card;
    const uint8_t *mac = nic->base.card.info.mac;
    e1000_write(card, E1000_RAL0, load32_le(mac));
    e1000_write(card, E1000_RAH0, load16_le(mac + 4) | E1000_RAH_VALID);
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        e1000_write(card, E1000_MTA + 4 * i, nic->groups[i]); // whoever had the card before may have left some
}

// The link comes up by itself. No flow control: the protocols above give no more credit than there are buffers, and a switch
// would hold back the frames of others for a machine that has stopped.
static void set_link(const struct e1000_card *card)
{
    uint32_t ctrl = e1000_read(card, E1000_CTRL);
    ctrl &= ~(E1000_CTRL_LINK_RESET | E1000_CTRL_INVERT_LOSS | E1000_CTRL_FORCE_SPEED | E1000_CTRL_FORCE_DUPLEX |
              E1000_CTRL_RX_PAUSE | E1000_CTRL_TX_PAUSE | E1000_CTRL_VLAN | E1000_CTRL_PHY_RESET);
    e1000_write(card, E1000_CTRL, ctrl | E1000_CTRL_LINK_UP);
    if (card->queues)
        e1000_card_negotiate(card);
}

static int start_transmitter(const struct e1000 *nic)
{
    const struct e1000_card *card = &nic->card;
    uint64_t bus = nic->bus + offsetof(struct shared, tx);
    int err = 0;
    for (unsigned i = 0; i < E1000_TX_COUNT; i++) {
        nic->shared->tx[i].address = nic->bus + offsetof(struct shared, tx_buffer) + i * BUFFER_SIZE;
        nic->shared->tx[i].status = E1000_TX_DONE; // free
    }
    e1000_write(card, E1000_TDBAL, (uint32_t)bus);
    e1000_write(card, E1000_TDBAH, (uint32_t)(bus >> 32));
    e1000_write(card, E1000_TDLEN, sizeof nic->shared->tx);
    e1000_write(card, E1000_TDH, 0);
    e1000_write(card, E1000_TDT, 0);
    if (card->queues)
        err = e1000_card_start_queue(card, E1000_TXDCTL);
    else if (card->express)
        e1000_write(card, E1000_TXDCTL, e1000_read(card, E1000_TXDCTL) | E1000_TXDCTL_COUNT);
    else
        e1000_write(card, E1000_TIPG, 10 | 8 << 10 | 6 << 20); // gaps between frames; has no default there (13.4.34)
    uint32_t tctl = e1000_read(card, E1000_TCTL) & ~E1000_TCTL_COLLISION_FIELDS;
    tctl |= 15u << E1000_TCTL_RETRIES_SHIFT | 64u << E1000_TCTL_COLLISION_SHIFT; // as recommended (13.4.33)
    e1000_write(card, E1000_TCTL, tctl | E1000_TCTL_ENABLE | E1000_TCTL_PAD);
    return err;
}

// The card may have descriptor i, with the buffer that is always its own.
static inline void give(const struct e1000 *nic, uint32_t i)
{
    volatile struct e1000_rx_descriptor *d = &nic->shared->rx[i];
    d->address = nic->bus + offsetof(struct shared, rx_buffer) + i * BUFFER_SIZE;
    d->word[0] = d->word[1] = 0;
}

static int start_receiver(const struct e1000 *nic)
{
    const struct e1000_card *card = &nic->card;
    int err = 0;
    for (unsigned i = 0; i < E1000_RX_COUNT; i++)
        give(nic, i);
    e1000_write(card, E1000_RDBAL, (uint32_t)nic->bus); // they come first in it
    e1000_write(card, E1000_RDBAH, (uint32_t)(nic->bus >> 32));
    e1000_write(card, E1000_RDLEN, sizeof nic->shared->rx);
    e1000_write(card, E1000_RDH, 0);
    // Each descriptor is written back at once, for nobody waits for an interrupt that comes later.
    if (card->queues) {
        e1000_write(card, E1000_SRRCTL, E1000_SRRCTL_ADVANCED | BUFFER_SIZE / 1024 * E1000_SRRCTL_KIB);
        err = e1000_card_start_queue(card, E1000_RXDCTL);
    } else {
        e1000_write(card, E1000_RDTR, 0);
        e1000_write(card, E1000_RADV, 0);
        e1000_write(card, E1000_RXDCTL, E1000_XDCTL_DESCRIPTORS | 1u << E1000_XDCTL_WRITEBACK_SHIFT);
    }
    e1000_write(card, E1000_RDT, E1000_RX_COUNT - 1); // head = tail would mean none
    e1000_write(card, E1000_RXCSUM, 0); // what is above checks sums itself
    return err;
}

// Frames come in from here on, or from a second later.
static void listen(struct e1000 *nic)
{
    const struct pci_function *pci = nic->base.pci;
    bool qemu = pci->ops->config_read(pci->ctx, PCI_SUBSYSTEM_VENDOR, 2) == E1000_QEMU_SUBSYSTEM;
    e1000_write(&nic->card, E1000_RCTL, E1000_RCTL_ENABLE | E1000_RCTL_BROADCAST | E1000_RCTL_STRIP_CRC | nic->everything);
    nic->hears_us = e1000_now_us(&nic->card) + (qemu && !nic->card.express ? E1000_QEMU_DEAF_US : 0);
}

// From a reset to work, with empty rings.
static int start(struct e1000 *nic)
{
    nic->rx_next = nic->rx_tail = nic->tx_next = nic->tx_told = 0;
    e1000_card_master(&nic->card);
    set_address(nic);
    set_link(&nic->card);
    int err = start_transmitter(nic);
    if (!err)
        err = start_receiver(nic);
    if (!err)
        listen(nic);
    return err;
}

static void stop(struct e1000 *nic)
{
    const struct pci_function *pci = nic->base.pci;
    if (e1000_card_reset(&nic->card) != 0)
        nic->card.command &= ~PCI_COMMAND_MASTER; // it may do anything now, but not to memory
    e1000_card_release(&nic->card);
    pci->ops->dma_free(pci->ctx, nic->shared, sizeof *nic->shared);
}

static int open(struct card *net)
{
    struct e1000 *nic = e1000_of(net);
    struct e1000_card *card = &nic->card;
    const struct pci_function *pci = nic->base.pci;
    struct card_info *info = &net->info;
    *nic = (struct e1000){ .base = nic->base };
    e1000_card_take(card, pci);
    int err = e1000_card_reset(card);
    if (!err)
        err = e1000_card_mac(card, info->mac);
    if (!err) {
        nic->shared = pci->ops->dma_alloc(pci->ctx, sizeof *nic->shared, &nic->bus);
        err = nic->shared ? 0 : ERR_NO_MEMORY;
    }
    if (err) {
        e1000_card_release(card);
        return err;
    }
    info->rx_buffers = E1000_RX_COUNT - E1000_RX_BATCH;
    info->mtu = 1500;
    err = start(nic);
    if (err)
        stop(nic);
    return err;
}

static void tell_of_sent(struct e1000 *nic)
{
    if (nic->tx_told != nic->tx_next)
        e1000_write(&nic->card, E1000_TDT, nic->tx_next);
    nic->tx_told = nic->tx_next;
}

// What was sent leaves the card before it is stopped: it may be what tells a server how the boot went.
static void flush(struct e1000 *nic)
{
    const struct e1000_card *card = &nic->card;
    tell_of_sent(nic);
    uint32_t last = (nic->tx_next + E1000_TX_COUNT - 1) % E1000_TX_COUNT;
    uint64_t end = e1000_now_us(card) + TX_FLUSH_US;
    while (!(nic->shared->tx[last].status & E1000_TX_DONE) && e1000_now_us(card) < end)
        ;
    e1000_pause_us(card, TX_WIRE_US);
}

static void close(struct card *net)
{
    struct e1000 *nic = e1000_of(net);
    flush(nic);
    stop(nic);
}

static bool link(struct card *net)
{
    struct e1000 *nic = e1000_of(net);
    const struct e1000_card *card = &nic->card;
    uint32_t control = e1000_read(card, E1000_RCTL), status = e1000_read(card, E1000_STATUS);
    // A card that was reset by others hears nothing any more: it is begun with anew.
    if (!(control & E1000_RCTL_ENABLE) && (e1000_card_reset(card) != 0 || start(nic) != 0))
        return false;
    return e1000_now_us(card) >= nic->hears_us && status != E1000_GONE && (status & E1000_STATUS_LINK);
}

// The table is that of a hash: the address's upper twelve bits (RCTL's field for it is 0; 317453, 13.5.1).
static int multicast(struct card *net, const uint8_t (*macs)[6], unsigned count)
{
    struct e1000 *nic = e1000_of(net);
    uint32_t groups[E1000_MTA_WORDS] = { 0 };
    for (unsigned i = 0; i < count; i++) {
        unsigned hash = macs[i][4] >> 4 | macs[i][5] << 4;
        groups[hash / 32] |= 1u << hash % 32;
    }
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        if (groups[i] != nic->groups[i])
            e1000_write(&nic->card, E1000_MTA + 4 * i, groups[i]);
    memcpy(nic->groups, groups, sizeof groups);
    return 0;
}

static int promiscuous(struct card *net, bool on)
{
    struct e1000 *nic = e1000_of(net);
    nic->everything = on ? E1000_RCTL_ALL_UNICAST | E1000_RCTL_ALL_MULTICAST : 0;
    listen(nic);
    return 0;
}

static int send(struct card *net, const void *frame, size_t len)
{
    struct e1000 *nic = e1000_of(net);
    uint32_t i = nic->tx_next, next = (i + 1) % E1000_TX_COUNT;
    if (len < ETHERNET_HEADER || len > FRAME_MAX)
        return ERR_NET_LINK;
    // One stays unused, for head = tail means none; so the one behind must be free. Without a link it soon is not.
    if (!(nic->shared->tx[next].status & E1000_TX_DONE))
        return 0; // dropped, as a wire does
    volatile struct e1000_tx_descriptor *d = &nic->shared->tx[i];
    memcpy(nic->shared->tx_buffer[i], frame, len);
    d->command = (uint32_t)len | E1000_TX_END | E1000_TX_INSERT_CRC | E1000_TX_REPORT;
    d->status = 0;
    nic->tx_next = next;
    if (!nic->rx_in_hand || (next - nic->tx_told) % E1000_TX_COUNT == TX_BATCH)
        tell_of_sent(nic);
    return 0;
}

// Takes the frame out of descriptor i, which has this status. Its length, or 0: it is dropped.
static inline int take(struct e1000 *nic, uint32_t i, uint32_t status, uint8_t **ret_frame)
{
    barrier_read();
    uint32_t length = nic->shared->rx[i].word[nic->card.queues] & 0xFFFF;
    give(nic, i);
    nic->rx_next = (i + 1) % E1000_RX_COUNT;
    uint32_t errors = nic->card.queues ? E1000_RX_ERRORS_ADVANCED : E1000_RX_ERRORS;
    uint32_t flaws = (status ^ E1000_RX_END) & (E1000_RX_END | errors);
    bool whole = !(flaws | nic->rx_tail);
    nic->rx_tail = flaws & E1000_RX_END;
    if (!whole || length < ETHERNET_HEADER || length > FRAME_RECEIVE_MAX)
        return 0;
    nic->rx_in_hand = true;
    *ret_frame = nic->shared->rx_buffer[i];
    return (int)length;
}

static inline uint32_t status_of(const struct e1000 *nic, uint32_t i)
{
    return nic->shared->rx[i].word[!nic->card.queues];
}

// What is rare in receive(), out of line, so that it saves no registers for it.
#define RARELY __attribute__((noinline))

static RARELY int receive_none(struct e1000 *nic)
{
    nic->rx_in_hand = false;
    tell_of_sent(nic);
    return 0;
}

// Behind take(): a batch is full, or the frame was dropped and the next one is looked for.
static RARELY int receive_more(struct e1000 *nic, uint32_t i, int length, uint8_t **ret_frame)
{
    // A card that brings nothing but bad frames does not keep us for ever.
    for (unsigned n = 0; n < E1000_RX_COUNT; n++) {
        if (i % E1000_RX_BATCH == 0) {
            // All frames before this one have been looked at: the card may have their buffers again.
            e1000_write(&nic->card, E1000_RDT, i);
            tell_of_sent(nic);
        }
        if (length)
            return length;
        i = nic->rx_next;
        uint32_t status = status_of(nic, i);
        if (!(status & E1000_RX_DONE))
            break;
        length = take(nic, i, status, ret_frame);
    }
    return receive_none(nic);
}

// This is the path of every frame: memory alone, but for RDT once for E1000_RX_BATCH of them, and TDT when something was sent.
static int receive(struct card *net, uint8_t **ret_frame)
{
    struct e1000 *nic = e1000_of(net);
    uint32_t i = nic->rx_next, status = status_of(nic, i);
    if (!(status & E1000_RX_DONE))
        return receive_none(nic);
    int length = take(nic, i, status, ret_frame);
    return length && i % E1000_RX_BATCH ? length : receive_more(nic, i, length, ret_frame);
}

static bool e1000_knows(uint16_t vendor, uint16_t device)
{
    return e1000_card_knows(vendor, device, false);
}

static bool igb_knows(uint16_t vendor, uint16_t device)
{
    return e1000_card_knows(vendor, device, true);
}

#define DRIVER(called, its)                                                                          \
    {                                                                                                \
        .name = called, .size = sizeof(struct e1000), .knows = its, .probe = probe,                  \
        .ops = { open, close, link, multicast, send, receive, promiscuous },                         \
    }
const struct nic_driver e1000_driver = DRIVER("e1000", e1000_knows);
const struct nic_driver igb_driver = DRIVER("igb", igb_knows);
