// SPDX-License-Identifier: MPL-2.0
// Makes the seeds in ci/corpus/{seal,trust,embed,oxide,addr,optrom,pe}; see README.md beside this file.
#include "image/embed.h"
#include "image/optrom.h"
#include "image/oxide.h"
#include "image/pe.h"
#include "phase2/testdetached.h"

#include <stdio.h>
#include <sys/stat.h>

static void save(const char *folder, const char *name, const void *data, size_t len)
{
    char path[200];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void detached_seals(void)
{
    struct testdetached d;
    testdetached_make(&d);
    save("seal", "detached", d.file, d.seal_len);
    testdetached_free(&d);
}

static void seals(void)
{
    enum testkey_name keys[3] = { TESTKEY_P256_A, TESTKEY_P384_A, TESTKEY_P256_B };
    struct testimage im;
    testimage_make(&im, "linux", 5000, 1, TESTKEY_P256_A);
    save("seal", "linux", im.file, im.seal_len);
    im.file[100] ^= 1;
    save("seal", "linux-damaged", im.file, im.seal_len);
    testimage_free(&im);
    struct seal fields = { .name = "a", .chunk_size = CHUNK_SIZE_MAX, .counter = 3, .target = TARGET_DATA,
                           .product = "router", .dataset = "rpool/ROOT/ramdisk", .cmdline = "a b" };
    struct testpart part = { .kind = PART_RAMDISK, .name = "r", .data = "ramdisk", .size = 7 };
    struct seal application = { .name = "a", .chunk_size = CHUNK_SIZE_MIN, .target = TARGET_EFI_X64, .cmdline = "-v" };
    struct testpart file = { .kind = PART_APPLICATION, .name = "a.efi", .data = "MZ", .size = 2, .memory = 8192 };
    testimage_build(&im, &application, &file, 1, keys, 1);
    save("seal", "application", im.file, im.seal_len);
    testimage_free(&im);
    struct seal program = { .name = "p", .chunk_size = CHUNK_SIZE_MIN, .target = TARGET_NBP };
    struct testpart nbp = { .kind = PART_APPLICATION, .name = "pxelinux.0", .data = "\xeb\xfe", .size = 2 };
    testimage_build(&im, &program, &nbp, 1, keys, 1);
    save("seal", "nbp", im.file, im.seal_len);
    testimage_free(&im);
    const char *names[4] = { "data-unsigned", "data-one", "data-two", "data-three" };
    for (uint32_t n = 0; n < 4; n++) {
        testimage_build(&im, &fields, &part, 1, keys, n);
        save("seal", names[n], im.file, im.seal_len);
        testimage_free(&im);
    }
}

static void keys_and_blobs(void)
{
    static uint8_t blob[EMBED_BLOB_MAX], slot[128];
    struct digest_piece spki[2] = { { testkeys[TESTKEY_P256_A].spki, testkeys[TESTKEY_P256_A].spki_len },
                                    { testkeys[TESTKEY_P384_A].spki, testkeys[TESTKEY_P384_A].spki_len } };
    save("trust", "p256", spki[0].data, spki[0].len);
    save("trust", "p384", spki[1].data, spki[1].len);
    uint8_t signature[SIG_SIZE_MAX];
    struct digest_piece message = { "something", 9 };
    save("trust", "signature", signature, testkey_sign(TESTKEY_P256_A, &message, 1, signature));

    struct embed_source source = { .script = "#!ipxe\nboot\n", .script_len = 12, .spki = spki, .spki_count = 2,
                                   .threshold = 2, .counter_floor = 5, .product = "router" };
    save("embed", "whole", blob, (size_t)embed_build(&source, blob, sizeof blob));
    struct embed_source nothing = { 0 };
    save("embed", "nothing", blob, (size_t)embed_build(&nothing, blob, sizeof blob));
    memcpy(slot + 32, EMBED_SLOT_MAGIC, sizeof EMBED_SLOT_MAGIC);
    store32_le(slot + 32 + SLOT_KIND, EMBED_NBP);
    store32_le(slot + 32 + SLOT_BASE, sizeof slot);
    save("embed", "slot", slot, sizeof slot);
}

// A network card's ROM: an image for BIOSes with an UNDI loader and a list of devices, and one for UEFI behind it.
static void option_roms(void)
{
    enum { IMAGE = 1024, PCI = 0x40, UNDI = 0x70, LIST = 0x60 };
    static uint8_t rom[2 * IMAGE];
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *image = rom + i * IMAGE, *p = image + PCI;
        memcpy(image, "\x55\xaa\x02", 3);
        store16_le(image + OPTROM_AT_PCI, PCI);
        memcpy(p, "PCIR", 4);
        store16_le(p + PCIR_VENDOR, 0x8086);
        store16_le(p + PCIR_DEVICE, 0x100e);
        store16_le(p + PCIR_DEVICE_LIST, LIST);
        store16_le(p + PCIR_LENGTH, 0x1c);
        p[PCIR_REVISION] = 3;
        p[PCIR_CLASS + 2] = OPTROM_CLASS_NETWORK;
        store16_le(p + PCIR_IMAGE_SIZE, IMAGE / OPTROM_UNIT);
        p[PCIR_CODE_TYPE] = i ? OPTROM_CODE_EFI : OPTROM_CODE_BIOS;
        p[PCIR_INDICATOR] = i ? 0x80 : 0;
        store16_le(p + LIST, 0x100f);
    }
    uint8_t *u = rom + UNDI;
    store16_le(rom + OPTROM_AT_UNDI, UNDI);
    memcpy(u, "UNDI", 4);
    u[UNDI_LENGTH] = UNDI_SIZE;
    store16_le(u + UNDI_LOADER, 0x123);
    store16_le(u + UNDI_DATA_SIZE, 0x2f10);
    store16_le(u + UNDI_CODE_SIZE, 0x812);
    memcpy(u + UNDI_BUS, "PCIR", 4);
    u[5] = (uint8_t)-byte_sum(u, UNDI_SIZE);
    rom[IMAGE - 1] = (uint8_t)-byte_sum(rom, IMAGE);
    save("optrom", "chain", rom, sizeof rom);
    save("optrom", "bios", rom, IMAGE);
    save("optrom", "efi", rom + IMAGE, IMAGE);
}

// The headers of an application and of a unified kernel image, with sections that the file has.
static void applications(void)
{
    enum { AT = 0x78, OPTIONAL = AT + PE_COFF_SIZE, SECTIONS = OPTIONAL + 240, SIZE = SECTIONS + 2 * PE_SECTION_SIZE };
    uint8_t file[SIZE] = "MZ";
    store32_le(file + PE_MZ_POINTER, AT);
    memcpy(file + AT, "PE\0", 4);
    store16_le(file + AT + PE_MACHINE, PE_MACHINE_ARM64);
    store16_le(file + AT + PE_SECTION_COUNT, 2);
    store16_le(file + AT + PE_OPTIONAL_SIZE, 240);
    store16_le(file + OPTIONAL, PE_MAGIC_64);
    store32_le(file + OPTIONAL + PE_IMAGE_SIZE, 0x5000);
    store16_le(file + OPTIONAL + PE_SUBSYSTEM, PE_SUBSYSTEM_EFI_APPLICATION);
    for (unsigned i = 0; i < 2; i++)
        store32_le(file + SECTIONS + i * PE_SECTION_SIZE + PE_SECTION_RAW_SIZE, SIZE);
    save("pe", "application", file, SIZE);
    memcpy(file + SECTIONS + PE_SECTION_SIZE, ".linux", 6);
    save("pe", "unified", file, SIZE);
}

int main(void)
{
    static uint8_t header[OXIDE_HEADER_SIZE];
    seals();
    detached_seals();
    keys_and_blobs();
    option_roms();
    applications();
    struct oxide_header h = { .data_size = 838860800, .image_size = 838860800, .target_size = OXIDE_TARGET_DEFAULT,
                              .dataset = OXIDE_DATASET_DEFAULT, .name = "testing-tar" };
    oxide_build(&h, header);
    save("oxide", "plain", header, OXIDE_AT_REST);
    h.flags = OXIDE_FLAG_COMPRESSED;
    h.data_size = 1000;
    oxide_build(&h, header);
    save("oxide", "compressed", header, OXIDE_AT_REST);
    const char *addresses[] = { "192.0.2.1",      "[fe80::1%3]", "1::2:0:0:3",
                                "::ffff:1.2.3.4", "0x1f",        "18446744073709551615" };
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        save("addr", name, addresses[i], strlen(addresses[i]));
    }
    return 0;
}
