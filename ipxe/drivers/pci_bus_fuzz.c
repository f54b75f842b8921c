// SPDX-License-Identifier: MPL-2.0
// pci_bus.c in a machine that answers whatever it likes. Every function comes once and in order, and the walk ends.
#include "drivers/pci_bus.h"

#include "base/fuzz.h"

#define READS_MAX (0x10000u * 4)

static const uint8_t *input;
static size_t left;
static unsigned reads;

// When the input is at its end there is nothing more on the bus.
static uint32_t answer(unsigned width)
{
    uint32_t value = 0;
    if (++reads > READS_MAX)
        __builtin_trap();
    for (unsigned i = 0; i < width; i++, left -= left > 0)
        value |= (uint32_t)(left ? *input++ : 0xff) << 8 * i;
    return value;
}

static uint32_t read_any(void *ctx, uint16_t at, uint32_t offset, unsigned width)
{
    if (offset % width || offset > 0x100 - width)
        __builtin_trap();
    return answer(width);
}

static uint32_t read_bar(void *ctx, uint32_t offset, unsigned width)
{
    return answer(width);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pci_ops ops = { .config_read = read_bar };
    const struct pci_function function = { .ops = &ops };
    struct pci_bar bars[PCI_BARS];
    struct pci_bus_walk walk;
    struct pci_bus_function found;
    int last = -1;
    input = data;
    left = size;
    reads = 0;
    pci_bus_begin(&walk, (uint8_t)answer(1), read_any, NULL);
    while (pci_bus_next(&walk, &found)) {
        if (found.at <= last || found.vendor == 0 || found.vendor == 0xffff || found.class > 0xffffff)
            __builtin_trap();
        last = found.at;
        if (found.class & 1)
            continue;
        pci_bus_bars(&function, bars);
        for (unsigned i = 0; i < PCI_BARS; i++)
            if (bars[i].ports ? bars[i].base > UINT32_MAX || bars[i].base & 3 : (bars[i].base & 15) != 0)
                __builtin_trap();
    }
    return 0;
}
