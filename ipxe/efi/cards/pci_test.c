// SPDX-License-Identifier: MPL-2.0
// pci.c over a function in memory: one BAR of ports, one of 64 bits above 4 GiB, and a firmware whose every call fails once.
#include "efi/cards/pci.c"
#include "base/test.h"
#include "efi/testefi.h"

#define BASE 0x4000000000ull // of BAR 2, which takes BAR 3 as well
#define PORTS 0xc000ull      // of BAR 0
#define BUS_OFFSET 0x80000000ull // the card sees memory elsewhere than the processor

static struct efi_pci_io protocol;
static uint8_t config[64], window[256], ports[32];
static uint64_t attributes, supported;
static unsigned calls, fail_at; // the n-th call fails, 0: none
static unsigned pages, mappings; // under way
static bool no_low_memory, maps_half;

static bool fails(void)
{
    return ++calls == fail_at;
}

uint64_t clock_us(void)
{
    return 42;
}

static efi_status move(uint8_t *memory, size_t size, int width, uint64_t offset, uint64_t count, void *data, bool write)
{
    size_t len = (size_t)1 << width;
    if (fails() || count != 1 || offset % len || offset > size - len)
        return EFI_INVALID_PARAMETER;
    memcpy(write ? memory + offset : data, write ? data : memory + offset, len);
    return EFI_SUCCESS;
}

static efi_status fake_config_read(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *ret)
{
    return move(config, sizeof config, width, offset, count, ret, false);
}

static efi_status fake_config_write(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *data)
{
    return move(config, sizeof config, width, offset, count, data, true);
}

static efi_status memory_read(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *ret)
{
    return bar == 0xff ? move(window, sizeof window, width, offset - BASE, count, ret, false) : EFI_UNSUPPORTED;
}

static efi_status memory_write(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *data)
{
    return bar == 0xff ? move(window, sizeof window, width, offset - BASE, count, data, true) : EFI_UNSUPPORTED;
}

static efi_status ports_read(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *ret)
{
    return bar == 0xff ? move(ports, sizeof ports, width, offset - PORTS, count, ret, false) : EFI_UNSUPPORTED;
}

static efi_status ports_write(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *data)
{
    return bar == 0xff ? move(ports, sizeof ports, width, offset - PORTS, count, data, true) : EFI_UNSUPPORTED;
}

static efi_status fake_allocate(struct efi_pci_io *self, int how, int type, uint64_t n, void **ret, uint64_t flags)
{
    if (fails() || (no_low_memory && !(attributes & EFI_PCI_DUAL_ADDRESS_CYCLE)))
        return EFI_OUT_OF_RESOURCES;
    *ret = aligned_alloc(EFI_PAGE_SIZE, n * EFI_PAGE_SIZE);
    memset(*ret, 0xa5, n * EFI_PAGE_SIZE);
    pages += (unsigned)n;
    return EFI_SUCCESS;
}

static efi_status fake_free(struct efi_pci_io *self, uint64_t n, void *memory)
{
    pages -= (unsigned)n;
    free(memory);
    return EFI_SUCCESS;
}

static efi_status fake_map(struct efi_pci_io *self, int operation, void *memory, uint64_t *length, uint64_t *ret_bus, void **ret)
{
    if (fails() || operation != 2)
        return EFI_UNSUPPORTED;
    *ret_bus = (uintptr_t)memory + BUS_OFFSET;
    *ret = memory;
    *length = maps_half ? *length / 2 : *length;
    mappings++;
    return EFI_SUCCESS;
}

static efi_status fake_unmap(struct efi_pci_io *self, void *mapping)
{
    mappings--;
    return EFI_SUCCESS;
}

// What was changed is changed back even by the firmware that fails.
static efi_status fake_attributes(struct efi_pci_io *self, int operation, uint64_t bits, uint64_t *ret)
{
    if (operation != EFI_PCI_SET && (fails() || bits & ~supported))
        return EFI_UNSUPPORTED;
    switch (operation) {
    case EFI_PCI_GET: *ret = attributes; break;
    case EFI_PCI_SUPPORTED: *ret = supported; break;
    case EFI_PCI_SET: attributes = bits; break;
    case EFI_PCI_ENABLE: attributes |= bits; break;
    default: return EFI_UNSUPPORTED;
    }
    return EFI_SUCCESS;
}

static void set_up(void)
{
    static const uint32_t words[] = { 0x10411af4, 0, 0x02000000, 0, PORTS | 1, 0, 0xc, BASE >> 32 };
    testefi_start();
    heap_fails = fails;
    testefi_install(NULL, &pci_guid, &protocol);
    protocol = (struct efi_pci_io){
        .memory = { memory_read, memory_write },
        .ports = { ports_read, ports_write },
        .config_read = fake_config_read,
        .config_write = fake_config_write,
        .map = fake_map,
        .unmap = fake_unmap,
        .allocate = fake_allocate,
        .free = fake_free,
        .attributes = fake_attributes,
    };
    memset(config, 0, sizeof config);
    memcpy(config, words, sizeof words);
    for (unsigned i = 0; i < sizeof window; i++)
        window[i] = (uint8_t)(i + 1);
    memset(ports, 0, sizeof ports);
    attributes = EFI_PCI_MEMORY;
    supported = EFI_PCI_IO | EFI_PCI_MEMORY | EFI_PCI_BUS_MASTER | EFI_PCI_DUAL_ADDRESS_CYCLE;
    calls = fail_at = 0;
    no_low_memory = maps_half = false;
}

TEST(registers_of_both_kinds_and_the_configuration)
{
    struct pci_io pci;
    set_up();
    CHECK_EQ(pci_open(&pci, NULL), 0);
    const struct pci_ops *o = pci.function.ops;
    void *ctx = pci.function.ctx;
    CHECK(pci.function.vendor == 0x1af4, pci.function.device == 0x1041);
    CHECK_EQ(attributes, EFI_PCI_IO | EFI_PCI_MEMORY | EFI_PCI_BUS_MASTER);
    CHECK_EQ(o->read(ctx, 2, 0x10, 1), 0x11);
    CHECK_EQ(o->read(ctx, 2, 0x10, 2), 0x1211);
    CHECK_EQ(o->read(ctx, 2, 0x10, 4), 0x14131211);
    o->write(ctx, 2, 0x20, 2, 0xffffbeef);
    CHECK_EQ(o->read(ctx, 2, 0x20, 4), 0x2423beef);
    o->write(ctx, 0, 4, 4, 0x01020304);
    CHECK(ports[4] == 4, ports[7] == 1, o->read(ctx, 0, 6, 2) == 0x0102);
    CHECK_EQ(o->config_read(ctx, 0x0b, 1), 0x02);
    o->config_write(ctx, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    CHECK(config[4] == 4, config[5] == 0);
    CHECK_EQ(o->now_us(ctx), 42);
    pci_close(&pci);
    CHECK_EQ(attributes, EFI_PCI_MEMORY);
}

TEST(what_is_not_there_reads_as_ones)
{
    struct pci_io pci;
    set_up();
    CHECK_EQ(pci_open(&pci, NULL), 0);
    const struct pci_ops *o = pci.function.ops;
    CHECK_EQ(o->read(&pci, 1, 0, 4), UINT32_MAX); // no BAR
    CHECK_EQ(o->read(&pci, 3, 0, 2), UINT16_MAX); // the upper half of one
    CHECK_EQ(o->read(&pci, PCI_BARS, 0, 1), UINT8_MAX);
    CHECK_EQ(o->read(&pci, 2, sizeof window, 4), UINT32_MAX);
    CHECK_EQ(o->config_read(&pci, sizeof config, 2), UINT16_MAX);
    o->write(&pci, 1, 0, 4, 0);
    pci_close(&pci);
    testefi_remove(NULL);
    CHECK_EQ(pci_open(&pci, NULL), ERR_NET_LINK);
}

TEST(memory_for_both_sides)
{
    struct pci_io pci;
    uint64_t bus;
    set_up();
    CHECK_EQ(pci_open(&pci, NULL), 0);
    const struct pci_ops *o = pci.function.ops;
    uint8_t *a = o->dma_alloc(&pci, EFI_PAGE_SIZE + 1, &bus), *b = o->dma_alloc(&pci, 1, &bus);
    CHECK(a, b, bus == (uintptr_t)b + BUS_OFFSET, pages == 3, mappings == 2);
    CHECK(a[0] == 0, a[2 * EFI_PAGE_SIZE - 1] == 0, b[0] == 0);
    o->dma_free(&pci, a, EFI_PAGE_SIZE + 1);
    CHECK(pages == 1, mappings == 1, heap_under_way == 1);
    pci_close(&pci);
    CHECK(pages == 0, mappings == 0, heap_under_way == 0);
}

TEST(memory_beyond_four_gigabytes_where_there_is_no_other)
{
    struct pci_io pci;
    uint64_t bus;
    set_up();
    no_low_memory = true;
    CHECK_EQ(pci_open(&pci, NULL), 0);
    CHECK(pci.function.ops->dma_alloc(&pci, 1, &bus) != NULL);
    pci_close(&pci);
    CHECK_EQ(attributes, EFI_PCI_MEMORY);
    supported &= ~EFI_PCI_DUAL_ADDRESS_CYCLE;
    CHECK_EQ(pci_open(&pci, NULL), 0);
    CHECK(pci.function.ops->dma_alloc(&pci, 1, &bus) == NULL);
    pci_close(&pci);
    CHECK(pages == 0, mappings == 0, heap_under_way == 0);
}

TEST(a_mapping_that_is_too_short_is_none)
{
    struct pci_io pci;
    uint64_t bus;
    set_up();
    maps_half = true;
    CHECK_EQ(pci_open(&pci, NULL), 0);
    CHECK(pci.function.ops->dma_alloc(&pci, 8192, &bus) == NULL);
    CHECK(pages == 0, mappings == 0, heap_under_way == 0);
    pci_close(&pci);
}

TEST(every_call_may_fail_and_nothing_is_left)
{
    unsigned last = 0;
    for (unsigned n = 1; n == 1 || last >= n - 1; n++) {
        struct pci_io pci;
        uint64_t bus;
        set_up();
        fail_at = n;
        if (pci_open(&pci, NULL) == 0) {
            const struct pci_ops *o = pci.function.ops;
            void *a = o->dma_alloc(&pci, 100, &bus);
            (void)o->dma_alloc(&pci, 5000, &bus);
            (void)o->read(&pci, 2, 0, 4);
            if (a)
                o->dma_free(&pci, a, 100);
            pci_close(&pci);
        }
        last = calls;
        CHECK(pages == 0, mappings == 0, heap_under_way == 0);
        CHECK_EQ(attributes, EFI_PCI_MEMORY);
    }
    CHECK(last > 15);
}

TEST_MAIN(T(registers_of_both_kinds_and_the_configuration), T(what_is_not_there_reads_as_ones), T(memory_for_both_sides),
          T(memory_beyond_four_gigabytes_where_there_is_no_other), T(a_mapping_that_is_too_short_is_none),
          T(every_call_may_fail_and_nothing_is_left))
