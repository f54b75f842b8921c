// SPDX-License-Identifier: MPL-2.0
#include "image/acpi.h"
#include "base/test.h"

static void checksum(uint8_t *p, size_t len, size_t at)
{
    uint8_t sum = 0;
    p[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    p[at] = (uint8_t)-sum;
}

static size_t make_dsdt(uint8_t *p, const uint8_t *aml, size_t aml_len)
{
    size_t len = ACPI_HEADER_SIZE + aml_len;
    memset(p, 0, ACPI_HEADER_SIZE);
    memcpy(p, "DSDT", 4);
    store32_le(p + 4, (uint32_t)len);
    memcpy(p + ACPI_HEADER_SIZE, aml, aml_len);
    checksum(p, len, 9);
    return len;
}

TEST(rsdp_is_found_by_sum_and_place)
{
    uint8_t area[256] = { 0 };
    uint32_t rsdt = 1;
    CHECK_EQ(acpi_find_rsdt(area, sizeof area, &rsdt), ERR_NOT_FOUND);
    memcpy(area + 64, "RSD PTR ", 8);
    store32_le(area + 64 + 16, 0x7fe1234);
    CHECK_EQ(acpi_find_rsdt(area, sizeof area, &rsdt), ERR_NOT_FOUND);
    checksum(area + 64, 20, 8);
    CHECK_EQ(acpi_find_rsdt(area, sizeof area, &rsdt), 0);
    CHECK_EQ(rsdt, 0x7fe1234);
    CHECK_EQ(acpi_find_rsdt(area, 64 + 19, &rsdt), ERR_NOT_FOUND);
    CHECK_EQ(acpi_find_rsdt(area, 3, &rsdt), ERR_NOT_FOUND);
}

TEST(tables_are_checked_whole)
{
    uint8_t t[128];
    size_t len = make_dsdt(t, (const uint8_t *)"abc", 3);
    CHECK_EQ(acpi_table_length(t), len);
    CHECK(acpi_table_valid(t, len, "DSDT"));
    CHECK(!acpi_table_valid(t, len, "FACP"));
    CHECK(!acpi_table_valid(t, len - 1, "DSDT"));
    t[len - 1] ^= 1;
    CHECK(!acpi_table_valid(t, len, "DSDT"));
    store32_le(t + 4, 35);
    CHECK_EQ(acpi_table_length(t), 0);
    store32_le(t + 4, 0xffffffff);
    CHECK_EQ(acpi_table_length(t), 0);
}

TEST(fadt_gives_the_ports)
{
    uint8_t t[116] = { 0 };
    struct acpi_power p;
    store32_le(t + 40, 0x7fe0040);
    store32_le(t + 48, 0xb2);
    t[52] = 0xf1;
    store32_le(t + 64, 0x604);
    CHECK_EQ(acpi_read_fadt(t, sizeof t, &p), 0);
    CHECK(p.dsdt == 0x7fe0040, p.smi_command == 0xb2, p.enable == 0xf1, p.pm1a == 0x604, p.pm1b == 0);
    CHECK_EQ(acpi_read_fadt(t, 71, &p), ERR_TRUNCATED);
    store32_le(t + 64, 0);
    CHECK_EQ(acpi_read_fadt(t, sizeof t, &p), ERR_UNSUPPORTED);
}

TEST(s5_in_its_spellings)
{
    static const struct {
        uint8_t aml[24];
        size_t len;
        int err;
        uint8_t a, b;
    } cases[] = {
        { { 0xff, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00 }, 13, 0, 0, 0 },
        { { 0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, 0x05, 0x0a, 0x07, 0x00, 0x00 }, 14, 0, 5, 7 },
        { { 0x08, '\\', '_', 'S', '5', '_', 0x12, 0x46, 0x00, 0x02, 0x0a, 0x07, 0x01 }, 13, 0, 7, 1 },
        { { 0x08, '_', 'S', '5', '_', 0x12, 0x03, 0x01, 0x01 }, 9, 0, 1, 1 },
        { { 0x08, '_', 'S', '4', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00 }, 12, ERR_NOT_FOUND, 0, 0 },
        { { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x08, 0x00, 0x00 }, 12, ERR_NOT_FOUND, 0, 0 },
        { { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a }, 9, ERR_NOT_FOUND, 0, 0 },
        { { 0x08, '_', 'S', '5', '_' }, 5, ERR_NOT_FOUND, 0, 0 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[ACPI_HEADER_SIZE + sizeof cases[0].aml], a = 99, b = 99;
        size_t len = make_dsdt(buf, cases[i].aml, cases[i].len);
        uint8_t *exact = malloc(len); // a read behind the end shows
        memcpy(exact, buf, len);
        CHECK_EQ(acpi_find_s5(exact, len, &a, &b), cases[i].err);
        CHECK(cases[i].err ? a == 99 : a == cases[i].a && b == cases[i].b);
        free(exact);
    }
}

// A MADT of entries: type, length, processor's number, APIC's number, flags; behind the 44 bytes that every one has.
static int apics(const uint8_t *entries, size_t len, uint8_t ret[3])
{
    uint8_t *exact = malloc(44 + len); // a read behind the end shows
    memset(exact, 0xee, 44);
    memcpy(exact + 44, entries, len);
    int count = acpi_read_apics(exact, 44 + len, 2, ret, 3);
    free(exact);
    return count;
}

TEST(apics_of_the_others)
{
    static const uint8_t entries[] = {
        0, 8, 0, 0, 1, 0, 0, 0, // there
        0, 8, 1, 2, 1, 0, 0, 0, // we
        1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, // an I/O APIC
        0, 8, 2, 4, 0, 0, 0, 0, // not there
        0, 8, 3, 6, 3, 0, 0, 0, // there, and flags of later versions
        0, 8, 7, 0xff, 1, 0, 0, 0, // the number of all of them
        0, 10, 4, 8, 1, 0, 0, 0, 9, 9, // longer than we know them
        0, 8, 5, 10, 1, 0, 0, 0, // one too many for the caller
        0, 7, 6, 12, 1, 0, 0, // too short
    };
    uint8_t ids[3];
    CHECK_EQ(apics(entries, sizeof entries, ids), 3);
    CHECK_EQ(ids[0], 0);
    CHECK_EQ(ids[1], 6);
    CHECK_EQ(ids[2], 8);
    CHECK_EQ(apics(entries, 16, ids), 1);
    CHECK_EQ(apics(entries, 0, ids), 0);
    for (size_t cut = 1; cut < 8; cut++)
        CHECK_EQ(apics(entries, 8 + cut, ids), ERR_TRUNCATED);
    static const uint8_t endless[] = { 0, 0, 0, 0, 1, 0, 0, 0 };
    CHECK_EQ(apics(endless, sizeof endless, ids), ERR_TRUNCATED);
    CHECK_EQ(acpi_read_apics(entries, 43, 2, ids, 3), ERR_TRUNCATED);
}

TEST_MAIN(T(apics_of_the_others), T(rsdp_is_found_by_sum_and_place), T(tables_are_checked_whole), T(fadt_gives_the_ports), T(s5_in_its_spellings))
