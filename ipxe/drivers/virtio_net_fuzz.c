// SPDX-License-Identifier: MPL-2.0
// A card that answers what it likes and writes what it likes into the shared memory. The input begins with changes to an honest
// configuration space; then come operations, one byte each, with what they need behind them; reads of registers take from it,
// too. Checked: bounds (memory is no longer than was asked for), ends of all waiting, memory given back.
#include "drivers/virtio_net.h"

#include "base/bytes.h"
#include "base/fuzz.h"
#include "drivers/bind.h"
#include "drivers/virtqueue.h"

#include <stdlib.h>

#define ANSWERS_MAX 50000u // registers read by one operation: a reset is waited for by a clock that goes fast
#define LEGACY 1u
#define AT_END 0xffu // an operation: close, and begin anew
enum { COMMON = 0, DEVICE = 0x40, NOTIFY = 0x80, REGISTERS = 0x80 };
enum { QUEUE_SIZE = 0x18, LEGACY_QUEUE_SIZE = 0x0c, DMAS = 3, QUEUE_DESCRIPTORS = 16 };

static const uint8_t *input;
static size_t left;
static uint8_t config[256], registers[REGISTERS];
static uint64_t now;
static unsigned answers;
static struct {
    uint8_t *memory;
    size_t length;
} dmas[DMAS];
static _Alignas(16) uint8_t state[2048];
static struct card *net;

static uint8_t next8(void)
{
    return left ? (left--, *input++) : 0;
}
static uint32_t next32(void)
{
    return (uint32_t)next8() | (uint32_t)next8() << 8 | (uint32_t)next8() << 16 | (uint32_t)next8() << 24;
}
static uint32_t cut(uint32_t value, unsigned width)
{
    return value & (UINT32_MAX >> (32 - 8 * width));
}

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    uint32_t value = 0;
    if (offset % width || offset + width > sizeof config)
        __builtin_trap();
    memcpy(&value, config + offset, width);
    return value;
}
static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    if (offset != PCI_COMMAND || width != 2)
        __builtin_trap();
    store16_le(config + offset, (uint16_t)value);
}
// What was written there, unless the input has another idea.
static uint32_t bar_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    uint32_t value = 0;
    if (bar >= PCI_BARS || ++answers > ANSWERS_MAX)
        __builtin_trap();
    now += 50;
    memcpy(&value, registers + MIN(offset, REGISTERS - width), width);
    return cut(left && next8() >= 0xc0 ? next32() : value, width);
}
static void bar_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    if (bar >= PCI_BARS)
        __builtin_trap();
    if (offset <= REGISTERS - width)
        memcpy(registers + offset, &value, width);
}
static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    for (unsigned i = 0; i < DMAS; i++)
        if (!dmas[i].memory) {
            *ret_bus = 0x1000000;
            dmas[i].length = len;
            return dmas[i].memory = next8() == 0xff ? NULL : calloc(1, len);
        }
    __builtin_trap();
}
static void dma_free(void *ctx, void *memory, size_t len)
{
    for (unsigned i = 0; i < DMAS; i++)
        if (memory && dmas[i].memory == memory && dmas[i].length == len) {
            free(memory);
            dmas[i].memory = NULL;
            return;
        }
    __builtin_trap();
}
static uint64_t now_us(void *ctx)
{
    return now += 50;
}

static const struct pci_ops ops = { config_read, config_write, bar_read, bar_write, dma_alloc, dma_free, now_us };

static void add_capability(uint8_t at, uint8_t next, uint8_t type, uint32_t offset)
{
    uint8_t *c = config + at;
    memcpy(c, (const uint8_t[]){ 9, next, 20, type, 4 }, 5);
    store32_le(c + 8, offset);
    store32_le(c + 12, 0x40);
}
static void make_card(bool legacy)
{
    memset(config, 0, sizeof config);
    memset(registers, 0, sizeof registers);
    store16_le(config + PCI_STATUS, PCI_STATUS_CAPABILITIES);
    config[0x10] = legacy;
    config[PCI_CAPABILITIES] = legacy ? 0 : 0x40;
    add_capability(0x40, 0x54, 1, COMMON);
    add_capability(0x54, 0x68, 2, NOTIFY);
    add_capability(0x68, 0, 4, DEVICE);
    memset(registers, 0xff, 8); // features
    store16_le(registers + (legacy ? LEGACY_QUEUE_SIZE : QUEUE_SIZE), QUEUE_DESCRIPTORS);
    registers[legacy ? 0x14 : DEVICE] = 0x52;
    for (unsigned n = next8() & 15; n; n--) {
        uint8_t at = next8();
        config[at] = next8();
    }
}

static void receive(void)
{
    uint8_t *frame;
    int n = card_receive(net, &frame);
    if (n < 0 || n > (int)FRAME_RECEIVE_MAX)
        __builtin_trap();
    if (n)
        memset(frame, 0x55, (size_t)n);
}

// An entry of a used ring, or any bytes anywhere.
static void scribble(bool entry)
{
    unsigned i = next8() % DMAS;
    uint8_t *memory = dmas[i].memory;
    size_t at = virtqueue_used_at(QUEUE_DESCRIPTORS);
    if (!memory || dmas[i].length < at + sizeof(struct vring_used) + QUEUE_DESCRIPTORS * sizeof(struct vring_used_entry))
        return;
    if (!entry) {
        at = next32() % (dmas[i].length - 4);
        store32_le(memory + at, next32());
        return;
    }
    struct vring_used *used = (void *)(memory + at);
    struct vring_used_entry *e = &used->ring[used->index++ % QUEUE_DESCRIPTORS];
    e->id = next8();
    e->length = next8() * 8u;
}

static void operate(uint8_t op)
{
    static const uint8_t frame[2048];
    static uint8_t macs[256][6];
    switch (op & 7) {
    case 0: card_link(net); return;
    case 1: (void)card_send(net, frame, next8() * 8u); return;
    case 2: (void)card_multicast(net, macs, next8()); return;
    case 3: scribble(false); return;
    case 4:
    case 5: scribble(true); return;
    default: receive(); return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    now = 0;
    if (virtio_net_driver.size > sizeof state)
        __builtin_trap();
    do {
        uint8_t mac[6];
        bool legacy = next8() & LEGACY;
        struct pci_function pci = { .ops = &ops, .vendor = 0x1af4, .device = legacy ? 0x1000 : 0x1041 };
        make_card(legacy);
        answers = 0;
        (void)virtio_net_driver.probe(&pci, mac);
        net = bind_card(&virtio_net_driver, &pci, state);
        if (card_open(net) == 0) {
            for (uint8_t op; left && (op = next8()) != AT_END;) {
                answers = 0;
                operate(op);
            }
            answers = 0;
            card_close(net);
        }
        for (unsigned i = 0; i < DMAS; i++)
            if (dmas[i].memory)
                __builtin_trap();
    } while (left);
    return 0;
}
