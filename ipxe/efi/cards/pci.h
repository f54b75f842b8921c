// SPDX-License-Identifier: MPL-2.0
// A PCI function as the native drivers see it (drivers/pci.h), by EFI_PCI_IO_PROTOCOL (UEFI 2.10, chapter 14.4).
#pragma once
#include "drivers/pci_bus.h"
#include "efi/uefi.h"

struct pci_io {
    struct pci_function function; // what a driver gets
    struct efi_pci_io *protocol;
    uint64_t attributes; // as the firmware had them
    struct pci_bar bars[PCI_BARS];
    struct pci_dma *dma; // what a driver has allocated and not freed
};

// Lets the function answer and reach memory; `pci` must stay where it is. ERR_NET_LINK: there is no such function, or the
// firmware refuses, and nothing is changed.
int pci_open(struct pci_io *pci, efi_handle handle);

// The function is as it was, and all of its memory given back.
void pci_close(struct pci_io *pci);
