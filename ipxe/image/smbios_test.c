// SPDX-License-Identifier: MPL-2.0
#include "image/smbios.h"
#include "base/test.h"

static uint8_t table[4096];
static size_t table_len;

static void structure(uint8_t type, const uint8_t *body, size_t body_len, const char *const *strings, unsigned count)
{
    uint8_t *p = table + table_len;
    p[0] = type;
    p[1] = (uint8_t)(4 + body_len);
    store16_le(p + 2, (uint16_t)(0x100 + type));
    if (body_len > 0)
        memcpy(p + 4, body, body_len);
    p += 4 + body_len;
    for (unsigned i = 0; i < count; i++) {
        memcpy(p, strings[i], strlen(strings[i]) + 1);
        p += strlen(strings[i]) + 1;
    }
    if (count == 0)
        *p++ = 0;
    *p++ = 0;
    table_len = (size_t)(p - table);
}

static const uint8_t uuid[16] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void build(void)
{
    static const char *const bios[] = { "Vendor", "1.0" };
    static const char *const system[] = { "Maker ", "A\tProduct", "v1", "  SN 42" };
    static const char *const chassis[] = { "Case", "TAG-7" };
    uint8_t body[0x17] = { 1, 2, 3, 4 };
    memset(table, 0, sizeof table);
    table_len = 0;
    structure(0, (const uint8_t[]){ 1, 2 }, 2, bios, 2);
    memcpy(body + 4, uuid, 16);
    structure(1, body, sizeof body, system, 4);
    structure(32, (const uint8_t[]){ 0, 0 }, 2, NULL, 0);
    structure(3, (const uint8_t[]){ 1, 3, 0, 0, 2 }, 5, chassis, 2);
    structure(1, body, sizeof body, chassis, 2); // a second one does not count
    structure(127, NULL, 0, NULL, 0);
}

static const char *field(const char *number)
{
    static char text[64];
    const uint8_t *at;
    int n = smbios_field(table, table_len, number, &at);
    if (n < 0)
        return n == ERR_NOT_FOUND ? "(none)" : "(wrong)";
    if (at < table || at + n > table + table_len)
        return "(outside)";
    memcpy(text, at, (size_t)n);
    text[n] = 0;
    return text;
}

TEST(fields_by_number)
{
    build();
    CHECK_STR(field("1.4.0"), "Maker ");
    CHECK_STR(field("1.7.0"), "  SN 42");
    CHECK_STR(field("1.1.4.0"), "Case"); // the second one of type 1
    CHECK_STR(field("3.8.0"), "TAG-7");
    CHECK_STR(field("1.0.1"), "\x01"); // bytes
    CHECK_STR(field("0.4.2"), "\x01\x02");
    const uint8_t *at;
    CHECK_EQ(smbios_field(table, table_len, "1.8.16", &at), 16);
    CHECK(memcmp(at, uuid, 16) == 0);
    static const char *const none[] = { "1.26.16", "1.11.17", "1.27.0", "1.27.1", "1.8.0", "2.1.4.0", "9.4.0", "127.0.1", "1",
                                        "1.4", "", "1..0", "1.4.0.", ".1.4.0", "0.0.1.4.0", "a.4.0",
                                        "1.4.-1", "1.18446744073709551615.2", "18446744073709551615.1.4.0", "3.6.0" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        CHECK_STR(field(none[i]), "(none)");
    // Damaged: what lies in front is still there.
    table_len -= 20;
    CHECK_STR(field("0.4.0"), "Vendor");
    CHECK_STR(field("1.1.4.0"), "(none)");
}

TEST(reads_the_five_facts)
{
    struct smbios s;
    build();
    CHECK_EQ(smbios_parse(table, table_len, 0x0208, &s), 0);
    CHECK_STR(smbios_value(&s, "manufacturer"), "Maker");
    CHECK_STR(smbios_value(&s, "product"), "AProduct");
    CHECK_STR(smbios_value(&s, "serial"), "SN 42");
    CHECK_STR(smbios_value(&s, "asset"), "TAG-7");
    CHECK_STR(smbios_value(&s, "uuid"), "00112233-4455-6677-8899-aabbccddeeff");
    CHECK(smbios_value(&s, "colour") == NULL);
    CHECK_EQ(smbios_parse(table, table_len, 0x0205, &s), 0);
    CHECK_STR(s.uuid, "33221100-5544-7766-8899-aabbccddeeff");
    // Behind the end mark nothing counts.
    CHECK_EQ(smbios_parse(table, sizeof table, 0x0300, &s), 0);
    CHECK_STR(s.asset, "TAG-7");
}

TEST(every_truncation_is_refused_or_stops_short)
{
    struct smbios s;
    build();
    for (size_t n = 0; n < table_len; n++) {
        uint8_t *copy = malloc(n ? n : 1); // so that the sanitizer sees a read behind the end
        memcpy(copy, table, n);
        int err = smbios_parse(copy, n, 0x0208, &s);
        CHECK(err == 0 || err == ERR_TRUNCATED);
        free(copy);
    }
}

TEST(odd_values)
{
    struct smbios s;
    uint8_t body[0x17] = { 9, 0, 255, 1 }; // strings that do not exist
    static const char *const one[] = { "0123456789012345678901234567890123456789012345678901234567890123456789" };
    table_len = 0;
    memset(table, 0, sizeof table);
    structure(1, body, sizeof body, one, 1);
    CHECK_EQ(smbios_parse(table, table_len, 0x0208, &s), 0);
    CHECK(smbios_value(&s, "manufacturer") == NULL, smbios_value(&s, "product") == NULL);
    CHECK(smbios_value(&s, "uuid") == NULL); // all zeros
    CHECK_EQ(strlen(s.serial), SMBIOS_TEXT_MAX - 1);
    table_len = 0;
    structure(1, (const uint8_t[]){ 1 }, 1, one, 1); // a short one has no fields to read
    CHECK_EQ(smbios_parse(table, table_len, 0x0208, &s), 0);
    CHECK(smbios_value(&s, "serial") == NULL);
    table[1] = 3; // shorter than its own head
    CHECK_EQ(smbios_parse(table, table_len, 0x0208, &s), ERR_TRUNCATED);
}

static void checksum(uint8_t *p, size_t len, size_t at)
{
    uint8_t sum = 0;
    p[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    p[at] = (uint8_t)-sum;
}

TEST(finds_either_entry_point)
{
    static uint8_t area[0x1000];
    struct smbios_entry e;
    memset(area, 0, sizeof area);
    CHECK_EQ(smbios_find(area, sizeof area, &e), ERR_NOT_FOUND);
    uint8_t *old = area + 0x200;
    memcpy(old, "_SM_", 4);
    old[5] = 0x1f;
    old[6] = 2;
    old[7] = 8;
    memcpy(old + 0x10, "_DMI_", 5);
    store16_le(old + 0x16, 0x321);
    store32_le(old + 0x18, 0xf5000);
    checksum(old, 0x1f, 4);
    CHECK_EQ(smbios_find(area, sizeof area, &e), 0);
    CHECK(e.table == 0xf5000, e.length == 0x321, e.version == 0x0208);
    uint8_t *new = area + 0x800;
    memcpy(new, "_SM3_", 5);
    new[6] = 0x18;
    new[7] = 3;
    new[8] = 2;
    store32_le(new + 0x0c, 0x4000);
    store64_le(new + 0x10, 0x7fe00000);
    checksum(new, 0x18, 5);
    CHECK_EQ(smbios_find(area, sizeof area, &e), 0);
    CHECK(e.table == 0x7fe00000, e.length == 0x4000, e.version == 0x0302);
    new[9] ^= 1;
    CHECK_EQ(smbios_find(area, sizeof area, &e), 0);
    CHECK_EQ(e.table, 0xf5000);
    old[8] ^= 1;
    CHECK_EQ(smbios_find(area, sizeof area, &e), ERR_NOT_FOUND);
    // At the very end of the area there is no room for one.
    uint8_t *last = malloc(24);
    memset(last, 0, 24);
    memcpy(last, "_SM3_", 5);
    last[6] = 255;
    CHECK_EQ(smbios_find(last, 24, &e), ERR_NOT_FOUND);
    free(last);
}

TEST_MAIN(T(fields_by_number), T(reads_the_five_facts), T(every_truncation_is_refused_or_stops_short), T(odd_values), T(finds_either_entry_point))
