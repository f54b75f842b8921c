// SPDX-License-Identifier: MPL-2.0
// See arm64.h.
#include "image/arm64.h"

#define IMAGE_MAGIC 0x644d5241u // "ARM\x64"
#define IMAGE_MEMORY_MAX ((uint64_t)1 << 40)
#define FLAG_BIG_ENDIAN 1u
enum image_offset { IMAGE_SIZE = 16, IMAGE_FLAGS = 24, IMAGE_MAGIC_AT = 56, IMAGE_PE = 60 };

int arm64_parse(const uint8_t *data, size_t len, uint64_t file_size, struct arm64_image *ret)
{
    if (len < ARM64_HEADER_SIZE || file_size < ARM64_HEADER_SIZE)
        return ERR_TRUNCATED;
    if (load32_le(data + IMAGE_MAGIC_AT) != IMAGE_MAGIC || (load64_le(data + IMAGE_FLAGS) & FLAG_BIG_ENDIAN))
        return ERR_BOOT_FORMAT;
    uint64_t memory = load64_le(data + IMAGE_SIZE);
    if (memory == 0)
        return ERR_BOOT_TOO_OLD;
    if (data[0] != 'M' || data[1] != 'Z' || load32_le(data + IMAGE_PE) < ARM64_HEADER_SIZE)
        return ERR_BOOT_NO_STUB;
    if (memory < file_size || memory > IMAGE_MEMORY_MAX)
        return ERR_BOOT_FORMAT;
    ret->memory = memory;
    return 0;
}
