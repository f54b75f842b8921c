// SPDX-License-Identifier: MPL-2.0
// A card that answers what it likes and writes what it likes into the shared memory. The input is a sequence of operations, one
// byte each, with what they need behind them; reads of registers take from it, too. Checked: bounds of frames and of what is
// written to the rings' registers, ends of all waiting, memory given back.
#include "drivers/e1000.h"

#include "base/fuzz.h"
#include "base/bytes.h"
#include "drivers/bind.h"
#include "drivers/e1000_regs.h"

#include <stdlib.h>

#define ANSWERS_MAX 20000u // registers read by one operation: EEPROM and reset poll for a second of a clock that goes fast

static const uint8_t *input;
static size_t left;
static uint32_t regs[0x6000 / 4];
static uint64_t now;
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

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    return offset == PCI_COMMAND ? command : next8() & 1 ? E1000_QEMU_SUBSYSTEM : 0;
}
static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    command = (uint16_t)value;
}
static uint32_t bar_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    if (offset >= sizeof regs || ++answers > ANSWERS_MAX)
        __builtin_trap();
    now += 50;
    return left && next8() < 32 ? next32() : regs[offset / 4];
}
static void bar_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    uint32_t count = offset == E1000_RDT ? E1000_RX_COUNT : offset == E1000_TDT ? E1000_TX_COUNT : 0;
    if (offset >= sizeof regs || (count && value >= count))
        __builtin_trap();
    regs[offset / 4] = offset == E1000_CTRL ? value & ~E1000_CTRL_RESET : value;
}
static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    if (memory)
        __builtin_trap();
    *ret_bus = 0x1000000;
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
static _Alignas(16) uint8_t state[2048];
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

// The card fills one of its first descriptors, or writes anywhere.
static void scribble(bool anywhere)
{
    size_t at = anywhere ? next32() % (memory_len - 8) : 16u * next8() + 8;
    store32_le(memory + at, next32());
    store32_le(memory + at + 4, next32());
}

static void operate(uint8_t op)
{
    static const uint8_t frame[2048];
    uint8_t macs[4][6];
    switch (op & 7) {
    case 0:
    case 1:
        return scribble(op & 1);
    case 2:
        (void)card_send(net, frame, next8() * 8);
        return;
    case 3:
        for (unsigned i = 0; i < sizeof macs; i++)
            macs[i / 6][i % 6] = next8();
        (void)card_multicast(net, macs, 1 + (op >> 3 & 3));
        return;
    case 4:
        (void)card_link(net);
        return;
    default:
        return receive();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    now = 0;
    memset(regs, 0, sizeof regs);
    regs[E1000_RAL0 / 4] = 0x00005452;
    regs[E1000_RAH0 / 4] = E1000_RAH_VALID;
    do {
        uint8_t mac[6];
        static const uint16_t devices[4] = { 0x100E, 0x10D3, 0x10C9, 0x1533 };
        struct pci_function pci = { .ops = &ops, .vendor = 0x8086, .device = devices[next8() & 3] };
        const struct nic_driver *driver = e1000_driver.knows(pci.vendor, pci.device) ? &e1000_driver : &igb_driver;
        answers = 0;
        (void)driver->probe(&pci, mac);
        net = bind_card(driver, &pci, state);
        if (card_open(net) == 0) {
            for (uint8_t op; left && (op = next8()) != 0xFF;) {
                answers = 0;
                operate(op);
            }
            answers = 0;
            card_close(net);
        }
        if (memory || command & PCI_COMMAND_MASTER)
            __builtin_trap();
    } while (left);
    return 0;
}
