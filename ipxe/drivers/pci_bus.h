// SPDX-License-Identifier: MPL-2.0
// The functions of a machine's PCI buses, and where their registers are: by reads of configuration space alone, for a platform that
// has no firmware to ask. Pure: how such a read is done is the caller's (PCI Local Bus Specification 3.0, chapter 6).
#pragma once
#include "base/base.h"
#include "drivers/pci.h"

// Where a function is, as the PCI BIOS has it: bus, device and function in 8, 5 and 3 bits.
#define PCI_AT(bus, device, function) ((uint16_t)((bus) << 8 | (device) << 3 | (function)))
#define PCI_NOWHERE 0xffffu // of the last bus that there can be: no card is there
// For a message.
#define PCI_PLACE_FORMAT "%02x:%02x.%u"
#define PCI_PLACE(at) (unsigned)(at) >> 8, (unsigned)(at) >> 3 & 31u, (unsigned)(at) & 7u

// As in struct pci_ops: all ones where there is nothing.
typedef uint32_t pci_bus_read(void *ctx, uint16_t at, uint32_t offset, unsigned width);

struct pci_bus_walk {
    pci_bus_read *read;
    void *ctx;
    uint32_t next; // one more than the last function is 0x10000
    uint8_t last_bus;
};

struct pci_bus_function {
    uint16_t at, vendor, device;
    uint32_t class; // class, subclass and interface in the lowest 24 bits
};

// From bus 0 on. `last_bus`: the last one that is known, 0 where nothing is; each bridge that is met adds the buses behind it.
void pci_bus_begin(struct pci_bus_walk *walk, uint8_t last_bus, pci_bus_read *read, void *ctx);
// The next function, ascending, bridges as well. False: there is none any more.
bool pci_bus_next(struct pci_bus_walk *walk, struct pci_bus_function *ret);

struct pci_bar {
    bool ports;
    uint64_t base; // as the bus has it, 0: there is none
};

// All of a function's base address registers. One of 64 bits takes two places, and the second stays empty.
void pci_bus_bars(const struct pci_function *function, struct pci_bar ret[PCI_BARS]);
