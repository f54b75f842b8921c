// SPDX-License-Identifier: MPL-2.0
// A virtio network card that is a program: its queues, and what it does with frames and commands. It reaches memory only by the bus
// addresses that dma_alloc gave, and keeps a note of the first thing a driver did against the specification.
#pragma once
#include "base/bytes.h"
#include "base/test.h"
#include "drivers/bind.h"
#include "drivers/virtqueue.h"

#define CARD_BAR 4
enum { CARD_COMMON = 0x0000, CARD_ISR = 0x1000, CARD_DEVICE = 0x2000, CARD_NOTIFY = 0x3000, CARD_AREA = 0x1000 };
enum { CARD_NOTIFY_STEP = 4 };
enum { CARD_RX, CARD_TX, CARD_CONTROL, CARD_QUEUES };
#define CARD_DMAS 8
#define CARD_FRAMES 128 // sent ones that it keeps
#define CARD_LINK_UP 1
#define CARD_MTU (1ull << 3)
#define CARD_MAC (1ull << 5)
#define CARD_VERSION_1 (1ull << 32)

static const uint8_t card_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct model {
    struct pci_function pci;
    uint8_t config[256], net[12];
    bool legacy;
    uint64_t offered, accepted, refused_features;
    uint8_t status;
    uint32_t device_select, driver_select, queue_select;
    struct card_queue {
        uint16_t max, size, seen, done, notified;
        bool enabled;
        uint64_t descriptors, available, used;
        unsigned bells;
    } queues[CARD_QUEUES];
    struct {
        uint8_t *memory;
        size_t length;
        uint64_t bus;
    } dmas[CARD_DMAS];
    unsigned allocations, fail_allocation; // counted from 1; 0: none fails
    uint64_t next_bus;
    uint64_t now;
    unsigned accesses; // to registers, not to configuration space
    unsigned reset_polls; // reads of the status before a reset is done; UINT32_MAX: never
    unsigned polls_left;
    bool always_notify; // wants to be told of everything
    bool tx_stands;     // sends nothing for now
    bool lost;          // others have reset it
    bool control_deaf, refuses_table, refuses_all_multicast;
    bool promiscuous, all_multicast;
    unsigned group_count;
    uint8_t groups[64][6];
    uint8_t frames[CARD_FRAMES][FRAME_MAX];
    size_t lengths[CARD_FRAMES];
    unsigned sent;
    const char *wrong;
} card;

static void card_complain(const char *what)
{
    if (!card.wrong)
        card.wrong = what;
}

static bool card_may_use_memory(void)
{
    return load16_le(card.config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

// Memory of the driver's as the card reaches it.
static uint8_t *card_dma(uint64_t bus, size_t len)
{
    for (unsigned i = 0; i < CARD_DMAS; i++)
        if (card.dmas[i].memory && bus >= card.dmas[i].bus && bus - card.dmas[i].bus <= card.dmas[i].length &&
            len <= card.dmas[i].length - (bus - card.dmas[i].bus))
            return card.dmas[i].memory + (bus - card.dmas[i].bus);
    card_complain("an address that is no shared memory");
    return NULL;
}
static struct vring_used *card_used(unsigned queue)
{
    struct card_queue *q = &card.queues[queue];
    return (void *)card_dma(q->used, sizeof(struct vring_used) + q->size * sizeof(struct vring_used_entry));
}
static struct vring_available *card_available(unsigned queue)
{
    struct card_queue *q = &card.queues[queue];
    return (void *)card_dma(q->available, sizeof(struct vring_available) + q->size * sizeof(uint16_t));
}
static struct vring_descriptor *card_descriptor(unsigned queue, uint16_t i)
{
    struct card_queue *q = &card.queues[queue];
    if (i >= q->size) {
        card_complain("a descriptor that is not there");
        return NULL;
    }
    return (void *)card_dma(q->descriptors + 16ull * i, 16);
}

static bool card_runs(unsigned queue)
{
    return (card.status & 4) && card.queues[queue].enabled && card_may_use_memory();
}

// As QEMU does: while there are buffers nobody need ring. True: there is one.
static bool card_has_buffer(unsigned queue)
{
    if (!card_runs(queue))
        return false;
    bool any = card_available(queue)->index != card.queues[queue].seen;
    if ((uint16_t)(card_available(queue)->index - card.queues[queue].seen) > card.queues[queue].size)
        card_complain("more buffers than the ring has places");
    if (!(card_available(queue)->flags & VRING_NO_INTERRUPT))
        card_complain("interrupts are wanted");
    card_used(queue)->flags = any && !card.always_notify ? VRING_NO_NOTIFY : 0;
    return any;
}
static uint16_t card_pop(unsigned queue)
{
    struct card_queue *q = &card.queues[queue];
    return card_available(queue)->ring[q->seen++ % q->size];
}
static void card_push(unsigned queue, uint32_t id, uint32_t length)
{
    struct card_queue *q = &card.queues[queue];
    struct vring_used *used = card_used(queue);
    used->ring[q->done++ % q->size] = (struct vring_used_entry){ id, length };
    used->index = q->done;
}

static size_t card_header(void)
{
    return card.legacy ? 10 : 12;
}

// Copies `len` bytes at `at` of the buffer that begins with `id`, from or to it. How many there was room for.
static size_t card_copy(unsigned queue, uint16_t id, size_t at, uint8_t *bytes, size_t len, bool write)
{
    size_t done = 0;
    for (unsigned n = 0; n < card.queues[queue].size && done < len; n++) {
        struct vring_descriptor *d = card_descriptor(queue, id);
        if (!d)
            return done;
        if (card.legacy && queue != CARD_CONTROL && n == 0 && d->length != card_header())
            card_complain("a legacy header that shares its descriptor");
        if (at < d->length && write == !!(d->flags & VRING_DEVICE_WRITES)) {
            size_t here = MIN(d->length - at, len - done);
            uint8_t *memory = card_dma(d->address + at, here);
            if (!memory)
                return done;
            memcpy(write ? memory : bytes + done, write ? bytes + done : memory, here);
            done += here;
            at = 0;
        } else if (write == !!(d->flags & VRING_DEVICE_WRITES)) {
            at -= d->length;
        }
        if (!(d->flags & VRING_NEXT))
            break;
        id = d->next;
    }
    return done;
}

// A frame from the wire, into the next buffer. False: there is none, and it is lost.
static bool card_deliver(const uint8_t *frame, size_t len)
{
    uint8_t bytes[12 + 2048] = { [10] = 1 }; // the version 1 header's number of buffers
    if (!card_has_buffer(CARD_RX))
        return false;
    uint16_t id = card_pop(CARD_RX);
    memcpy(bytes + card_header(), frame, len);
    if (card.legacy)
        memset(bytes, 0, card_header());
    if (card_copy(CARD_RX, id, 0, bytes, card_header() + len, true) != card_header() + len)
        card_complain("no room for a frame");
    card_push(CARD_RX, id, (uint32_t)(card_header() + len));
    (void)card_has_buffer(CARD_RX);
    return true;
}

static void card_transmit(void)
{
    while (!card.tx_stands && card_has_buffer(CARD_TX)) {
        uint8_t bytes[12 + 2048];
        static const uint8_t zeros[12];
        uint16_t id = card_pop(CARD_TX);
        size_t n = card_copy(CARD_TX, id, 0, bytes, sizeof bytes, false);
        if (n < card_header() || n > card_header() + FRAME_MAX || memcmp(bytes, zeros, card_header()) != 0)
            card_complain("a frame that cannot be sent");
        else {
            card.lengths[card.sent % CARD_FRAMES] = n - card_header();
            memcpy(card.frames[card.sent++ % CARD_FRAMES], bytes + card_header(), n - card_header());
        }
        card_push(CARD_TX, id, 0);
    }
}

static bool card_obey(const uint8_t *c, size_t len)
{
    if (len == 3 && c[0] == 0 && c[1] == 0) {
        card.promiscuous = c[2];
        return true;
    }
    if (len == 3 && c[0] == 0 && c[1] == 1 && !card.refuses_all_multicast) {
        card.all_multicast = c[2];
        return true;
    }
    if (len < 10 || c[0] != 1 || c[1] != 0 || load32_le(c + 2) != 0 || load32_le(c + 6) > ARRAY_SIZE(card.groups) ||
        len != 10 + 6 * load32_le(c + 6) || card.refuses_table)
        return false;
    card.group_count = load32_le(c + 6);
    memcpy(card.groups, c + 10, 6 * card.group_count);
    return true;
}
static void card_control(void)
{
    while (!card.control_deaf && card_has_buffer(CARD_CONTROL)) {
        uint8_t bytes[1024];
        uint16_t id = card_pop(CARD_CONTROL);
        size_t n = card_copy(CARD_CONTROL, id, 0, bytes, sizeof bytes, false);
        uint8_t answer = card_obey(bytes, n) ? 0 : 1;
        if (card_copy(CARD_CONTROL, id, 0, &answer, 1, true) != 1)
            card_complain("a command without room for the answer");
        card_push(CARD_CONTROL, id, 1);
    }
}
