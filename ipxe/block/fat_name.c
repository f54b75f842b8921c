// SPDX-License-Identifier: MPL-2.0
// See fat_name.h.
#include "block/fat_name.h"

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/utf8.h"

// Fields of an entry of a long name: two of the bytes between the 13 units.
enum {
    LONG_ORDER = 0, // counts down to 1; LONG_LAST is set in the first of them
    LONG_SUM = 13,
};
#define LONG_LAST 0x40
#define LONG_UNITS 13
#define SHORT_SIZE 11 // 8 and 3 bytes, padded with blanks
#define SHORT_BASE 8
#define SHORT_LOWER 12 // a byte of flags that Windows NT brought, and all others follow
#define LOWER_BASE 0x08
#define LOWER_EXTENSION 0x10
_Static_assert(FAT_NAME_UNITS == 20 * LONG_UNITS, "a name of 255 units has 20 entries");

void fat_name_take(struct fat_name *name, const uint8_t *entry)
{
    static const uint8_t places[LONG_UNITS] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
    unsigned order = entry[LONG_ORDER] & (LONG_LAST - 1);
    if (entry[LONG_ORDER] & LONG_LAST) {
        name->valid = true;
        name->next = order;
        name->sum = entry[LONG_SUM];
        name->count = order * LONG_UNITS;
    }
    if (order == 0 || order != name->next || entry[LONG_SUM] != name->sum || name->count > FAT_NAME_UNITS) {
        name->valid = false;
        return;
    }
    name->next--;
    for (unsigned i = 0; i < LONG_UNITS; i++)
        name->units[(order - 1) * LONG_UNITS + i] = load16_le(entry + places[i]);
}

// Whether what was gathered belongs to this short entry: entries left over from a deleted file do not.
static bool long_belongs(const struct fat_name *name, const uint8_t *entry)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < SHORT_SIZE; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + entry[i]);
    return name->valid && name->next == 0 && name->sum == sum;
}

// The next character of UTF-16 (half of a pair: 0xfffd), and of UTF-8 (anything malformed: UINT32_MAX, equal to nothing).
static uint32_t take_utf16(const uint16_t *units, unsigned count, unsigned *at)
{
    uint32_t c = units[(*at)++];
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || *at == count || units[*at] < 0xdc00 || units[*at] > 0xdfff)
        return 0xfffd;
    return 0x10000 + ((c - 0xd800) << 10) + (units[(*at)++] - 0xdc00u);
}

static uint32_t take_utf8(const char *text, size_t len, size_t *at)
{
    uint32_t c = (uint8_t)text[(*at)++];
    if (c < 0x80)
        return c;
    unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    if (c < 0xc2 || c > 0xf4)
        return UINT32_MAX;
    c &= 0x3fu >> more;
    for (; more > 0; more--) {
        if (*at == len || ((uint8_t)text[*at] & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | ((uint8_t)text[(*at)++] & 0x3fu);
    }
    return c;
}

static uint32_t fold(uint32_t c)
{
    return c < 0x80 ? (uint8_t)ascii_lower((char)c) : c;
}

static bool long_is(const struct fat_name *name, const char *text, size_t len)
{
    unsigned at = 0;
    size_t text_at = 0;
    while (at < name->count && name->units[at] != 0) {
        if (text_at == len || fold(take_utf16(name->units, name->count, &at)) != fold(take_utf8(text, len, &text_at)))
            return false;
    }
    return text_at == len;
}

// "NAME.EXT" without its padding, in small letters where `lower` says so: how many bytes. Without the dot where there is no extension.
static size_t short_name(const uint8_t *entry, uint8_t lower, char ret[SHORT_SIZE + 1])
{
    size_t n = 0, base = SHORT_BASE, extension = SHORT_SIZE;
    while (base > 0 && entry[base - 1] == ' ')
        base--;
    while (extension > SHORT_BASE && entry[extension - 1] == ' ')
        extension--;
    for (size_t i = 0; i < base; i++)
        ret[n++] = lower & LOWER_BASE ? ascii_lower((char)entry[i]) : (char)entry[i];
    if (extension > SHORT_BASE)
        ret[n++] = '.';
    for (size_t i = SHORT_BASE; i < extension; i++)
        ret[n++] = lower & LOWER_EXTENSION ? ascii_lower((char)entry[i]) : (char)entry[i];
    return n;
}

// Bytes beyond ASCII mean what the writer's code page said; nobody can name them.
static bool short_is(const uint8_t *entry, const char *text, size_t len)
{
    char name[SHORT_SIZE + 1];
    size_t n = short_name(entry, 0, name);
    if (n != len)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)name[i] >= 0x80 || ascii_lower(name[i]) != ascii_lower(text[i]))
            return false;
    return true;
}

bool fat_name_is(const struct fat_name *gathered, const uint8_t *entry, const char *text, size_t len)
{
    return (long_belongs(gathered, entry) && long_is(gathered, text, len)) || short_is(entry, text, len);
}

void fat_name_text(const struct fat_name *gathered, const uint8_t *entry, char *to, size_t cap)
{
    char name[SHORT_SIZE + 1];
    bool is_long = long_belongs(gathered, entry);
    unsigned count = is_long ? gathered->count : (unsigned)short_name(entry, entry[SHORT_LOWER], name);
    size_t len = 0;
    for (unsigned at = 0; at < count && cap - len > UTF8_CHAR_MAX;) {
        uint32_t c = is_long ? take_utf16(gathered->units, count, &at) : (uint8_t)name[at++];
        if (is_long && c == 0)
            break;
        len += utf8_put(is_long || c < 0x80 ? c : 0, to + len);
    }
    to[len] = 0;
}
