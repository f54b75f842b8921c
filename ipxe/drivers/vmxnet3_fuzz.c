// SPDX-License-Identifier: MPL-2.0
// A vmxnet3 that answers what it likes and writes what it likes into the shared memory. The input is a sequence of operations, one
// byte each, with what they need behind them; reads of registers take from it, too. Checked: bounds of frames, of what the card is told
// and of the memory that it is given, ends of all waiting, memory given back.
#include "drivers/vmxnet3.h"

#include "base/bytes.h"
#include "base/fuzz.h"
#include "drivers/bind.h"
#include "drivers/vmxnet3_regs.h"

#include <stdlib.h>

#define BUS 0x1000000u
#define ANSWERS_MAX 1000u // registers read by one operation

static const uint8_t *input;
static size_t left;
static uint64_t now, shared_at, done_at[2], rings_at[2];
static uint32_t shared_low;
static unsigned answers;
static uint8_t *memory;
static size_t memory_len;
static uint16_t command;

static uint8_t next8(void)
{
    return left ? (left--, *input++) : 0;
}
static uint32_t next32(void)
{
    return (uint32_t)next8() | (uint32_t)next8() << 8 | (uint32_t)next8() << 16 | (uint32_t)next8() << 24;
}

// Where in the memory this bus address is: it must be, with so many bytes behind it.
static uint8_t *at(uint64_t bus, size_t len)
{
    if (!memory || bus < BUS || bus - BUS > memory_len || len > memory_len - (bus - BUS))
        __builtin_trap();
    return memory + (bus - BUS);
}

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    return command;
}
static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    command = (uint16_t)value;
}

static void activate(void)
{
    const struct vmxnet3_shared *s = (const void *)at(shared_at, sizeof *s);
    const struct vmxnet3_queue *q = (const void *)at(s->queues, 2 * sizeof *q);
    for (unsigned i = 0; i < 2; i++) {
        rings_at[i] = q[i].ring;
        done_at[i] = q[i].completions;
        (void)at(q[i].ring, q[i].ring_size * 16);
        (void)at(q[i].completions, q[i].completions_size * 16);
    }
}

static uint32_t bar_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    if (bar > 1 || ++answers > ANSWERS_MAX)
        __builtin_trap();
    now += 50;
    if (left && next8() < 32)
        return next32();
    return offset == VMXNET3_COMMAND ? 0 : offset == VMXNET3_MAC_LOW ? 0x5452 : 1;
}
static void bar_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    if (bar == VMXNET3_BAR_QUEUES) {
        if (value >= (offset == VMXNET3_TX_PRODUCER ? VMXNET3_TX_COUNT : VMXNET3_RX_COUNT))
            __builtin_trap();
    } else if (offset == VMXNET3_SHARED_LOW) {
        shared_low = value;
    } else if (offset == VMXNET3_SHARED_HIGH) {
        shared_at = (uint64_t)value << 32 | shared_low;
    } else if (offset == VMXNET3_COMMAND && value == VMXNET3_ACTIVATE) {
        activate();
    }
}
static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    if (memory)
        __builtin_trap();
    *ret_bus = BUS;
    memory_len = len;
    return memory = next8() == 1 ? NULL : calloc(1, len);
}
static void dma_free(void *ctx, void *piece, size_t len)
{
    if (piece != memory || len != memory_len)
        __builtin_trap();
    free(memory);
    memory = NULL;
}
static uint64_t now_us(void *ctx)
{
    return now += 50;
}

static const struct pci_ops ops = { config_read, config_write, bar_read, bar_write, dma_alloc, dma_free, now_us };
static const struct pci_function pci = { .ops = &ops, .vendor = VMXNET3_VENDOR, .device = VMXNET3_DEVICE };
static _Alignas(16) uint8_t state[1024];
static struct card *net;

static void receive(void)
{
    uint8_t *frame;
    int n = card_receive(net, &frame);
    if (n < 0 || n > (int)FRAME_RECEIVE_MAX || (n && (frame < memory || (size_t)n > memory_len - (size_t)(frame - memory))))
        __builtin_trap();
    if (n)
        frame[0] = frame[n - 1] = 0;
}

// The card completes something, one of the first entries or the last, or writes anywhere.
static void scribble(bool anywhere)
{
    uint8_t entry = next8();
    uint32_t place = next32();
    uint64_t bus = anywhere ? BUS + place % (memory_len - 16) : done_at[entry & 1] + 16u * (entry < 0xF0 ? entry / 2u : VMXNET3_TX_COUNT - 1);
    uint8_t *to = at(bus, 16);
    store32_le(to, place);
    store32_le(to + 8, next32());
    store32_le(to + 12, (uint32_t)next8() << 24);
}

// What the card reads lies in the memory, unless it has written there itself.
static void look(bool scribbled)
{
    for (unsigned i = 0; !scribbled && i < VMXNET3_RX_COUNT; i++)
        if (i < VMXNET3_RX_COUNT - 1 || load64_le(at(rings_at[1] + 16 * i, 16)))
            (void)at(load64_le(at(rings_at[1] + 16 * i, 16)), load32_le(at(rings_at[1] + 16 * i + 8, 4)) & 0x3FFF);
}

static bool operate(uint8_t op)
{
    static const uint8_t frame[2048];
    uint8_t macs[4][6];
    switch (op & 7) {
    case 0:
    case 1:
        scribble(op & 1);
        return op & 1;
    case 2:
        (void)card_send(net, frame, next8() * 8);
        return false;
    case 3:
        for (unsigned i = 0; i < sizeof macs; i++)
            macs[i / 6][i % 6] = next8();
        (void)card_multicast(net, macs, op >> 3 & 3);
        return false;
    case 4:
        (void)card_link(net);
        return false;
    default:
        receive();
        return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    now = 0;
    do {
        uint8_t mac[6];
        bool scribbled = false;
        answers = 0;
        (void)vmxnet3_driver.probe(&pci, mac);
        net = bind_card(&vmxnet3_driver, &pci, state);
        if (card_open(net) == 0) {
            for (uint8_t op; left && (op = next8()) != 0xFF;) {
                answers = 0;
                scribbled |= operate(op);
            }
            look(scribbled);
            answers = 0;
            card_close(net);
        }
        if (memory || command & PCI_COMMAND_MASTER)
            __builtin_trap();
    } while (left);
    return 0;
}
