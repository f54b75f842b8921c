// SPDX-License-Identifier: MPL-2.0
// See pci.h.
#include "bios/pci.h"

#include "base/err.h"
#include "bios/away.h"
#include "bios/clock.h"
#include "bios/memory.h"
#include "bios/ports.h"
#include "drivers/barrier.h"
#include "real/real.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define PCI_BIOS_PRESENT 0xb101 // PCI BIOS 2.1, INT 1Ah
#define PCI_BIOS_SIGNATURE 0x20494350u // "PCI "
#define FOUR_GIB 0x100000000ull

static uint32_t port_read(uint16_t port, unsigned width)
{
    return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
}

static void port_write(uint16_t port, unsigned width, uint32_t value)
{
    if (width == 1)
        out8(port, (uint8_t)value);
    else if (width == 2)
        out16(port, (uint16_t)value);
    else
        out32(port, value);
}

// The port at which this place of configuration space is now.
static uint16_t select(uint16_t at, uint32_t offset)
{
    out32(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)at << 8 | (offset & 0xfc));
    return (uint16_t)(CONFIG_DATA + (offset & 3));
}

static uint32_t bus_read(void *ctx, uint16_t at, uint32_t offset, unsigned width)
{
    return port_read(select(at, offset), width);
}

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    return bus_read(NULL, ((const struct bios_pci *)ctx)->at, offset, width);
}

static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    port_write(select(((const struct bios_pci *)ctx)->at, offset), width, value);
}

static const struct pci_bar *find_bar(void *ctx, unsigned bar)
{
    const struct bios_pci *pci = ctx;
    return bar < PCI_BARS && pci->bars[bar].base ? &pci->bars[bar] : NULL;
}

static uint32_t register_read(void *ctx, unsigned number, uint32_t offset, unsigned width)
{
    const struct pci_bar *bar = find_bar(ctx, number);
    if (!bar)
        return UINT32_MAX >> (32 - 8 * width);
    uint32_t at = (uint32_t)bar->base + offset;
    if (bar->ports)
        return port_read((uint16_t)at, width);
    const volatile void *memory = low_memory(at);
    return width == 1   ? *(const volatile uint8_t *)memory
           : width == 2 ? *(const volatile uint16_t *)memory
                        : *(const volatile uint32_t *)memory;
}

static void register_write(void *ctx, unsigned number, uint32_t offset, unsigned width, uint32_t value)
{
    const struct pci_bar *bar = find_bar(ctx, number);
    barrier_write();
    if (!bar)
        return;
    uint32_t at = (uint32_t)bar->base + offset;
    volatile void *memory = low_memory(at);
    if (bar->ports)
        port_write((uint16_t)at, width, value);
    else if (width == 1)
        *(volatile uint8_t *)memory = (uint8_t)value;
    else if (width == 2)
        *(volatile uint16_t *)memory = (uint16_t)value;
    else
        *(volatile uint32_t *)memory = value;
}

static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    void *memory = memory_dma_alloc(len);
    *ret_bus = away_bus(memory);
    return memory;
}

static void dma_free(void *ctx, void *memory, size_t len)
{
    memory_dma_free(memory);
}

static uint64_t now_us(void *ctx)
{
    return clock_us();
}

static const struct pci_ops ops = {
    .config_read = config_read,
    .config_write = config_write,
    .read = register_read,
    .write = register_write,
    .dma_alloc = dma_alloc,
    .dma_free = dma_free,
    .now_us = now_us,
};

static bool has_mechanism(void)
{
    uint32_t before = in32(CONFIG_ADDRESS);
    out32(CONFIG_ADDRESS, CONFIG_ENABLE);
    bool found = in32(CONFIG_ADDRESS) == CONFIG_ENABLE;
    out32(CONFIG_ADDRESS, before);
    return found;
}

static uint32_t bus_read_none(void *ctx, uint16_t at, uint32_t offset, unsigned width)
{
    return UINT32_MAX;
}

void pci_walk(struct pci_bus_walk *ret)
{
    // Buses behind a host bridge other than the first are known to the BIOS alone.
    struct bios_regs regs = { .eax = PCI_BIOS_PRESENT };
    bios_call(&regs, 0x1a);
    bool told = !(regs.flags & FLAG_CARRY) && regs.edx == PCI_BIOS_SIGNATURE;
    pci_bus_begin(ret, told ? (uint8_t)regs.ecx : 0, has_mechanism() ? bus_read : bus_read_none, NULL);
}

int pci_open(struct bios_pci *pci, uint16_t at)
{
    uint32_t id = bus_read(NULL, at, PCI_VENDOR, 4);
    *pci = (struct bios_pci){ .at = at, .function = { &ops, pci, (uint16_t)id, (uint16_t)(id >> 16) } };
    if ((uint16_t)id == 0xffff)
        return ERR_NOT_FOUND;
    pci_bus_bars(&pci->function, pci->bars);
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (pci->bars[i].base >= FOUR_GIB)
            return ERR_TOO_LARGE;
    return 0;
}
