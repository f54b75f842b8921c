// SPDX-License-Identifier: MPL-2.0
#include "image/optrom.h"
#include "base/bytes.h"
#include "base/test.h"

#define SIZE 1024
#define PCI 0x40
#define UNDI 0x70
#define LIST 0x60 // from "PCIR"

static uint8_t image[SIZE];

// The byte at `at` makes the `len` bytes from p on add up to 0.
static void checksum(uint8_t *p, size_t len, size_t at)
{
    p[at] = 0;
    p[at] = (uint8_t)-byte_sum(p, len);
}

// A BIOS image of a network card 8086:100e, also for 8086:100f, with an UNDI loader.
static void build(void)
{
    memset(image, 0, sizeof image);
    memcpy(image, "\x55\xaa\x02", 3);
    store16_le(image + OPTROM_AT_UNDI, UNDI);
    store16_le(image + OPTROM_AT_PCI, PCI);
    uint8_t *p = image + PCI;
    memcpy(p, "PCIR", 4);
    store16_le(p + PCIR_VENDOR, 0x8086);
    store16_le(p + PCIR_DEVICE, 0x100e);
    store16_le(p + PCIR_DEVICE_LIST, LIST);
    store16_le(p + PCIR_LENGTH, 0x1c);
    p[PCIR_REVISION] = 3;
    p[PCIR_CLASS + 2] = OPTROM_CLASS_NETWORK;
    store16_le(p + PCIR_IMAGE_SIZE, 4);
    p[PCIR_INDICATOR] = 0x80;
    store16_le(p + LIST, 0x100f);
    uint8_t *u = image + UNDI;
    memcpy(u, "UNDI", 4);
    u[UNDI_LENGTH] = UNDI_SIZE;
    store16_le(u + UNDI_LOADER, 0x123);
    store16_le(u + UNDI_STACK_SIZE, 0x800);
    store16_le(u + UNDI_DATA_SIZE, 0x2f10);
    store16_le(u + UNDI_CODE_SIZE, 0x812);
    memcpy(u + UNDI_BUS, "PCIR", 4);
    checksum(u, UNDI_SIZE, 5);
    checksum(image, SIZE, SIZE - 1);
}

// From an exact copy, so that the sanitizer sees a read behind the end.
static int parse(size_t len, struct optrom *ret)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, image, len);
    int err = optrom_parse(copy, len, ret);
    free(copy);
    return err;
}

TEST(a_network_cards_image)
{
    struct optrom rom;
    build();
    CHECK_EQ(parse(SIZE, &rom), 0);
    CHECK_EQ(rom.size, SIZE);
    CHECK_EQ(rom.image_size, 2048);
    CHECK_EQ(rom.class_code, OPTROM_CLASS_NETWORK);
    CHECK_EQ(rom.code_type, OPTROM_CODE_BIOS);
    CHECK(rom.last);
    CHECK_EQ(rom.undi_loader, 0x123);
    CHECK_EQ(rom.undi_data_size, 0x2f10);
    CHECK_EQ(rom.undi_code_size, 0x812);
    CHECK(optrom_serves(image, &rom, 0x8086, 0x100e));
    CHECK(optrom_serves(image, &rom, 0x8086, 0x100f));
    CHECK(!optrom_serves(image, &rom, 0x8086, 0x1010));
    CHECK(!optrom_serves(image, &rom, 0x8087, 0x100e));
}

TEST(an_efi_image_has_no_sum_and_no_undi)
{
    struct optrom rom;
    build();
    image[PCI + PCIR_CODE_TYPE] = OPTROM_CODE_EFI;
    store16_le(image + PCI + PCIR_IMAGE_SIZE, 2);
    image[PCI + PCIR_INDICATOR] = 0;
    CHECK_EQ(parse(SIZE, &rom), 0);
    CHECK_EQ(rom.size, SIZE);
    CHECK_EQ(rom.undi_code_size, 0);
    CHECK(!rom.last);
}

TEST(before_revision_3_that_field_is_no_list)
{
    struct optrom rom;
    build();
    image[PCI + PCIR_REVISION] = 0;
    checksum(image, SIZE, SIZE - 1);
    CHECK_EQ(parse(SIZE, &rom), 0);
    CHECK_EQ(rom.device_list, 0);
    CHECK(!optrom_serves(image, &rom, 0x8086, 0x100f));
}

TEST(a_list_without_an_end_stops_at_the_images)
{
    struct optrom rom;
    build();
    memset(image + PCI + LIST, 0x11, SIZE - PCI - LIST);
    store16_le(image + OPTROM_AT_UNDI, 0);
    checksum(image, SIZE, 4);
    CHECK_EQ(parse(SIZE, &rom), 0);
    CHECK(!optrom_serves(image, &rom, 0x8086, 0x2222));
}

// Each change of one or two bytes, with the image's sum right again, and what optrom_parse says to it.
TEST(what_is_wrong_with_an_image)
{
    static const struct {
        unsigned at;
        uint16_t value;
        int err;
    } cases[] = {
        { OPTROM_AT_MAGIC, 0xaa54, ERR_NOT_FOUND },
        { OPTROM_AT_PCI, 0, ERR_UNSUPPORTED },
        { OPTROM_AT_PCI, PCI + 4, ERR_UNSUPPORTED },
        { OPTROM_AT_PCI, SIZE - PCIR_SIZE_MIN + 1, ERR_TRUNCATED },
        { OPTROM_AT_PCI, 0xffff, ERR_TRUNCATED },
        { OPTROM_AT_SIZE, 3, ERR_TRUNCATED },
        { OPTROM_AT_SIZE, 0, ERR_INVALID },
        { PCI + PCIR_LENGTH, PCIR_SIZE_MIN - 1, ERR_INVALID },
        { PCI + PCIR_DEVICE_LIST, SIZE - PCI - 1, ERR_INVALID },
        { PCI + PCIR_DEVICE_LIST, 0xffff, ERR_INVALID },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct optrom rom = { .size = 77 };
        build();
        store16_le(image + cases[i].at, cases[i].value);
        checksum(image, SIZE, SIZE - 1);
        CHECK_EQ(parse(SIZE, &rom), cases[i].err);
        CHECK_EQ(rom.size, 77);
    }
    struct optrom rom;
    build();
    image[300]++;
    CHECK_EQ(parse(SIZE, &rom), ERR_INVALID); // the sum
}

TEST(a_damaged_undi_rom_id_counts_as_none)
{
    static const struct {
        unsigned at;
        uint16_t value;
    } cases[] = {
        { OPTROM_AT_UNDI, 0 },
        { OPTROM_AT_UNDI, SIZE - UNDI_SIZE + 1 },
        { UNDI + UNDI_SIGNATURE, 0 },
        { UNDI + UNDI_LENGTH, UNDI_SIZE - 1 },
        { UNDI + UNDI_LENGTH, 0xff },
        { UNDI + UNDI_BUS, 0 },
        { UNDI + UNDI_DATA_SIZE, 1 }, // its own sum
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct optrom rom;
        build();
        store16_le(image + cases[i].at, cases[i].value);
        if (cases[i].at == UNDI + UNDI_BUS)
            checksum(image + UNDI, UNDI_SIZE, 5);
        checksum(image, SIZE, SIZE - 1);
        CHECK_EQ(parse(SIZE, &rom), 0);
        CHECK_EQ(rom.undi_code_size, 0);
    }
    struct optrom rom;
    build();
    store16_le(image + UNDI + UNDI_LOADER, SIZE); // outside
    checksum(image + UNDI, UNDI_SIZE, 5);
    checksum(image, SIZE, SIZE - 1);
    CHECK_EQ(parse(SIZE, &rom), 0);
    CHECK_EQ(rom.undi_code_size, 0);
}

TEST(every_truncation_is_refused)
{
    struct optrom rom;
    build();
    for (size_t n = 0; n < SIZE; n++)
        CHECK(parse(n, &rom) == (n < OPTROM_HEADER_SIZE ? ERR_NOT_FOUND : ERR_TRUNCATED));
}

TEST_MAIN(T(a_network_cards_image), T(an_efi_image_has_no_sum_and_no_undi), T(before_revision_3_that_field_is_no_list),
          T(a_list_without_an_end_stops_at_the_images), T(what_is_wrong_with_an_image), T(a_damaged_undi_rom_id_counts_as_none),
          T(every_truncation_is_refused))
