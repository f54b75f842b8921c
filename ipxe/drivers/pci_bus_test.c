// SPDX-License-Identifier: MPL-2.0
// pci_bus.c over a machine that is a table.
#include "drivers/pci_bus.h"

#include "base/bytes.h"
#include "base/test.h"
#include <limits.h>

#define SEEN_MAX 64

static struct entry {
    uint16_t at;
    uint8_t config[64];
} machine[32];
static unsigned entries, reads;
static bool wrong; // a read or a function that may not be
static uint16_t seen[SEEN_MAX];

static uint8_t *add(uint16_t at, uint16_t vendor, uint8_t header)
{
    struct entry *e = &machine[entries++];
    *e = (struct entry){ .at = at };
    store16_le(e->config, vendor);
    store16_le(e->config + 2, 0x100e);
    store32_le(e->config + 8, 0x02000003);
    e->config[0x0e] = header;
    return e->config;
}

static uint32_t read_entry(void *ctx, uint16_t at, uint32_t offset, unsigned width)
{
    wrong |= offset % width || ctx != &machine;
    reads++;
    uint32_t value = UINT32_MAX;
    for (unsigned i = 0; i < entries; i++)
        if (machine[i].at == at)
            value = load32_le(machine[i].config + (offset & ~3u)) >> 8 * (offset & 3);
    return width == 4 ? value : value & ((1u << 8 * width) - 1);
}

static unsigned walk(uint8_t last_bus)
{
    struct pci_bus_walk w;
    struct pci_bus_function f;
    unsigned n = 0;
    reads = 0;
    pci_bus_begin(&w, last_bus, read_entry, &machine);
    while (pci_bus_next(&w, &f)) {
        wrong |= n == SEEN_MAX || (n && seen[n - 1] >= f.at) || f.device != 0x100e || f.class != 0x020000;
        seen[n++ % SEEN_MAX] = f.at;
    }
    wrong |= pci_bus_next(&w, &f); // it stays at the end
    return wrong ? UINT_MAX : n;
}

TEST(one_bus)
{
    entries = 0;
    add(PCI_AT(0, 0, 0), 0x8086, 0);
    add(PCI_AT(0, 3, 0), 0x8086, 0);
    add(PCI_AT(0, 31, 0), 0x8086, 0);
    add(PCI_AT(1, 0, 0), 0x8086, 0); // nobody leads there
    CHECK_EQ(walk(0), 3);
    CHECK(seen[0] == 0, seen[1] == 3 << 3, seen[2] == 31 << 3);
    CHECK_EQ(walk(1), 4); // but the BIOS knows it: behind another host bridge
    CHECK_EQ(seen[3], 0x100);
}

TEST(functions_of_a_device)
{
    entries = 0;
    add(PCI_AT(0, 1, 0), 0x8086, 0x80);
    add(PCI_AT(0, 1, 2), 0x8086, 0);
    add(PCI_AT(0, 1, 7), 0x8086, 0x80);
    add(PCI_AT(0, 2, 0), 0x8086, 0);
    add(PCI_AT(0, 2, 1), 0x8086, 0); // the same once more: one function answers for all
    add(PCI_AT(0, 4, 1), 0x8086, 0); // without function 0
    add(PCI_AT(0, 5, 0), 0, 0);      // no vendor has this one
    CHECK_EQ(walk(0), 4);
    CHECK(seen[0] == 010, seen[1] == 012, seen[2] == 017, seen[3] == 020);
}

TEST(behind_bridges)
{
    entries = 0;
    uint8_t *bridge = add(PCI_AT(0, 1, 0), 0x8086, 1);
    bridge[0x19] = 1;
    bridge[0x1a] = 2;
    add(PCI_AT(1, 0, 0), 0x8086, 0x81)[0x1a] = 2; // one with several functions, on to bus 2
    add(PCI_AT(1, 0, 1), 0x8086, 0);
    add(PCI_AT(2, 9, 0), 0x8086, 2)[0x1a] = 3; // CardBus
    add(PCI_AT(3, 0, 0), 0x8086, 0);
    add(PCI_AT(4, 0, 0), 0x8086, 0); // behind none
    CHECK_EQ(walk(0), 5);
    CHECK(seen[1] == 0x100, seen[2] == 0x101, seen[3] == 0x248, seen[4] == 0x300);
}

// Bridges that lead back, to themselves or to everywhere: each bus is looked at once.
TEST(bridges_that_are_wrong)
{
    entries = 0;
    add(PCI_AT(0, 0, 0), 0x8086, 1)[0x1a] = 0;
    add(PCI_AT(0, 1, 0), 0x8086, 1)[0x1a] = 1;
    add(PCI_AT(1, 0, 0), 0x8086, 1)[0x1a] = 0;
    add(PCI_AT(1, 1, 0), 0x8086, 1)[0x1a] = 255;
    add(PCI_AT(255, 31, 0), 0x8086, 0x80);
    add(PCI_AT(255, 31, 7), 0x8086, 0x81); // the very last
    CHECK_EQ(walk(0), 6);
    CHECK_EQ(seen[5], 0xffff);
    CHECK(reads < 256 * 32 + 64);
}

TEST(an_empty_machine)
{
    entries = 0;
    CHECK_EQ(walk(0), 0);
    CHECK_EQ(walk(255), 0);
    CHECK_EQ(reads, 256 * 32);
}

// ---- base address registers ----

static uint32_t bar_words[PCI_BARS];

static uint32_t bar_read(void *ctx, uint32_t offset, unsigned width)
{
    wrong |= width != 4 || offset < 0x10 || offset > 0x24 || offset % 4;
    return bar_words[(offset - 0x10) / 4];
}

TEST(base_address_registers)
{
    static const struct pci_ops ops = { .config_read = bar_read };
    const struct pci_function function = { .ops = &ops };
    struct pci_bar bars[PCI_BARS];
    static const uint32_t words[] = { 0xfebc0000, 0xc041, 0xfe00000c, 0x40, UINT32_MAX, 0xfebd0004 };
    memcpy(bar_words, words, sizeof words);
    memset(bars, 0xee, sizeof bars);
    pci_bus_bars(&function, bars);
    CHECK(!bars[0].ports, bars[0].base == 0xfebc0000);
    CHECK(bars[1].ports, bars[1].base == 0xc040);
    CHECK(!bars[2].ports, bars[2].base == 0x40fe000000ull);
    CHECK(!bars[3].ports, bars[3].base == 0); // the upper half of 2
    CHECK(!bars[4].ports, bars[4].base == 0);
    CHECK(!wrong, bars[5].base == 0xfebd0000); // of 64 bits, without room for the upper half
    memset(bar_words, 0, sizeof bar_words);
    pci_bus_bars(&function, bars);
    for (unsigned i = 0; i < PCI_BARS; i++)
        CHECK(!bars[i].ports, bars[i].base == 0);
}

TEST_MAIN(T(one_bus), T(functions_of_a_device), T(behind_bridges), T(bridges_that_are_wrong), T(an_empty_machine),
          T(base_address_registers))
