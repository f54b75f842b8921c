// SPDX-License-Identifier: MPL-2.0
// See pe.h.
#include "image/pe.h"

#include "base/range.h"

#define OPTIONAL_MIN (PE_SUBSYSTEM + 2)

// The sections' part of the file, and what kind of image they make.
static int read_sections(const uint8_t *section, unsigned count, uint64_t file_size, struct pe_image *image)
{
    for (; count > 0; count--, section += PE_SECTION_SIZE) {
        uint32_t size = load32_le(section + PE_SECTION_RAW_SIZE);
        if (size && !range_fits(load32_le(section + PE_SECTION_RAW), size, file_size))
            return ERR_TRUNCATED;
        if (memcmp(section, ".linux\0", 8) == 0)
            image->unified = true;
    }
    return 0;
}

int pe_parse(const uint8_t *data, size_t len, uint64_t file_size, struct pe_image *ret)
{
    len = MIN(len, (size_t)PE_HEADERS_MAX);
    if (len < PE_MZ_SIZE)
        return ERR_TRUNCATED;
    uint32_t at = load32_le(data + PE_MZ_POINTER);
    if (data[0] != 'M' || data[1] != 'Z' || at >= PE_HEADERS_MAX)
        return ERR_BOOT_FORMAT;
    if (!range_fits(at, PE_COFF_SIZE + OPTIONAL_MIN, len))
        return ERR_TRUNCATED;
    const uint8_t *coff = data + at, *optional = coff + PE_COFF_SIZE;
    uint16_t magic = load16_le(optional), optional_size = load16_le(coff + PE_OPTIONAL_SIZE);
    if (memcmp(coff, "PE\0", 4) != 0 || (magic != PE_MAGIC_32 && magic != PE_MAGIC_64) ||
        optional_size < OPTIONAL_MIN || load16_le(optional + PE_SUBSYSTEM) != PE_SUBSYSTEM_EFI_APPLICATION ||
        load32_le(optional + PE_IMAGE_SIZE) == 0)
        return ERR_BOOT_FORMAT;
    unsigned count = load16_le(coff + PE_SECTION_COUNT);
    uint64_t sections = (uint64_t)at + PE_COFF_SIZE + optional_size;
    if (!range_fits(sections, (uint64_t)count * PE_SECTION_SIZE, len))
        return ERR_TRUNCATED;
    struct pe_image image = {
        .machine = load16_le(coff + PE_MACHINE),
        .image_major = load16_le(optional + PE_IMAGE_MAJOR),
        .memory = load32_le(optional + PE_IMAGE_SIZE),
    };
    int err = read_sections(data + sections, count, file_size, &image);
    if (!err)
        *ret = image;
    return err;
}
