// SPDX-License-Identifier: MPL-2.0
// A vmxnet3 that is a program, behind pci_ops: versions, commands, rings, filters, link, on a clock of its own. What a driver must not do,
// and every access to memory that is not the card's, is kept in `fault`.
#pragma once
#include "drivers/bind.h"
#include "drivers/vmxnet3.h"

#include "base/bytes.h"
#include "base/test.h"
#include "drivers/vmxnet3_regs.h"

#define BUS 0x17F000000u // where the card sees the shared memory; another address than the processor's
#define SENT_MAX 256
#define ALL_ONES 0xFFFFFFFFu
#define BUFFER 1536u

static const uint8_t card_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static struct model {
    // What a test chooses before it opens the card.
    uint32_t revisions, upts; // that it knows
    bool refuses;             // ACTIVATE fails
    bool deaf;                // RESET fails and does nothing
    bool gone;                // all reads give ones
    bool no_link;
    bool wants_producer;      // uses no buffer that it was not told of
    bool holds_frames;        // nothing is sent before card_transmit
    bool sends_late;          // frames are sent 3 ms after they were told of
    unsigned skips;           // leaves out so many buffers before it fills one, as it may
    bool stops;               // says that its receive queue has stopped
    unsigned alloc_fails;     // this dma_alloc, counted from 1; 0: none

    // What it sees of them.
    const char *fault;
    uint16_t command;
    unsigned reads, writes, clock_reads, allocs, pieces, activations;
    unsigned dropped; // frames for which there was no buffer
    struct {
        size_t len;
        uint8_t bytes[2048];
    } sent[SENT_MAX]; // the last ones, each at its number modulo SENT_MAX
    unsigned sent_count;

    bool active;
    uint8_t mac[6];
    uint32_t revision, upt, low, result, producer;
    uint64_t shared, now, send_at;
    uint32_t rx_mode, vlans[128];
    uint8_t groups[16][6];
    unsigned group_count;
    struct card_ring {
        uint64_t entries, completions;
        uint32_t size, next, done; // counters that run on
    } tx, rx;
    uint8_t *memory;
    size_t memory_len;
} card;

static void fault(const char *what)
{
    if (!card.fault)
        card.fault = what;
}

// The shared memory at this bus address, or NULL: not the card's.
static void *dma(uint64_t bus, size_t len)
{
    if (!(card.command & PCI_COMMAND_MASTER))
        fault("access to memory without being bus master");
    else if (!card.memory || bus < BUS || bus - BUS > card.memory_len || len > card.memory_len - (bus - BUS))
        fault("access to memory that is not the card's");
    else
        return card.memory + (bus - BUS);
    return NULL;
}

static struct vmxnet3_shared *shared(void)
{
    return dma(card.shared, sizeof(struct vmxnet3_shared));
}

// --- frames ---

static struct vmxnet3_descriptor *next_entry(const struct card_ring *r, uint32_t generation)
{
    struct vmxnet3_descriptor *d = dma(r->entries + r->next % r->size * 16, 16);
    bool valid = d && !(d->length & generation) == !!(r->next / r->size % 2);
    return valid ? d : NULL;
}

static bool complete(struct card_ring *r, uint32_t what, uint32_t result)
{
    uint32_t generation = r->done / r->size % 2 ? 0 : VMXNET3_DONE_GENERATION;
    struct vmxnet3_completion *c = dma(r->completions + r->done % r->size * 16, 16);
    if (!c || (c->word[3] & VMXNET3_DONE_GENERATION) == generation)
        return false;
    *c = (struct vmxnet3_completion){ { what, 0x12345678, result, 0x03005678 | generation } };
    r->done++;
    return true;
}

// Fills the next buffer with `len` bytes of the frame, and says of it what the test says. False: no buffer is the card's.
static bool card_put(const void *frame, size_t len, uint32_t length, uint32_t what)
{
    for (unsigned skip = card.skips; skip && card.active && next_entry(&card.rx, VMXNET3_RX_GENERATION); skip--)
        card.rx.next++;
    struct vmxnet3_descriptor *d = card.active ? next_entry(&card.rx, VMXNET3_RX_GENERATION) : NULL;
    uint32_t i = card.rx.size ? card.rx.next % card.rx.size : 0;
    if (!d || (card.wants_producer && i == card.producer)) {
        card.dropped++;
        return false;
    }
    uint8_t *buffer = dma(d->address, BUFFER);
    if ((d->length & ~VMXNET3_RX_GENERATION) != BUFFER || d->flags)
        fault("a buffer of another size or kind");
    if (!buffer)
        return false;
    if (len)
        memcpy(buffer, frame, len);
    card.rx.next++;
    if (!complete(&card.rx, what | i, length))
        fault("no room to say what was received");
    return true;
}

static bool passes_filter(const uint8_t *frame)
{
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
    uint32_t vlan = load16_be(frame + 14) & 0xFFF;
    if (card.rx_mode & VMXNET3_RX_EVERYTHING)
        return true;
    if (load16_be(frame + 12) == 0x8100 && !(card.vlans[vlan / 32] >> vlan % 32 & 1))
        return false;
    if (memcmp(frame, broadcast, 6) == 0)
        return card.rx_mode & VMXNET3_RX_BROADCAST;
    if (!(frame[0] & 1))
        return card.rx_mode & VMXNET3_RX_UNICAST && memcmp(frame, card.mac, 6) == 0;
    for (unsigned i = 0; card.rx_mode & VMXNET3_RX_GROUPS && i < card.group_count; i++)
        if (memcmp(frame, card.groups[i], 6) == 0)
            return true;
    return false;
}

#define WHOLE (VMXNET3_DONE_START | VMXNET3_DONE_END)

// A frame comes in from the wire. True when it lies in a buffer, whole.
static bool wire_in(const uint8_t *frame, size_t len)
{
    if (!card.active || card.no_link || !passes_filter(frame))
        return false;
    uint8_t bytes[BUFFER] = { 0 };
    size_t stored = MIN(MAX(len, (size_t)60), sizeof bytes);
    memcpy(bytes, frame, MIN(len, stored));
    bool whole = len <= sizeof bytes;
    return card_put(bytes, stored, (uint32_t)stored | (whole ? 0 : VMXNET3_DONE_ERROR), WHOLE) && whole;
}

// Sends what lies in the ring.
static void card_transmit(void)
{
    struct vmxnet3_descriptor *d;
    while (card.active && (d = next_entry(&card.tx, VMXNET3_TX_GENERATION)) != NULL) {
        size_t len = d->length & VMXNET3_DONE_LENGTH;
        uint8_t *buffer = dma(d->address, len);
        if (d->flags != (VMXNET3_TX_END | VMXNET3_TX_REPORT) || d->length & ~(VMXNET3_DONE_LENGTH | VMXNET3_TX_GENERATION) || !len ||
            !buffer || len > 1514)
            return fault("a frame that cannot be");
        card.sent[card.sent_count % SENT_MAX].len = len;
        memcpy(card.sent[card.sent_count++ % SENT_MAX].bytes, buffer, len);
        if (!complete(&card.tx, card.tx.next++ % card.tx.size, 0))
            fault("no room to say what was sent");
    }
}

// --- registers ---

static void card_reset(void)
{
    card.active = false;
    card.shared = card.send_at = 0;
    card.tx = card.rx = (struct card_ring){ 0 };
}

static void read_ring(struct card_ring *ret, const struct vmxnet3_queue *q)
{
    *ret = (struct card_ring){ .entries = q->ring, .completions = q->completions, .size = q->ring_size };
    if (q->ring % 512 || q->completions % 512 || !q->ring_size || q->ring_size % 32 || q->completions_size != q->ring_size ||
        q->second_ring_size || q->interrupt)
        fault("a ring that cannot be");
}

static bool activate(void)
{
    const struct vmxnet3_shared *s = card.shared ? shared() : NULL;
    if (!s || s->magic != VMXNET3_MAGIC || card.active || card.refuses || card.revision != 1 || card.upt != 1)
        return false;
    struct vmxnet3_queue *q = dma(s->queues, 512);
    if (s->revision != 1 || s->upt != 1 || s->features || s->tx_queues != 1 || s->rx_queues != 1 || s->queues_length != 512 || !q ||
        s->queues % 128 || s->mtu != 1500 || s->rx_fragments != 1 || s->interrupts != 1 || s->interrupt_control != 1 || s->guest < 21)
        fault("not what the driver is for");
    if (!q)
        return false;
    read_ring(&card.tx, q);
    read_ring(&card.rx, q + 1);
    q[1].wants_producer = card.wants_producer;
    card.producer = 0;
    card.activations++;
    memcpy(card.mac, card_mac, 6);
    return card.active = true;
}

static void read_filters(uint32_t code)
{
    const struct vmxnet3_shared *s = shared();
    if (!s)
        return;
    const uint8_t *groups = dma(s->groups, s->groups_length);
    if (code == VMXNET3_UPDATE_RX_MODE)
        card.rx_mode = s->rx_mode;
    if (code == VMXNET3_UPDATE_VLANS)
        memcpy(card.vlans, s->vlans, sizeof card.vlans);
    if (code != VMXNET3_UPDATE_GROUPS || !groups)
        return;
    card.group_count = s->groups_length / 6;
    if (s->groups_length % 6 || card.group_count > 16)
        return fault("groups that cannot be");
    memcpy(card.groups, groups, s->groups_length);
}

static uint32_t obey(uint32_t code)
{
    struct vmxnet3_queue *q;
    switch (code) {
    case VMXNET3_ACTIVATE:
        return !activate();
    case VMXNET3_RESET:
        if (!card.deaf)
            card_reset();
        return card.deaf;
    case VMXNET3_UPDATE_RX_MODE:
    case VMXNET3_UPDATE_GROUPS:
    case VMXNET3_UPDATE_VLANS:
        read_filters(code);
        return 0;
    case VMXNET3_QUEUE_STATUS:
        q = card.active ? dma(shared()->queues, 512) : NULL;
        if (q)
            q[1].stopped = card.stops;
        return 0;
    case VMXNET3_LINK:
        return card.no_link ? 0 : 10000u << 16 | 1;
    }
    fault("an unknown command");
    return 0;
}

static uint32_t bar_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    card.reads++;
    card.now++;
    if (bar != 1 || width != 4 || !(card.command & PCI_COMMAND_MEMORY))
        fault("a register that is not there is read");
    if (card.gone)
        return ALL_ONES;
    switch (offset) {
    case VMXNET3_REVISION:
        return card.revisions;
    case VMXNET3_UPT:
        return card.upts;
    case VMXNET3_COMMAND:
        return card.result;
    case VMXNET3_MAC_LOW:
        return load32_le(card.mac);
    case VMXNET3_MAC_HIGH:
        return load16_le(card.mac + 4);
    }
    fault("a register that is not there is read");
    return 0;
}

static void producer_write(uint32_t offset, uint32_t value)
{
    if (!card.active)
        return; // after a reset that the driver does not know of
    if (offset == VMXNET3_RX_PRODUCER && value < card.rx.size) {
        card.producer = value;
        return;
    }
    if (offset != VMXNET3_TX_PRODUCER || value >= card.tx.size)
        return fault("a producer that cannot be");
    card.send_at = card.sends_late ? card.now + 3000 : 0;
    if (card.holds_frames || card.sends_late)
        return;
    card_transmit();
    if (card.tx.next % card.tx.size != value)
        fault("frames that the card was not told of, or was told of too early");
}

static void bar_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    card.writes++;
    card.now++;
    if (bar > 1 || width != 4 || !(card.command & PCI_COMMAND_MEMORY))
        return fault("a register that is not there is written");
    if (card.gone)
        return;
    if (bar == 0)
        return producer_write(offset, value);
    switch (offset) {
    case VMXNET3_REVISION:
        card.revision = value;
        return;
    case VMXNET3_UPT:
        card.upt = value;
        return;
    case VMXNET3_SHARED_LOW:
        card.low = value;
        return;
    case VMXNET3_SHARED_HIGH:
        card.shared = (uint64_t)value << 32 | card.low;
        return;
    case VMXNET3_COMMAND:
        card.result = obey(value);
        return;
    case VMXNET3_MAC_LOW:
        store32_le(card.mac, value);
        return;
    case VMXNET3_MAC_HIGH:
        store16_le(card.mac + 4, (uint16_t)value);
        return;
    }
    fault("a register that is not there is written");
}

// --- the rest of pci_ops ---

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    return offset == PCI_COMMAND && width == 2 ? card.command : ALL_ONES;
}
static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    if (offset != PCI_COMMAND || width != 2)
        return fault("configuration space written elsewhere than in the command register");
    if (value & ~card.command & PCI_COMMAND_MASTER && card.active)
        fault("access to memory for a card with the rings of others");
    card.command = (uint16_t)value;
}
static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    if (++card.allocs == card.alloc_fails)
        return NULL;
    if (card.pieces++)
        abort(); // this card knows one piece
    card.memory_len = len;
    card.memory = calloc(1, len);
    *ret_bus = BUS;
    return card.memory;
}
static void dma_free(void *ctx, void *memory, size_t len)
{
    if (memory != card.memory || len != card.memory_len || !card.pieces--)
        return fault("memory freed that was not allocated");
    if (card.active && card.command & PCI_COMMAND_MASTER)
        fault("memory freed that the card may write to");
    free(memory);
    card.memory = NULL;
}
static uint64_t now_us(void *ctx)
{
    card.clock_reads++;
    card.now += 5;
    if (card.send_at && card.now >= card.send_at)
        card_transmit();
    return card.now;
}

static const struct pci_ops card_ops = { config_read, config_write, bar_read, bar_write, dma_alloc, dma_free, now_us };
static struct pci_function card_pci = { .ops = &card_ops, .vendor = VMXNET3_VENDOR, .device = VMXNET3_DEVICE };
