// SPDX-License-Identifier: MPL-2.0
// See utf8.h.
#include "base/utf8.h"

size_t utf8_put(uint32_t c, char to[UTF8_CHAR_MAX])
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = '?';
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t marks[UTF8_CHAR_MAX] = { 0, 0xc0, 0xe0, 0xf0 };
    to[0] = (char)(marks[more] | c >> 6 * more);
    for (unsigned i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}
