// SPDX-License-Identifier: MPL-2.0
// A PE file of two sections, made by hand, and what `signet embed` makes of it.
#include "embed_pe.h"
#include "base/bytes.h"
#include "base/test.h"
#include <stdlib.h>

#define PE_AT 0x80
#define OPTIONAL (PE_AT + 24)
#define SECTIONS (OPTIONAL + 240)
#define TEXT_RAW 0x400
#define SLOT_RAW 0x600
#define SLOT_END (SLOT_RAW + 64)

static uint8_t head[SLOT_END];

static void section(unsigned i, const char *name, uint32_t address, uint32_t raw, uint32_t raw_size, uint32_t flags)
{
    uint8_t *s = head + SECTIONS + 40 * i;
    memset(s, 0, 40);
    memcpy(s, name, strlen(name));
    store32_le(s + 8, raw_size);
    store32_le(s + 12, address);
    store32_le(s + 16, raw_size);
    store32_le(s + 20, raw);
    store32_le(s + 36, flags);
}

static void start(void)
{
    memset(head, 0, sizeof head);
    memcpy(head, "MZ", 2);
    store32_le(head + 0x3c, PE_AT);
    memcpy(head + PE_AT, "PE\0", 4);
    store16_le(head + PE_AT + 6, 2);
    store16_le(head + PE_AT + 20, 240);
    store16_le(head + OPTIONAL, 0x20b);
    store32_le(head + OPTIONAL + 32, 0x1000);
    store32_le(head + OPTIONAL + 36, 0x200);
    store32_le(head + OPTIONAL + 56, 0x3000);
    section(0, ".text", 0x1000, TEXT_RAW, 0x200, 0x60000020);
    section(1, ".signet", 0x2000, SLOT_RAW, 0x200, 0x42000040);
}

static uint8_t *build(const uint8_t *blob, size_t len, size_t *ret_len, bool *ret_signed)
{
    return embed_pe_build("test.efi", head, sizeof head, blob, len, 0, ret_len, ret_signed);
}

TEST(grows)
{
    static uint8_t blob[5000];
    size_t len;
    bool was_signed;
    memset(blob, 0xab, sizeof blob);
    start();
    uint8_t *file = build(blob, sizeof blob, &len, &was_signed);
    CHECK(file != NULL, !was_signed);
    if (!file)
        return;
    uint8_t *s = file + SECTIONS + 40;
    CHECK_EQ(len, 0x600 + 0x1400); // slot and blob in whole file blocks
    CHECK_EQ(load32_le(s + 8), 64 + sizeof blob);
    CHECK_EQ(load32_le(s + 16), 0x1400);
    CHECK_EQ(load32_le(s + 36), 0x40000040); // not discardable any more
    CHECK_EQ(load32_le(file + OPTIONAL + 8), 0x1400);
    CHECK_EQ(load32_le(file + OPTIONAL + 56), 0x2000 + 0x2000);
    CHECK(memcmp(file + SLOT_END, blob, sizeof blob) == 0);
    CHECK(memcmp(file, head, PE_AT) == 0);
    // The checksum of the file with its field as zero, by the plain definition.
    uint32_t want = load32_le(file + OPTIONAL + 64), sum = 0;
    store32_le(file + OPTIONAL + 64, 0);
    for (size_t i = 0; i < len; i += 2) {
        sum += load16_le(file + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    CHECK_EQ(want, sum + len);
    free(file);
}

TEST(loses_its_signature)
{
    size_t len;
    bool was_signed;
    start();
    store32_le(head + OPTIONAL + 144, 0x800);
    store32_le(head + OPTIONAL + 148, 0x100);
    uint8_t *file = build((const uint8_t *)"x", 1, &len, &was_signed);
    CHECK(file != NULL, was_signed);
    if (file)
        CHECK_EQ(load64_le(file + OPTIONAL + 144), 0);
    free(file);
}

// In a file that keeps its size the section takes all of it, but no part of a file block.
TEST(fills_a_given_size)
{
    size_t len;
    bool was_signed;
    start();
    uint8_t *file = embed_pe_build("test.efi", head, sizeof head, (const uint8_t *)"x", 1, 0x1801, &len, &was_signed);
    CHECK(file != NULL);
    CHECK_EQ(len, 0x1801);
    CHECK_EQ(load32_le(file + SECTIONS + 40 + 8), 65);
    CHECK_EQ(load32_le(file + SECTIONS + 40 + 16), 0x1200);
    CHECK_EQ(load32_le(file + OPTIONAL + 56), 0x3000);
    free(file);
    CHECK(embed_pe_build("test.efi", head, sizeof head, (const uint8_t *)"x", 1, 0x7ff, &len, &was_signed) == NULL);
}

static bool refused(void)
{
    size_t len;
    bool was_signed;
    uint8_t *file = build((const uint8_t *)"x", 1, &len, &was_signed);
    free(file);
    return file == NULL;
}

TEST(refuses_what_is_none_of_ours)
{
    start();
    head[0] = 'X';
    CHECK(refused());
    start();
    store32_le(head + 0x3c, UINT32_MAX);
    CHECK(refused());
    start();
    store16_le(head + PE_AT + 6, 0);
    CHECK(refused());
    start();
    store16_le(head + PE_AT + 6, UINT16_MAX);
    CHECK(refused());
    start();
    store16_le(head + PE_AT + 20, UINT16_MAX);
    CHECK(refused());
    start();
    store16_le(head + OPTIONAL, 0x10b);
    CHECK(refused());
    start();
    store32_le(head + OPTIONAL + 36, 0x201);
    CHECK(refused());
    start();
    head[SECTIONS + 40 + 1] = 'S';
    CHECK(refused());
    start();
    store32_le(head + SECTIONS + 12, 0x9000); // another section behind .signet in memory
    CHECK(refused());
    start();
    store32_le(head + SECTIONS + 40 + 20, SLOT_END);
    CHECK(refused());
}

TEST(says_for_which_machine_and_whether_it_is_intact)
{
    static const uint16_t machines[] = { PE_MACHINE_X64, PE_MACHINE_ARM64, 0x14c };
    size_t len;
    bool was_signed;
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        start();
        store16_le(head + PE_AT + 4, machines[i]);
        store16_le(head + OPTIONAL + 68, 10);
        uint8_t *file = build((const uint8_t *)"x", 1, &len, &was_signed);
        CHECK(file != NULL);
        unsigned machine = embed_pe_machine(file, len), cut = embed_pe_machine(file, OPTIONAL);
        bool intact = embed_pe_intact(file, len);
        file[len - 1] ^= 1;
        bool damaged = !embed_pe_intact(file, len);
        store16_le(file + OPTIONAL + 68, 11); // a driver
        unsigned driver = embed_pe_machine(file, len);
        free(file);
        CHECK_EQ(machine, i < 2 ? machines[i] : 0);
        CHECK(cut == 0, driver == 0, intact, damaged);
    }
}

TEST_MAIN(T(grows), T(loses_its_signature), T(fills_a_given_size), T(refuses_what_is_none_of_ours),
          T(says_for_which_machine_and_whether_it_is_intact))
