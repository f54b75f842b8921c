// SPDX-License-Identifier: MPL-2.0
// See optrom.h. Every offset that an image names is held against the image's own size before it is used.
#include "image/optrom.h"

#include "base/bytes.h"
#include "base/range.h"

#define REVISION_WITH_LIST 3

static void read_undi(const uint8_t *image, struct optrom *rom)
{
    uint16_t at = load16_le(image + OPTROM_AT_UNDI);
    const uint8_t *p = image + at;
    if (at == 0 || !range_fits(at, UNDI_SIZE, rom->size) || memcmp(p + UNDI_SIGNATURE, "UNDI", 4) != 0 ||
        p[UNDI_LENGTH] < UNDI_SIZE || !range_fits(at, p[UNDI_LENGTH], rom->size) || byte_sum(p, p[UNDI_LENGTH]) != 0 ||
        memcmp(p + UNDI_BUS, "PCIR", 4) != 0 || load16_le(p + UNDI_LOADER) >= rom->size)
        return;
    rom->undi_loader = load16_le(p + UNDI_LOADER);
    rom->undi_data_size = load16_le(p + UNDI_DATA_SIZE);
    rom->undi_code_size = load16_le(p + UNDI_CODE_SIZE);
}

int optrom_parse(const uint8_t *image, size_t len, struct optrom *ret)
{
    struct optrom rom = { 0 };
    if (len < OPTROM_HEADER_SIZE || image[0] != 0x55 || image[1] != 0xaa)
        return ERR_NOT_FOUND;
    uint16_t pci = load16_le(image + OPTROM_AT_PCI);
    if (pci == 0)
        return ERR_UNSUPPORTED;
    if (!range_fits(pci, PCIR_SIZE_MIN, len))
        return ERR_TRUNCATED;
    const uint8_t *p = image + pci;
    if (memcmp(p + PCIR_SIGNATURE, "PCIR", 4) != 0)
        return ERR_UNSUPPORTED;

    rom.vendor = load16_le(p + PCIR_VENDOR);
    rom.device = load16_le(p + PCIR_DEVICE);
    rom.class_code = p[PCIR_CLASS + 2];
    rom.code_type = p[PCIR_CODE_TYPE];
    rom.last = p[PCIR_INDICATOR] & 0x80;
    rom.image_size = load16_le(p + PCIR_IMAGE_SIZE) * (uint32_t)OPTROM_UNIT;
    rom.size = rom.code_type == OPTROM_CODE_BIOS ? image[OPTROM_AT_SIZE] * (uint32_t)OPTROM_UNIT : rom.image_size;
    if (rom.size > len)
        return ERR_TRUNCATED;
    if (!range_fits(pci, PCIR_SIZE_MIN, rom.size) || load16_le(p + PCIR_LENGTH) < PCIR_SIZE_MIN)
        return ERR_INVALID;

    uint16_t list = load16_le(p + PCIR_DEVICE_LIST);
    if (p[PCIR_REVISION] >= REVISION_WITH_LIST && list != 0) {
        if (!range_fits(pci, (uint64_t)list + 2, rom.size) || (uint32_t)pci + list > UINT16_MAX)
            return ERR_INVALID;
        rom.device_list = (uint16_t)(pci + list);
    }
    if (rom.code_type == OPTROM_CODE_BIOS) {
        if (byte_sum(image, rom.size) != 0)
            return ERR_INVALID;
        read_undi(image, &rom);
    }
    *ret = rom;
    return 0;
}

bool optrom_serves(const uint8_t *image, const struct optrom *rom, uint16_t vendor, uint16_t device)
{
    if (vendor != rom->vendor)
        return false;
    uint32_t at = rom->device_list ? rom->device_list : rom->size;
    bool found = device == rom->device;
    for (; !found && range_fits(at, 2, rom->size) && load16_le(image + at) != 0; at += 2)
        found = load16_le(image + at) == device;
    return found;
}
