// SPDX-License-Identifier: MPL-2.0
// See pci_bus.h.
#include "drivers/pci_bus.h"

#define PCI_HEADER_TYPE 0x0e
#define HEADER_SEVERAL 0x80u // of function 0: there are others
#define HEADER_KIND 0x7fu
#define HEADER_BRIDGE 1u // to PCI; 2 is one to CardBus, with its buses in the same place
#define HEADER_CARDBUS 2u
#define BRIDGE_LAST_BUS 0x1a
#define FUNCTIONS 8u
#define AT_END 0x10000u

#define PCI_BAR0 0x10 // 6.2.5.1
#define BAR_PORTS 0x1u
#define BAR_PORTS_FLAGS 0x3u
#define BAR_MEMORY_FLAGS 0xfu
#define BAR_TYPE 0x6u
#define BAR_TYPE_64 0x4u

void pci_bus_begin(struct pci_bus_walk *walk, uint8_t last_bus, pci_bus_read *read, void *ctx)
{
    *walk = (struct pci_bus_walk){ .read = read, .ctx = ctx, .last_bus = last_bus };
}

bool pci_bus_next(struct pci_bus_walk *walk, struct pci_bus_function *ret)
{
    while (walk->next < AT_END && walk->next >> 8 <= walk->last_bus) {
        uint16_t at = (uint16_t)walk->next;
        bool first = at % FUNCTIONS == 0;
        uint32_t id = walk->read(walk->ctx, at, PCI_VENDOR, 4);
        bool here = (uint16_t)id != 0xffff && (uint16_t)id != 0;
        uint32_t header = here ? walk->read(walk->ctx, at, PCI_HEADER_TYPE, 1) : 0;
        // A device of one function may answer for all eight; without function 0 there is no device.
        walk->next += first && !(here && (header & HEADER_SEVERAL)) ? FUNCTIONS : 1;
        if (!here)
            continue;
        uint32_t kind = header & HEADER_KIND;
        if (kind == HEADER_BRIDGE || kind == HEADER_CARDBUS)
            walk->last_bus = MAX(walk->last_bus, (uint8_t)walk->read(walk->ctx, at, BRIDGE_LAST_BUS, 1));
        *ret = (struct pci_bus_function){ at, (uint16_t)id, (uint16_t)(id >> 16), walk->read(walk->ctx, at, PCI_REVISION, 4) >> 8 };
        return true;
    }
    return false;
}

void pci_bus_bars(const struct pci_function *function, struct pci_bar ret[PCI_BARS])
{
    memset(ret, 0, PCI_BARS * sizeof *ret);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *bar = &ret[i];
        uint32_t low = function->ops->config_read(function->ctx, PCI_BAR0 + 4 * i, 4);
        if (low == UINT32_MAX)
            continue; // not to be read
        bar->ports = low & BAR_PORTS;
        bar->base = low & ~(bar->ports ? BAR_PORTS_FLAGS : BAR_MEMORY_FLAGS);
        if (!bar->ports && (low & BAR_TYPE) == BAR_TYPE_64 && i + 1 < PCI_BARS)
            bar->base |= (uint64_t)function->ops->config_read(function->ctx, PCI_BAR0 + 4 * ++i, 4) << 32;
    }
}
