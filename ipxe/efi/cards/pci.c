// SPDX-License-Identifier: MPL-2.0
// See pci.h. Registers are reached by their address on the bus: edk2 counts base address registers of 64 bits once, the
// specification and the drivers twice, so that the number of a register is not one thing everywhere.
#include "efi/cards/pci.h"

#include "base/err.h"
#include "drivers/barrier.h"
#include "efi/clock.h"
#include "efi/efi.h"
#include "efi/heap.h"

static const struct efi_guid pci_guid = EFI_PCI_IO_GUID;

struct pci_dma {
    struct pci_dma *next;
    void *memory, *mapping;
    uint64_t pages;
};

// 1, 2, 4 bytes -> EFI_PCI_WIDTH_*
static int width_code(unsigned width)
{
    return (int)(width >> 1);
}

static uint32_t all_ones(unsigned width)
{
    return UINT32_MAX >> (32 - 8 * width);
}

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    struct efi_pci_io *protocol = ((struct pci_io *)ctx)->protocol;
    uint32_t value = 0; // its first bytes are the lowest: UEFI's processors are little-endian
    bool failed = efi_failed(protocol->config_read(protocol, width_code(width), offset, 1, &value));
    return failed ? all_ones(width) : value;
}

static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    struct efi_pci_io *protocol = ((struct pci_io *)ctx)->protocol;
    (void)protocol->config_write(protocol, width_code(width), offset, 1, &value); // shows as a card that does not answer
}

static const struct pci_bar *find_bar(const struct pci_io *pci, unsigned bar)
{
    return bar < PCI_BARS && pci->bars[bar].base ? &pci->bars[bar] : NULL;
}

static const struct efi_pci_space *space_of(const struct pci_io *pci, const struct pci_bar *bar)
{
    return bar->ports ? &pci->protocol->ports : &pci->protocol->memory;
}

static uint32_t register_read(void *ctx, unsigned number, uint32_t offset, unsigned width)
{
    struct pci_io *pci = ctx;
    const struct pci_bar *bar = find_bar(pci, number);
    uint32_t value = 0;
    if (!bar || efi_failed(space_of(pci, bar)->read(pci->protocol, width_code(width), EFI_PCI_PASS_THROUGH_BAR, bar->base + offset,
                                                    1, &value)))
        return all_ones(width);
    return value;
}

static void register_write(void *ctx, unsigned number, uint32_t offset, unsigned width, uint32_t value)
{
    struct pci_io *pci = ctx;
    const struct pci_bar *bar = find_bar(pci, number);
    barrier_write();
    if (bar)
        (void)space_of(pci, bar)->write(pci->protocol, width_code(width), EFI_PCI_PASS_THROUGH_BAR, bar->base + offset, 1, &value);
}

// Below 4 GiB of the bus; where there is no memory, as on some arm64 machines, above.
static void *allocate_pages(struct efi_pci_io *protocol, uint64_t pages)
{
    void *memory;
    if (!efi_failed(protocol->allocate(protocol, EFI_ALLOCATE_ANY, EFI_BOOT_SERVICES_DATA, pages, &memory, 0)))
        return memory;
    if (efi_failed(protocol->attributes(protocol, EFI_PCI_ENABLE, EFI_PCI_DUAL_ADDRESS_CYCLE, NULL)) ||
        efi_failed(protocol->allocate(protocol, EFI_ALLOCATE_ANY, EFI_BOOT_SERVICES_DATA, pages, &memory, 0)))
        return NULL;
    return memory;
}

static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    struct pci_io *pci = ctx;
    struct efi_pci_io *protocol = pci->protocol;
    uint64_t pages = (len + EFI_PAGE_SIZE - 1) / EFI_PAGE_SIZE, length = pages * EFI_PAGE_SIZE;
    struct pci_dma *dma = heap_alloc(sizeof *dma);
    if (!dma)
        return NULL;
    *dma = (struct pci_dma){ .next = pci->dma, .memory = allocate_pages(protocol, pages), .pages = pages };
    if (!dma->memory)
        goto free_record;
    if (efi_failed(protocol->map(protocol, EFI_PCI_COMMON_BUFFER, dma->memory, &length, ret_bus, &dma->mapping)))
        goto free_memory;
    if (length != pages * EFI_PAGE_SIZE)
        goto unmap;
    pci->dma = dma;
    return memset(dma->memory, 0, length);

unmap:
    (void)protocol->unmap(protocol, dma->mapping);
free_memory:
    (void)protocol->free(protocol, pages, dma->memory);
free_record:
    heap_free(dma);
    return NULL;
}

static void dma_free(void *ctx, void *memory, size_t len)
{
    struct pci_io *pci = ctx;
    struct pci_dma **at = &pci->dma, *dma;
    while (*at && (*at)->memory != memory)
        at = &(*at)->next;
    dma = *at;
    if (!dma)
        return;
    *at = dma->next;
    (void)pci->protocol->unmap(pci->protocol, dma->mapping);
    (void)pci->protocol->free(pci->protocol, dma->pages, dma->memory);
    heap_free(dma);
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

int pci_open(struct pci_io *pci, efi_handle handle)
{
    struct efi_pci_io *protocol = efi_protocol(handle, &pci_guid);
    uint64_t wanted = EFI_PCI_IO | EFI_PCI_MEMORY | EFI_PCI_BUS_MASTER, supported, found;
    if (!protocol || efi_failed(protocol->attributes(protocol, EFI_PCI_GET, 0, &found)) ||
        efi_failed(protocol->attributes(protocol, EFI_PCI_SUPPORTED, 0, &supported)) ||
        efi_failed(protocol->attributes(protocol, EFI_PCI_ENABLE, wanted & supported, NULL)))
        return ERR_NET_LINK;
    *pci = (struct pci_io){ .protocol = protocol, .attributes = found };
    pci->function = (struct pci_function){ .ops = &ops, .ctx = pci };
    pci->function.vendor = (uint16_t)config_read(pci, PCI_VENDOR, 2);
    pci->function.device = (uint16_t)config_read(pci, PCI_DEVICE, 2);
    pci_bus_bars(&pci->function, pci->bars);
    return 0;
}

void pci_close(struct pci_io *pci)
{
    (void)pci->protocol->attributes(pci->protocol, EFI_PCI_SET, pci->attributes, NULL);
    while (pci->dma)
        dma_free(pci, pci->dma->memory, 0);
}
