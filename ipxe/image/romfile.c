// SPDX-License-Identifier: MPL-2.0
// See romfile.h.
#include "image/romfile.h"

#include "base/bytes.h"
#include "base/range.h"
#include "image/optrom.h"

#define ERASED 0xff

_Static_assert(sizeof ROM_MAGIC == ROM_AT_OFFSET - ROM_AT_MAGIC, "16 bytes with the NUL");
_Static_assert(ROM_UNIT == OPTROM_UNIT && ROM_AT_PCI == OPTROM_AT_PCI, "one header, two files");

static uint32_t sum_words(const uint8_t *p, uint32_t len)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < len; i += 4)
        sum += load32_le(p + i);
    return sum;
}

int romfile_open(uint8_t *file, size_t len, struct romfile *ret)
{
    if (len < ROM_FRONT_MIN || file[0] != 0x55 || file[1] != 0xaa || memcmp(file + ROM_AT_MAGIC, ROM_MAGIC, sizeof ROM_MAGIC) != 0)
        return ERR_NOT_FOUND;
    uint32_t offset = load32_le(file + ROM_AT_OFFSET), room = load32_le(file + ROM_AT_ROOM), length = load32_le(file + ROM_AT_LENGTH);
    uint32_t front = file[OPTROM_AT_SIZE] * (uint32_t)ROM_UNIT;
    if (front < ROM_FRONT_MIN || offset < front || !range_fits(offset, room, len) || byte_sum(file, front) != 0 ||
        room % ROM_ALIGN != 0 || length > room || length % ROM_ALIGN != 0 ||
        sum_words(file + offset, length) != load32_le(file + ROM_AT_SUM))
        return ERR_INVALID;
    *ret = (struct romfile){ file + offset, room, length };
    return 0;
}

void romfile_close(uint8_t *file, uint32_t length)
{
    uint8_t *program = file + load32_le(file + ROM_AT_OFFSET);
    uint32_t room = load32_le(file + ROM_AT_ROOM);
    uint32_t padded = length + (-length & (ROM_ALIGN - 1));
    memset(program + length, 0, padded - length);
    memset(program + padded, ERASED, room - padded);
    store32_le(file + ROM_AT_LENGTH, padded);
    store32_le(file + ROM_AT_SUM, sum_words(program, padded));
    uint32_t front = file[OPTROM_AT_SIZE] * (uint32_t)ROM_UNIT;
    file[front - 1] = 0;
    file[front - 1] = (uint8_t)-byte_sum(file, front);
}
