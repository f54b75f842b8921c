// SPDX-License-Identifier: MPL-2.0
// The register seam of the drivers: one PCI function, as the platform reaches it. UEFI fills it in by EFI_PCI_IO_PROTOCOL, the
// unit tests by a card that is a program. Offsets and widths are bytes, values in the processor's byte order; registers are
// little-endian on the bus, which is the platform's matter.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PCI_VENDOR 0x00 // 16 bits each (PCI Local Bus Specification 3.0, section 6.1)
#define PCI_DEVICE 0x02
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_COMMAND_NO_INTX 0x0400u // the interrupt pin stays quiet
#define PCI_STATUS 0x06
#define PCI_STATUS_CAPABILITIES 0x0010u
#define PCI_REVISION 0x08 // 8 bits; the class code is above it
#define PCI_CLASS_NETWORK 0x02 // the uppermost byte of a class code, appendix D
#define PCI_SUBSYSTEM 0x2c // 16 bits of a vendor, 16 of its device
#define PCI_CAPABILITIES 0x34 // 8 bits: offset of the first one, section 6.7
#define PCI_BARS 6

struct pci_ops {
    // Configuration space; `width` is 1, 2 or 4 and `offset` a multiple of it. All ones where there is nothing.
    uint32_t (*config_read)(void *ctx, uint32_t offset, unsigned width);
    void (*config_write)(void *ctx, uint32_t offset, unsigned width, uint32_t value);
    // A register of base address register `bar`, whether that is memory or ports. Every write has reached the card before a
    // later read of it is answered; memory that was written before a register is (dma_alloc's) is seen by the card.
    uint32_t (*read)(void *ctx, unsigned bar, uint32_t offset, unsigned width);
    void (*write)(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value);
    // Memory that processor and card both see without further ado: page-aligned, zeroed, below 4 GiB of the card's bus unless the
    // platform knows better. The card's address of it in *ret_bus. NULL: none. dma_free with the same length.
    void *(*dma_alloc)(void *ctx, size_t len, uint64_t *ret_bus);
    void (*dma_free)(void *ctx, void *memory, size_t len);
    // Microseconds of a clock that never goes back: for deadlines of what a card is waited for.
    uint64_t (*now_us)(void *ctx);
};

struct pci_function {
    const struct pci_ops *ops;
    void *ctx;
    uint16_t vendor, device;
};
