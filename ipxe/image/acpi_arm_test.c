// SPDX-License-Identifier: MPL-2.0
#include "image/acpi_arm.h"
#include "base/test.h"

#define SELF 0x100
#define CAP 4

static uint8_t table[512];
static size_t table_len;

static void madt_begin(void)
{
    memset(table, 0, sizeof table);
    memcpy(table, "APIC", 4);
    table_len = 44;
}

static uint8_t *madt_add(uint8_t type, uint8_t len)
{
    uint8_t *entry = table + table_len;
    entry[0] = type;
    entry[1] = len;
    table_len += len;
    return entry;
}

static void madt_add_gicc(uint8_t len, uint32_t flags, uint64_t affinity)
{
    uint8_t *entry = madt_add(0x0b, len);
    store32_le(entry + 12, flags);
    store64_le(entry + 68, affinity);
}

// In memory of just that length: a read behind the end shows.
static int processors(size_t len, uint64_t ids[CAP])
{
    uint8_t *exact = malloc(len);
    memcpy(exact, table, len);
    int n = acpi_read_processors(exact, len, SELF, ids, CAP);
    free(exact);
    return n;
}

TEST(rsdp_leads_to_the_xsdt)
{
    uint8_t r[ACPI_RSDP_SIZE] = "RSD PTR ";
    uint64_t xsdt = 1;
    r[15] = 2;
    store32_le(r + 20, sizeof r);
    store64_le(r + 24, 0x13c000018ull);
    r[8] = (uint8_t)-byte_sum(r, 20);
    CHECK_EQ(acpi_read_rsdp(r, &xsdt), ERR_NOT_FOUND); // one of two sums
    r[32] = (uint8_t)-byte_sum(r, sizeof r);
    CHECK_EQ(acpi_read_rsdp(r, &xsdt), 0);
    CHECK(xsdt == 0x13c000018ull);
    r[15] = 1, r[8]++;
    CHECK_EQ(acpi_read_rsdp(r, &xsdt), ERR_NOT_FOUND); // revision 1 has no XSDT
    r[15] = 2, r[8]--, r[0] = 'r', r[9] += 'R' - 'r';
    CHECK_EQ(acpi_read_rsdp(r, &xsdt), ERR_NOT_FOUND);
}

TEST(xsdt_lists_tables)
{
    store64_le(table + 36, 0x11);
    store64_le(table + 44, 0x123456789abcull);
    CHECK_EQ(acpi_xsdt_count(36), 0);
    CHECK_EQ(acpi_xsdt_count(51), 1);
    CHECK_EQ(acpi_xsdt_count(52), 2);
    CHECK(acpi_xsdt_entry(table, 0) == 0x11, acpi_xsdt_entry(table, 1) == 0x123456789abcull);
}

TEST(fadt_says_how_psci_is_called)
{
    static const struct { uint16_t flags; int err; enum acpi_conduit conduit; } cases[] = {
        { 0, ERR_UNSUPPORTED, 0 }, { 1, 0, ACPI_CONDUIT_SMC }, { 2, ERR_UNSUPPORTED, 0 }, { 3, 0, ACPI_CONDUIT_HVC },
    };
    uint8_t fadt[276] = { 0 };
    enum acpi_conduit conduit;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        store16_le(fadt + 129, cases[i].flags);
        CHECK_EQ(acpi_read_conduit(fadt, sizeof fadt, &conduit), cases[i].err);
        CHECK(cases[i].err || conduit == cases[i].conduit);
    }
    CHECK_EQ(acpi_read_conduit(fadt, 131, &conduit), 0);
    CHECK_EQ(acpi_read_conduit(fadt, 130, &conduit), ERR_UNSUPPORTED);
}

TEST(madt_names_the_others)
{
    uint64_t ids[CAP] = { 0 };
    madt_begin();
    CHECK_EQ(processors(table_len, ids), 0);
    madt_add(0x0c, 24); // the distributor
    madt_add_gicc(80, 1, SELF);
    madt_add_gicc(80, 0, 0x101);          // not enabled
    madt_add_gicc(76, 1, 0x102);          // ACPI 5.1
    madt_add_gicc(82, 9, 0xff00ffffffull); // ACPI 6.5, more flags
    madt_add_gicc(80, 1, 1ull << 31);     // no affinity
    madt_add(0x0b, 40);                   // ACPI 5.0: no MPIDR
    CHECK_EQ(processors(table_len, ids), 2);
    CHECK(ids[0] == 0x102, ids[1] == 0xff00ffffffull);
    size_t whole = table_len;
    for (table_len = 45; table_len < whole; table_len++) {
        int n = processors(table_len, ids); // between two entries it is a shorter table
        CHECK(n == ERR_TRUNCATED || (n >= 0 && n <= 2));
    }
    CHECK_EQ(processors(43, ids), ERR_TRUNCATED);
}

TEST(madt_with_more_than_are_wanted)
{
    uint64_t ids[CAP];
    madt_begin();
    for (uint64_t i = 0; i < CAP + 1; i++)
        madt_add_gicc(80, 1, i);
    CHECK_EQ(processors(table_len, ids), CAP);
    CHECK(ids[CAP - 1] == CAP - 1);
}

TEST(madt_that_does_not_go_on)
{
    uint64_t ids[CAP];
    madt_begin();
    madt_add(0x0c, 0);
    table_len += 8;
    CHECK_EQ(processors(table_len, ids), ERR_TRUNCATED);
}

TEST_MAIN(T(rsdp_leads_to_the_xsdt), T(xsdt_lists_tables), T(fadt_says_how_psci_is_called), T(madt_names_the_others),
          T(madt_with_more_than_are_wanted), T(madt_that_does_not_go_on))
