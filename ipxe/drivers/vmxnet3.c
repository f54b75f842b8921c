// SPDX-License-Identifier: MPL-2.0
// See vmxnet3.h. All counters run on: an entry of a ring is one modulo the ring's size, and its lap is what is above.
#include "drivers/vmxnet3.h"

#include "base/bytes.h"
#include "drivers/barrier.h"
#include "drivers/vmxnet3_regs.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shared memory is little-endian, and read as it is");

#define RX_COUNT VMXNET3_RX_COUNT
#define TX_COUNT VMXNET3_TX_COUNT
#define RX_BATCH 128u // buffers that the card is told of together, if it wants that at all
#define TX_BATCH 16u  // answers to what is received (TCP has one for every two frames) that it is told of together
#define TX_FLUSH_US 50000u // for all that was sent before the card is stopped
#define BUFFER_SIZE 1536u
#define ETHERNET_HEADER 14u
#define MTU 1500u

enum { QUEUE_TX, QUEUE_RX, QUEUES };

// What card and driver share, one piece.
struct shared {
    uint8_t rx_buffer[RX_COUNT][BUFFER_SIZE];
    uint8_t tx_buffer[TX_COUNT][BUFFER_SIZE];
    // All zeros before the card begins.
    struct work {
        volatile struct vmxnet3_descriptor rx[RX_COUNT];
        volatile struct vmxnet3_completion rx_done[RX_COUNT];
        volatile struct vmxnet3_descriptor tx[TX_COUNT];
        volatile struct vmxnet3_completion tx_done[TX_COUNT];
        volatile struct vmxnet3_queue queues[QUEUES];
    } work;
    struct vmxnet3_shared card;
    uint8_t groups[CARD_GROUPS_MAX][6];
};
// A ring lies on a multiple of 512 bytes and has a multiple of 32 entries; queues lie on one of 128 bytes.
_Static_assert(offsetof(struct shared, work) % 512 == 0 && offsetof(struct work, rx_done) % 512 == 0, "rings");
_Static_assert(offsetof(struct work, tx) % 512 == 0 && offsetof(struct work, tx_done) % 512 == 0, "rings");
_Static_assert(offsetof(struct work, queues) % 128 == 0 && offsetof(struct shared, card) % 8 == 0, "queues, the rest");
_Static_assert(RX_COUNT % 32 == 0 && TX_COUNT % 32 == 0 && FRAME_RECEIVE_MAX <= BUFFER_SIZE, "sizes");
_Static_assert(!(RX_COUNT & (RX_COUNT - 1)) && !(TX_COUNT & (TX_COUNT - 1)) && RX_COUNT <= VMXNET3_DONE_INDEX + 1, "powers of two");

struct vmxnet3 {
    struct nic base;
    struct shared *shared;
    uint64_t bus;     // where the card sees it
    uint32_t command; // the function's command register as it was found
    uint32_t rx_given; // buffers that were the card's. One is not: that which the caller may have in its hands
    uint32_t rx_told;  // as the card knows it
    uint32_t rx_done;  // completions that were looked at
    uint32_t everything; // bits of the receive mode that let all frames in, or 0
    bool rx_in_hand;   // the caller has a frame, and will ask for the next one soon
    uint32_t tx_given, tx_told, tx_done; // the same of frames
};

static struct vmxnet3 *vmxnet3_of(struct card *card)
{
    return container_of(card, struct vmxnet3, base.card);
}

static uint32_t card_read(const struct pci_function *pci, uint32_t offset)
{
    return pci->ops->read(pci->ctx, VMXNET3_BAR_CARD, offset, 4);
}
static void card_write(const struct pci_function *pci, uint32_t offset, uint32_t value)
{
    pci->ops->write(pci->ctx, VMXNET3_BAR_CARD, offset, 4, value);
}
static void queue_write(const struct vmxnet3 *n, uint32_t offset, uint32_t value)
{
    n->base.pci->ops->write(n->base.pci->ctx, VMXNET3_BAR_QUEUES, offset, 4, value);
}
static uint32_t command(const struct vmxnet3 *n, uint32_t code)
{
    card_write(n->base.pci, VMXNET3_COMMAND, code);
    return card_read(n->base.pci, VMXNET3_COMMAND);
}

static bool knows(uint16_t vendor, uint16_t device)
{
    return vendor == VMXNET3_VENDOR && device == VMXNET3_DEVICE;
}

// Makes the registers answer. The function's command register as it was.
static uint32_t take(const struct pci_function *pci, uint32_t more)
{
    uint32_t before = pci->ops->config_read(pci->ctx, PCI_COMMAND, 2);
    pci->ops->config_write(pci->ctx, PCI_COMMAND, 2, before | PCI_COMMAND_MEMORY | more);
    return before;
}
static void release(const struct pci_function *pci, uint32_t before)
{
    pci->ops->config_write(pci->ctx, PCI_COMMAND, 2, before);
}

// Does it know the first revision of all? Then its address.
static int identify(const struct pci_function *pci, uint8_t ret_mac[6])
{
    uint32_t revisions = card_read(pci, VMXNET3_REVISION), low = card_read(pci, VMXNET3_MAC_LOW), high = card_read(pci, VMXNET3_MAC_HIGH);
    bool known = revisions & card_read(pci, VMXNET3_UPT) & VMXNET3_FIRST;
    if (!known || (low & 1) || !(low | (uint16_t)high)) // a card that is gone has all ones there
        return ERR_NET_LINK;
    store32_le(ret_mac, low);
    store16_le(ret_mac + 4, (uint16_t)high);
    return 0;
}

static int probe(const struct pci_function *pci, uint8_t ret_mac[6])
{
    uint32_t before = take(pci, 0);
    int err = identify(pci, ret_mac);
    release(pci, before);
    return err;
}

static bool is_done(const volatile struct vmxnet3_completion *c, uint32_t lap)
{
    return !(c->word[3] & VMXNET3_DONE_GENERATION) == !!lap;
}

// The card has a further buffer.
static inline void give(struct vmxnet3 *n)
{
    uint32_t i = n->rx_given % RX_COUNT;
    volatile struct vmxnet3_descriptor *d = &n->shared->work.rx[i];
    d->address = n->bus + offsetof(struct shared, rx_buffer) + i * BUFFER_SIZE;
    d->flags = 0;
    barrier_write();
    d->length = BUFFER_SIZE | (n->rx_given & RX_COUNT ? 0 : VMXNET3_RX_GENERATION);
    n->rx_given++;
}

// Looks at what has been sent. True: it is all of it.
static bool reap(struct vmxnet3 *n)
{
    while (n->tx_done != n->tx_given && is_done(&n->shared->work.tx_done[n->tx_done % TX_COUNT], n->tx_done & TX_COUNT))
        n->tx_done++;
    return n->tx_done == n->tx_given;
}

static void tell(struct vmxnet3 *n)
{
    if (n->tx_told != n->tx_given)
        queue_write(n, VMXNET3_TX_PRODUCER, n->tx_given % TX_COUNT);
    n->tx_told = n->tx_given;
    if (n->rx_told == n->rx_given)
        return;
    if (n->shared->work.queues[QUEUE_RX].wants_producer)
        queue_write(n, VMXNET3_RX_PRODUCER, n->rx_given % RX_COUNT);
    n->rx_told = n->rx_given;
}

// What was sent leaves the card before it is stopped: it may be what tells a server how the boot went. True: it has left.
static bool flush(struct vmxnet3 *n)
{
    const struct pci_function *pci = n->base.pci;
    tell(n);
    for (uint64_t end = pci->ops->now_us(pci->ctx) + TX_FLUSH_US; !reap(n);)
        if (pci->ops->now_us(pci->ctx) >= end)
            return false;
    return true;
}

static void describe_queue(struct vmxnet3 *n, unsigned queue, size_t ring, size_t completions, uint32_t count)
{
    volatile struct vmxnet3_queue *q = &n->shared->work.queues[queue];
    q->ring = n->bus + ring;
    q->completions = n->bus + completions;
    q->ring_size = q->completions_size = count;
}

static void describe(struct vmxnet3 *n)
{
    struct vmxnet3_shared *s = &n->shared->card;
    s->magic = VMXNET3_MAGIC;
    s->guest = VMXNET3_GUEST_PXE | (sizeof(void *) == 8 ? VMXNET3_GUEST_64 : VMXNET3_GUEST_32);
    s->driver_version = s->revision = s->upt = VMXNET3_FIRST;
    s->queues = n->bus + offsetof(struct shared, work.queues);
    s->queues_length = sizeof n->shared->work.queues;
    s->mtu = MTU;
    s->rx_fragments = s->tx_queues = s->rx_queues = s->interrupts = 1;
    s->interrupt_control = VMXNET3_NO_INTERRUPTS;
    s->groups = n->bus + offsetof(struct shared, groups);
    memset(s->vlans, 0xFF, sizeof s->vlans); // tags are looked at above, that of VLAN 0 for one
    describe_queue(n, QUEUE_TX, offsetof(struct shared, work.tx), offsetof(struct shared, work.tx_done), TX_COUNT);
    describe_queue(n, QUEUE_RX, offsetof(struct shared, work.rx), offsetof(struct shared, work.rx_done), RX_COUNT);
}

static void set_filters(const struct vmxnet3 *n)
{
    struct vmxnet3_shared *s = &n->shared->card;
    s->rx_mode = VMXNET3_RX_UNICAST | VMXNET3_RX_BROADCAST | (s->groups_length ? VMXNET3_RX_GROUPS : 0) | n->everything;
    for (uint32_t code = VMXNET3_UPDATE_RX_MODE; code <= VMXNET3_UPDATE_VLANS; code++)
        (void)command(n, code);
}

// From whatever it does to work, with empty rings.
static int start(struct vmxnet3 *n)
{
    const struct pci_function *pci = n->base.pci;
    const uint8_t *mac = n->base.card.info.mac;
    uint64_t at = n->bus + offsetof(struct shared, card);
    (void)command(n, VMXNET3_RESET);
    memset(&n->shared->work, 0, sizeof n->shared->work);
    describe(n);
    n->rx_done = n->tx_given = n->tx_told = n->tx_done = n->rx_given = 0;
    while (n->rx_given < RX_COUNT - 1)
        give(n);
    card_write(pci, VMXNET3_REVISION, VMXNET3_FIRST);
    card_write(pci, VMXNET3_UPT, VMXNET3_FIRST);
    card_write(pci, VMXNET3_SHARED_LOW, (uint32_t)at);
    card_write(pci, VMXNET3_SHARED_HIGH, (uint32_t)(at >> 32));
    if (command(n, VMXNET3_ACTIVATE) != 0)
        return ERR_NET_LINK;
    card_write(pci, VMXNET3_MAC_LOW, load32_le(mac));
    card_write(pci, VMXNET3_MAC_HIGH, load16_le(mac + 4));
    set_filters(n);
    n->rx_told = n->rx_given;
    queue_write(n, VMXNET3_RX_PRODUCER, n->rx_given);
    return 0;
}

static void stop(struct vmxnet3 *n)
{
    const struct pci_function *pci = n->base.pci;
    if (command(n, VMXNET3_RESET) != 0)
        n->command &= ~PCI_COMMAND_MASTER; // it may do anything now, but not to memory
    release(pci, n->command);
    pci->ops->dma_free(pci->ctx, n->shared, sizeof *n->shared);
}

static int open(struct card *net)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    const struct pci_function *pci = n->base.pci;
    *n = (struct vmxnet3){ .base = n->base };
    n->command = take(pci, 0);
    int err = identify(pci, net->info.mac);
    if (!err) {
        (void)command(n, VMXNET3_RESET); // before it may reach memory: it may have been left with the rings of others
        n->shared = pci->ops->dma_alloc(pci->ctx, sizeof *n->shared, &n->bus);
        err = n->shared ? 0 : ERR_NO_MEMORY;
    }
    if (err) {
        release(pci, n->command);
        return err;
    }
    (void)take(pci, PCI_COMMAND_MASTER);
    net->info.rx_buffers = RX_COUNT - 1;
    net->info.mtu = MTU;
    err = start(n);
    if (err)
        stop(n);
    return err;
}

static void close(struct card *net)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    (void)flush(n);
    stop(n);
}

// A card that stopped a queue, or does not send what it was given any more since somebody has reset it, is begun with anew.
static bool link(struct card *net)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    const volatile struct vmxnet3_queue *q = n->shared->work.queues;
    uint32_t state = command(n, VMXNET3_LINK);
    if (state == VMXNET3_GONE || !(state & VMXNET3_LINK_UP))
        return false;
    (void)command(n, VMXNET3_QUEUE_STATUS);
    bool works = !(q[QUEUE_TX].stopped | q[QUEUE_RX].stopped) && flush(n);
    return works || start(n) == 0;
}

static int multicast(struct card *net, const uint8_t (*macs)[6], unsigned count)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    n->shared->card.groups_length = (uint16_t)(6 * count);
    if (count)
        memcpy(n->shared->groups, macs, 6 * count);
    set_filters(n);
    return 0;
}

static int promiscuous(struct card *net, bool on)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    n->everything = on ? VMXNET3_RX_EVERYTHING : 0;
    set_filters(n);
    return 0;
}

static int send(struct card *net, const void *frame, size_t len)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    uint32_t i = n->tx_given % TX_COUNT;
    volatile struct vmxnet3_descriptor *d = &n->shared->work.tx[i];
    if (len < ETHERNET_HEADER || len > FRAME_MAX)
        return ERR_NET_LINK;
    if (!reap(n) && n->tx_given - n->tx_done == TX_COUNT - 1)
        return 0; // dropped, as a wire does
    memcpy(n->shared->tx_buffer[i], frame, len);
    d->address = n->bus + offsetof(struct shared, tx_buffer) + i * BUFFER_SIZE;
    d->flags = VMXNET3_TX_END | VMXNET3_TX_REPORT;
    barrier_write();
    d->length = (uint32_t)len | (n->tx_given & TX_COUNT ? 0 : VMXNET3_TX_GENERATION);
    n->tx_given++;
    if (!n->rx_in_hand || n->tx_given - n->tx_told == TX_BATCH)
        tell(n);
    return 0;
}

// This is the path of every frame: memory alone, but for TX_PRODUCER when something was sent.
static int receive(struct card *net, uint8_t **ret_frame)
{
    struct vmxnet3 *n = vmxnet3_of(net);
    // A card that brings nothing but bad frames does not keep us for ever.
    for (unsigned left = RX_COUNT; left; left--) {
        const volatile struct vmxnet3_completion *c = &n->shared->work.rx_done[n->rx_done % RX_COUNT];
        if (!is_done(c, n->rx_done & RX_COUNT))
            break;
        barrier_read();
        uint32_t what = c->word[0], result = c->word[2], length = result & VMXNET3_DONE_LENGTH, i = what % RX_COUNT;
        // All buffers before this one may be the card's again; it may have left out some.
        while (n->rx_given % RX_COUNT != i)
            give(n);
        if (++n->rx_done % RX_BATCH == 0)
            tell(n);
        if (~what & (VMXNET3_DONE_START | VMXNET3_DONE_END) || result & VMXNET3_DONE_ERROR || length < ETHERNET_HEADER ||
            length > FRAME_RECEIVE_MAX)
            continue;
        n->rx_in_hand = true;
        *ret_frame = n->shared->rx_buffer[i];
        return (int)length;
    }
    n->rx_in_hand = false;
    tell(n);
    return 0;
}

const struct nic_driver vmxnet3_driver = {
    .name = "vmxnet3",
    .size = sizeof(struct vmxnet3),
    .knows = knows,
    .probe = probe,
    .ops = { open, close, link, multicast, send, receive, promiscuous },
};
