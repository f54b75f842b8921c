// SPDX-License-Identifier: MPL-2.0
// A virtio network card that is a program, behind struct pci_ops: version 1 by capabilities, or the legacy interface. It reaches
// memory only by the bus addresses that dma_alloc gave, and keeps a note of the first thing a driver did against the specification.
#pragma once
#include "base/bytes.h"
#include "base/test.h"
#include "drivers/nic.h"
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

static struct card {
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
    bool control_deaf, refuses_table, refuses_all_multicast;
    bool promiscuous, all_multicast;
    unsigned group_count;
    uint8_t groups[64][6];
    uint8_t frames[CARD_FRAMES][NIC_FRAME_MAX];
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
        if (n < card_header() || n > card_header() + NIC_FRAME_MAX || memcmp(bytes, zeros, card_header()) != 0)
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

static void card_ring(unsigned queue)
{
    if (queue >= CARD_QUEUES || !card.queues[queue].enabled || !(card.status & 4)) {
        card_complain("a notification for a queue that does not run");
        return;
    }
    card.queues[queue].bells++;
    if (queue == CARD_TX)
        card_transmit();
    if (queue == CARD_CONTROL)
        card_control();
}

static void card_set_status(uint8_t status)
{
    if (status == 0) {
        if (card.reset_polls == UINT32_MAX)
            return;
        card.polls_left = card.reset_polls;
        for (unsigned i = 0; i < CARD_QUEUES; i++)
            card.queues[i] = (struct card_queue){ .max = card.queues[i].max, .size = card.queues[i].max };
        card.accepted = 0;
        card.promiscuous = true;
        card.all_multicast = false;
        card.group_count = 0;
    } else if (status & ~card.status & 8) {
        if (!(card.accepted & CARD_VERSION_1) || (card.accepted & ~card.offered))
            card_complain("features that were not offered");
        if (card.accepted & card.refused_features)
            status &= (uint8_t)~8;
    }
    if ((status & ~card.status & 4) && !card.legacy && !(card.status & 8))
        card_complain("DRIVER_OK without FEATURES_OK");
    card.status = status;
}

static struct card_queue *card_selected(void)
{
    static struct card_queue none;
    none = (struct card_queue){ 0 };
    return card.queue_select < CARD_QUEUES ? &card.queues[card.queue_select] : &none;
}

static uint32_t card_read_common(uint32_t offset, unsigned width)
{
    switch (offset << 4 | width) {
    case 0x004: return card.device_select;
    case 0x044: return card.device_select < 2 ? (uint32_t)(card.offered >> 32 * card.device_select) : 0;
    case 0x122: return CARD_QUEUES;
    case 0x141:
        if (card.polls_left) {
            card.polls_left--;
            return 0x0f;
        }
        return card.status;
    case 0x151: return 7; // generation
    case 0x182: return card_selected()->size;
    case 0x1e2: return card.queue_select; // place of its notifications
    }
    card_complain("a register read that makes no sense");
    return 0;
}
static void card_write_common(uint32_t offset, unsigned width, uint32_t v)
{
    struct card_queue *q = card_selected();
    bool setting_up = (card.status & 0x0f) == 0x0b;
    switch (offset << 4 | width) {
    case 0x004: card.device_select = v; return;
    case 0x084: card.driver_select = v; return;
    case 0x0c4:
        if ((card.status & 0x0f) != 3 || card.driver_select > 1)
            card_complain("features at the wrong time");
        else
            card.accepted = (card.accepted & ~(0xffffffffull << 32 * card.driver_select)) | (uint64_t)v << 32 * card.driver_select;
        return;
    case 0x141: card_set_status((uint8_t)v); return;
    case 0x162: card.queue_select = v; return;
    case 0x182: q->size = (uint16_t)v; break;
    case 0x1c2: q->enabled = v == 1; break;
    case 0x204: q->descriptors = (q->descriptors & ~0xffffffffull) | v; break;
    case 0x244: q->descriptors = (uint32_t)q->descriptors | (uint64_t)v << 32; break;
    case 0x284: q->available = (q->available & ~0xffffffffull) | v; break;
    case 0x2c4: q->available = (uint32_t)q->available | (uint64_t)v << 32; break;
    case 0x304: q->used = (q->used & ~0xffffffffull) | v; break;
    case 0x344: q->used = (uint32_t)q->used | (uint64_t)v << 32; break;
    default: card_complain("a register write that makes no sense"); return;
    }
    if (!setting_up || q->enabled != ((offset << 4 | width) == 0x1c2) || q->size > q->max)
        card_complain("a queue set up at the wrong time");
}

static uint32_t card_read_legacy(uint32_t offset, unsigned width)
{
    switch (offset << 4 | width) {
    case 0x004: return (uint32_t)card.offered;
    case 0x0c2: return card_selected()->max;
    case 0x121: return card_read_common(0x14, 1);
    }
    if (offset >= 0x14 && offset - 0x14 <= sizeof card.net - width)
        return width == 1 ? card.net[offset - 0x14] : load16_le(&card.net[offset - 0x14]);
    card_complain("a port read that makes no sense");
    return 0;
}
static void card_write_legacy(uint32_t offset, unsigned width, uint32_t v)
{
    struct card_queue *q = card_selected();
    switch (offset << 4 | width) {
    case 0x044: card.accepted = v; return;
    case 0x084:
        if (card.status != 3)
            card_complain("a queue set up at the wrong time");
        q->enabled = v != 0;
        q->size = q->max;
        q->descriptors = 4096ull * v;
        q->available = q->descriptors + 16u * q->size;
        q->used = (q->available + 6 + 2u * q->size + 4095) / 4096 * 4096;
        return;
    case 0x0e2: card.queue_select = v; return;
    case 0x102: card_ring(v); return;
    case 0x121: card_set_status((uint8_t)v); return;
    }
    card_complain("a port write that makes no sense");
}

static uint32_t card_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    card.accesses++;
    card.now += 10;
    if (card.legacy && bar == 0)
        return card_read_legacy(offset, width);
    if (bar == CARD_BAR && offset < CARD_COMMON + 0x38)
        return card_read_common(offset, width);
    if (bar == CARD_BAR && offset >= CARD_DEVICE && offset - CARD_DEVICE <= sizeof card.net - width)
        return width == 1 ? card.net[offset - CARD_DEVICE] : load16_le(&card.net[offset - CARD_DEVICE]);
    card_complain("a read outside the registers");
    return UINT32_MAX;
}
static void card_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    card.accesses++;
    if (card.legacy && bar == 0)
        card_write_legacy(offset, width, value);
    else if (bar == CARD_BAR && offset < CARD_COMMON + 0x38)
        card_write_common(offset, width, value);
    else if (bar == CARD_BAR && width == 2 && offset == CARD_NOTIFY + CARD_NOTIFY_STEP * value)
        card_ring(value);
    else
        card_complain("a write outside the registers");
}

static uint32_t card_config_read(void *ctx, uint32_t offset, unsigned width)
{
    if (offset % width || offset + width > sizeof card.config)
        abort();
    const uint8_t *p = card.config + offset;
    return width == 1 ? *p : width == 2 ? load16_le(p) : load32_le(p);
}
static void card_config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    if (offset == PCI_COMMAND && width == 2)
        store16_le(card.config + offset, (uint16_t)value);
    else
        card_complain("a write into configuration space");
}

static void *card_dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    if (++card.allocations == card.fail_allocation)
        return NULL;
    for (unsigned i = 0; i < CARD_DMAS; i++) {
        if (card.dmas[i].memory)
            continue;
        size_t pages = (len + 4095) / 4096 * 4096;
        card.dmas[i].memory = aligned_alloc(4096, pages);
        memset(card.dmas[i].memory, 0, pages);
        card.dmas[i].length = len;
        *ret_bus = card.dmas[i].bus = card.next_bus; // not where the processor sees it
        card.next_bus += pages + 4096;
        return card.dmas[i].memory;
    }
    return NULL;
}
static void card_dma_free(void *ctx, void *memory, size_t len)
{
    for (unsigned i = 0; i < CARD_DMAS; i++)
        if (memory && card.dmas[i].memory == memory) {
            if (card.dmas[i].length != len)
                card_complain("memory freed with another length");
            if (card.status && card_may_use_memory())
                card_complain("memory freed that the card may write to");
            free(memory);
            card.dmas[i].memory = NULL;
            return;
        }
    card_complain("memory freed that was never allocated");
}
static uint64_t card_now_us(void *ctx)
{
    return card.now++;
}

static unsigned card_dma_count(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CARD_DMAS; i++)
        n += card.dmas[i].memory != NULL;
    return n;
}

// A capability of configuration space, behind those that are there.
static uint8_t *card_capability(uint8_t at, uint8_t id, uint8_t len, uint8_t type, uint8_t bar, uint32_t offset, uint32_t area)
{
    uint8_t *last = card.config + PCI_CAPABILITIES, *c = card.config + at;
    while (*last)
        last = card.config + *last + 1;
    *last = at;
    c[0] = id;
    c[2] = len;
    c[3] = type;
    c[4] = bar;
    store32_le(c + 8, offset);
    store32_le(c + 12, area);
    return c;
}

// A card as QEMU has it, the way the firmware's driver left it: running.
static void card_make(bool legacy)
{
    static const struct pci_ops ops = { card_config_read, card_config_write, card_read, card_write, card_dma_alloc, card_dma_free,
                                        card_now_us };
    memset(&card, 0, sizeof card);
    card.pci = (struct pci_function){ .ops = &ops, .vendor = 0x1af4, .device = legacy ? 0x1000 : 0x1041 };
    card.legacy = legacy;
    card.offered = (legacy ? UINT32_MAX : UINT64_MAX) & ~CARD_MTU; // all that there is or ever will be
    card.status = 0x0f;
    card.next_bus = 0x12345000;
    card.queues[CARD_RX].max = card.queues[CARD_TX].max = 256;
    card.queues[CARD_CONTROL].max = 64;
    memcpy(card.net, card_mac, 6);
    card.net[6] = CARD_LINK_UP;
    store16_le(card.net + 10, 1500);
    store16_le(card.config + PCI_VENDOR, 0x1af4);
    store16_le(card.config + PCI_DEVICE, card.pci.device);
    store16_le(card.config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    store16_le(card.config + PCI_STATUS, PCI_STATUS_CAPABILITIES);
    card.config[0x10] = legacy; // a base address register of ports
    card_capability(0x98, 0x11, 12, 0, 0, 0, 0);
    if (legacy)
        return;
    card_capability(0x84, 9, 20, 5, 0, 0, 0); // access by configuration space
    store32_le(card_capability(0x70, 9, 20, 2, CARD_BAR, CARD_NOTIFY, CARD_AREA) + 16, CARD_NOTIFY_STEP);
    card_capability(0x60, 9, 16, 4, CARD_BAR, CARD_DEVICE, CARD_AREA);
    card_capability(0x50, 9, 16, 3, CARD_BAR, CARD_ISR, CARD_AREA);
    card_capability(0x40, 9, 16, 1, CARD_BAR, CARD_COMMON, CARD_AREA);
}
