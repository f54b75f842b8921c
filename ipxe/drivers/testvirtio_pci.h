// SPDX-License-Identifier: MPL-2.0
// The registers of the card that is a program, behind struct pci_ops: version 1 by capabilities, or the legacy interface.
#pragma once
#include "drivers/testvirtio.h"
#include "drivers/virtio_net.h"

static void card_ring(unsigned queue)
{
    if (card.lost)
        return; // after a reset that the driver does not know of
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

static void card_touch(void)
{
    card.accesses++;
    if (!(load16_le(card.config + PCI_COMMAND) & (card.legacy ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        card_complain("registers used that do not answer");
}
static uint32_t card_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    card_touch();
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
    card_touch();
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
    if (offset != PCI_COMMAND || width != 2)
        card_complain("a write into configuration space");
    else if ((value & ~load16_le(card.config + PCI_COMMAND) & PCI_COMMAND_MASTER) && (card.status & 4))
        card_complain("memory opened to a card that runs");
    else
        store16_le(card.config + PCI_COMMAND, (uint16_t)value);
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

// --- what the tests do with it ---

#define DRIVER (&virtio_net_driver)
// What does not depend on the registers is tested with either kind of them.
#define EITHER_INTERFACE(legacy) for (int legacy = 0; legacy < 2; legacy++)

static struct card *net; // with the driver under test

static int open_card(void)
{
    free(net);
    net = bind_card(DRIVER, &card.pci, malloc(DRIVER->size));
    return card_open(net);
}
static bool begin(int legacy)
{
    card_make(legacy);
    return open_card() == 0;
}
// Nothing is left behind and nothing was done wrong.
static bool is_tidy(void)
{
    if (card.wrong)
        printf("  card: %s\n", card.wrong);
    return !card.wrong && card_dma_count() == 0 && load16_le(card.config + PCI_COMMAND) == (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}
static bool finish(void)
{
    card_close(net);
    return card.status == 0 && is_tidy();
}
