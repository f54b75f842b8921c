// SPDX-License-Identifier: MPL-2.0
// See crc.h. Four bits at a time: a table of 64 bytes is small enough for the program that unpacks the firmware.
#include "base/crc.h"

#define POLYNOMIAL 0xedb88320u
#define BIT(x) ((x) >> 1 ^ ((x) & 1 ? POLYNOMIAL : 0))
#define NIBBLE(x) BIT(BIT(BIT(BIT(x))))

uint32_t crc_more(uint32_t crc, const void *data, size_t len)
{
    static const uint32_t table[16] = { NIBBLE(0u), NIBBLE(1u), NIBBLE(2u), NIBBLE(3u), NIBBLE(4u), NIBBLE(5u), NIBBLE(6u), NIBBLE(7u),
                                        NIBBLE(8u), NIBBLE(9u), NIBBLE(10u), NIBBLE(11u), NIBBLE(12u), NIBBLE(13u), NIBBLE(14u), NIBBLE(15u) };
    crc = ~crc;
    for (const uint8_t *p = data; len > 0; len--) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t crc_of(const void *data, size_t len)
{
    return crc_more(0, data, len);
}
