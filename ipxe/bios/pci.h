// SPDX-License-Identifier: MPL-2.0
// PCI functions as the native drivers see them (drivers/pci.h), by configuration mechanism 1: the ports CF8h and CFCh (PCI Local Bus
// Specification 3.0, 3.2.2.3.2).
#pragma once
#include "drivers/pci_bus.h"

struct bios_pci {
    struct pci_function function; // what a driver gets
    uint16_t at;
    struct pci_bar bars[PCI_BARS];
};

// A walk over all functions of the machine. It finds none where there is no mechanism 1.
void pci_walk(struct pci_bus_walk *ret);

// The function at this place; `pci` must stay where it is. ERR_NOT_FOUND: there is none. ERR_TOO_LARGE: registers of it lie above
// 4 GiB, where 32-bit mode without paging does not reach.
int pci_open(struct bios_pci *pci, uint16_t at);
