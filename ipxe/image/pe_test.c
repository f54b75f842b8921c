// SPDX-License-Identifier: MPL-2.0
#include "image/pe.h"

#include "base/test.h"

#define AT 0x78
#define OPTIONAL (AT + PE_COFF_SIZE)
#define OPTIONAL_LEN 240
#define SECTIONS (OPTIONAL + OPTIONAL_LEN)
#define HEADERS (SECTIONS + 2 * PE_SECTION_SIZE)
#define FILE_SIZE 0x3000

static uint8_t file[PE_HEADERS_MAX + 64];
static struct pe_image image;

static void add_section(unsigned i, const char *name, uint32_t raw, uint32_t raw_size)
{
    uint8_t *s = file + SECTIONS + i * PE_SECTION_SIZE;
    memset(s, 0, PE_SECTION_SIZE);
    memcpy(s, name, strlen(name));
    store32_le(s + PE_SECTION_RAW, raw);
    store32_le(s + PE_SECTION_RAW_SIZE, raw_size);
}

// An application for x86-64 with two sections that fill a file of FILE_SIZE bytes.
static void start(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "MZ", 2);
    store32_le(file + PE_MZ_POINTER, AT);
    memcpy(file + AT, "PE\0", 4);
    store16_le(file + AT + PE_MACHINE, PE_MACHINE_X64);
    store16_le(file + AT + PE_SECTION_COUNT, 2);
    store16_le(file + AT + PE_OPTIONAL_SIZE, OPTIONAL_LEN);
    store16_le(file + OPTIONAL, PE_MAGIC_64);
    store16_le(file + OPTIONAL + PE_IMAGE_MAJOR, 3);
    store32_le(file + OPTIONAL + PE_IMAGE_SIZE, 0x5000);
    store16_le(file + OPTIONAL + PE_SUBSYSTEM, PE_SUBSYSTEM_EFI_APPLICATION);
    add_section(0, ".text", 0x1000, 0x1000);
    add_section(1, ".data", 0x2000, 0x1000);
}

static int parse(size_t len, uint64_t file_size)
{
    memset(&image, 0xee, sizeof image);
    return pe_parse(file, len, file_size, &image);
}

TEST(sound)
{
    start();
    CHECK_EQ(parse(HEADERS, FILE_SIZE), 0);
    CHECK_EQ(image.machine, PE_MACHINE_X64);
    CHECK_EQ(image.image_major, 3);
    CHECK_EQ(image.memory, 0x5000);
    CHECK(!image.unified);
    // 32-bit images are told apart by their machine.
    store16_le(file + OPTIONAL, PE_MAGIC_32);
    store16_le(file + AT + PE_MACHINE, 0x14c);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), 0);
    CHECK_EQ(image.machine, 0x14c);
}

TEST(unified_kernel_image)
{
    start();
    add_section(1, ".linux", 0x2000, 0x1000);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), 0);
    CHECK(image.unified);
    // The whole name counts.
    add_section(1, ".linux2", 0x2000, 0x1000);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), 0);
    CHECK(!image.unified);
}

TEST(every_truncation)
{
    start();
    for (size_t len = 0; len < HEADERS; len++) {
        CHECK_EQ(parse(len, FILE_SIZE), ERR_TRUNCATED);
        CHECK_EQ(image.machine, 0xeeee); // set on success only
    }
    CHECK_EQ(parse(HEADERS, FILE_SIZE - 1), ERR_TRUNCATED);
    CHECK_EQ(parse(HEADERS, 0), ERR_TRUNCATED);
}

// As many sections as PE loaders take: a unified kernel image with a section for each of many device trees.
TEST(many_sections)
{
    start();
    for (unsigned i = 2; i < 96; i++)
        add_section(i, i == 95 ? ".linux" : ".dtbauto", 0x2000, 0x1000);
    store16_le(file + AT + PE_SECTION_COUNT, 96);
    CHECK_EQ(parse(SECTIONS + 96 * PE_SECTION_SIZE, FILE_SIZE), 0);
    CHECK(image.unified);
}

TEST(sections_beyond_the_file)
{
    start();
    add_section(1, ".data", 0x2000, UINT32_MAX);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), ERR_TRUNCATED);
    add_section(1, ".data", UINT32_MAX, UINT32_MAX);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), ERR_TRUNCATED);
    add_section(1, ".bss", UINT32_MAX, 0);
    CHECK_EQ(parse(HEADERS, FILE_SIZE), 0);
    store16_le(file + AT + PE_SECTION_COUNT, UINT16_MAX);
    CHECK_EQ(parse(sizeof file, FILE_SIZE), ERR_TRUNCATED);
    store16_le(file + AT + PE_SECTION_COUNT, 2);
    store16_le(file + AT + PE_OPTIONAL_SIZE, UINT16_MAX);
    CHECK_EQ(parse(sizeof file, FILE_SIZE), ERR_TRUNCATED);
}

TEST(refused)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } changes[] = {
        { 0, 'N' },
        { 1, 'z' },
        { PE_MZ_POINTER + 2, 1 }, // headers from PE_HEADERS_MAX on
        { PE_MZ_POINTER + 3, 0x80 },
        { AT, 'N' }, // NE
        { AT + 2, 1 },
        { AT + PE_OPTIONAL_SIZE, PE_SUBSYSTEM + 1 },
        { OPTIONAL, 0x07 },              // a ROM image
        { OPTIONAL + PE_SUBSYSTEM, 11 }, // a boot services driver
        { OPTIONAL + PE_SUBSYSTEM, 3 },  // a Windows program
        { OPTIONAL + PE_SUBSYSTEM + 1, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        start();
        file[changes[i].at] = changes[i].value;
        CHECK_EQ(parse(sizeof file, FILE_SIZE), ERR_BOOT_FORMAT);
    }
    start();
    store32_le(file + OPTIONAL + PE_IMAGE_SIZE, 0);
    CHECK_EQ(parse(sizeof file, FILE_SIZE), ERR_BOOT_FORMAT);
}

TEST_MAIN(T(sound), T(unified_kernel_image), T(every_truncation), T(many_sections), T(sections_beyond_the_file), T(refused))
