// SPDX-License-Identifier: MPL-2.0
// See smbios.h. A structure is: type, length of the formatted part, handle; the formatted part; then its strings, each
// ended by NUL, and one more NUL.
#include "image/smbios.h"

#include "base/cursor.h"
#include "base/fmt.h"
#include "base/range.h"

#define ENTRY_ALIGN 16
#define ENTRY32_SIZE 0x1f
#define ENTRY64_SIZE 0x18
#define TYPE_SYSTEM 1
#define TYPE_CHASSIS 3
#define TYPE_END 127
#define HEAD_SIZE 4

static bool entry_at(const uint8_t *p, size_t len, const char *anchor, size_t anchor_len, size_t length_at, size_t min)
{
    return len >= min && memcmp(p, anchor, anchor_len) == 0 && p[length_at] >= min - 1 && p[length_at] <= len &&
           byte_sum(p, p[length_at]) == 0;
}

int smbios_find(const uint8_t *area, size_t len, struct smbios_entry *ret)
{
    for (size_t i = 0; i + ENTRY64_SIZE <= len; i += ENTRY_ALIGN) {
        const uint8_t *p = area + i;
        if (entry_at(p, len - i, "_SM3_", 5, 6, ENTRY64_SIZE)) {
            *ret = (struct smbios_entry){ .table = load64_le(p + 0x10), .length = load32_le(p + 0x0c),
                                          .version = (uint16_t)(p[7] << 8 | p[8]) };
            return 0;
        }
    }
    // Quirk: version 2.1 said a length of 1Eh for 1Fh bytes, which entry_at allows.
    for (size_t i = 0; i + ENTRY32_SIZE <= len; i += ENTRY_ALIGN) {
        const uint8_t *p = area + i;
        if (entry_at(p, len - i, "_SM_", 4, 5, ENTRY32_SIZE)) {
            *ret = (struct smbios_entry){ .table = load32_le(p + 0x18), .length = load16_le(p + 0x16),
                                          .version = (uint16_t)(p[6] << 8 | p[7]) };
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

// The n-th string (from 1) of the strings at [p, p+len), cut to fit, without control characters and blanks around it.
static void copy_string(const uint8_t *p, size_t len, uint8_t n, char out[SMBIOS_TEXT_MAX])
{
    if (n == 0)
        return;
    while (--n > 0) {
        const uint8_t *end = memchr(p, 0, len);
        if (!end || end == p) // the closing NUL: so many strings there are not
            return;
        len -= (size_t)(end + 1 - p);
        p = end + 1;
    }
    size_t k = 0;
    for (size_t i = 0; i < len && p[i] && k < SMBIOS_TEXT_MAX - 1; i++)
        if (p[i] >= 0x20 && p[i] < 0x7f && !(p[i] == ' ' && k == 0))
            out[k++] = (char)p[i];
    while (k > 0 && out[k - 1] == ' ')
        k--;
    out[k] = 0;
}

// The first three fields are little-endian since version 2.6; all zeros or all ones mean "none".
static void copy_uuid(const uint8_t *u, uint16_t version, char out[SMBIOS_UUID_TEXT])
{
    bool none = true;
    for (unsigned i = 1; i < 16; i++)
        none = none && u[i] == u[0];
    if (none && (u[0] == 0 || u[0] == 0xff))
        return;
    bool le = version >= 0x0206;
    fmt_snprintf(out, SMBIOS_UUID_TEXT, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                 (unsigned)(le ? load32_le(u) : load32_be(u)), (unsigned)(le ? load16_le(u + 4) : load16_be(u + 4)),
                 (unsigned)(le ? load16_le(u + 6) : load16_be(u + 6)), u[8], u[9], u[10], u[11], u[12], u[13], u[14],
                 u[15]);
}

struct structure {
    const uint8_t *start, *strings;
    size_t size, strings_len; // of the formatted part; of all strings with their NULs
};

// The structure at the cursor. ERR_TRUNCATED where it leaves the table.
static int next_structure(struct cursor *c, struct structure *ret)
{
    struct structure s = { .start = c->data };
    (void)cursor_u8(c);
    s.size = cursor_u8(c);
    (void)cursor_u16_le(c);
    if (!cursor_ok(c) || s.size < HEAD_SIZE || !cursor_bytes(c, s.size - HEAD_SIZE))
        return ERR_TRUNCATED;
    // The strings end at two NULs, even when there are none.
    s.strings = c->data;
    size_t n = 0;
    while (n + 1 < c->len && (s.strings[n] || s.strings[n + 1]))
        n++;
    if (!cursor_bytes(c, n + 2))
        return ERR_TRUNCATED;
    s.strings_len = n + 1;
    *ret = s;
    return 0;
}

int smbios_parse(const uint8_t *table, size_t len, uint16_t version, struct smbios *ret)
{
    memset(ret, 0, sizeof *ret);
    bool system_seen = false, chassis_seen = false;
    struct cursor c = cursor_make(table, len);
    while (c.len > 0) {
        struct structure s;
        int err = next_structure(&c, &s);
        if (err)
            return err;
        if (s.start[0] == TYPE_SYSTEM && !system_seen) {
            system_seen = true;
            if (s.size > 7) {
                copy_string(s.strings, s.strings_len, s.start[4], ret->manufacturer);
                copy_string(s.strings, s.strings_len, s.start[5], ret->product);
                copy_string(s.strings, s.strings_len, s.start[7], ret->serial);
            }
            if (s.size >= 0x18)
                copy_uuid(s.start + 8, version, ret->uuid);
        } else if (s.start[0] == TYPE_CHASSIS && !chassis_seen) {
            chassis_seen = true;
            if (s.size > 8)
                copy_string(s.strings, s.strings_len, s.start[8], ret->asset);
        } else if (s.start[0] == TYPE_END) {
            break; // the 64-bit entry point gives only an upper bound of the length
        }
    }
    return 0;
}

// String `number` (from 1) of a structure.
static int string_at(const struct structure *s, unsigned number, const uint8_t **ret)
{
    const uint8_t *p = s->strings, *end = s->strings + s->strings_len;
    for (; p < end && number > 1; number--)
        p += strnlen((const char *)p, (size_t)(end - p)) + 1;
    if (number == 0 || p >= end)
        return ERR_NOT_FOUND;
    *ret = p;
    return (int)strnlen((const char *)p, (size_t)(end - p));
}

int smbios_field(const uint8_t *table, size_t len, const char *number, const uint8_t **ret)
{
    uint64_t part[5] = { 0 }; // the first stays 0: no instance given
    unsigned count = 1;
    for (const char *p = number; count < ARRAY_SIZE(part); p++, count++) {
        const char *dot = strchr(p, '.');
        size_t n = dot ? (size_t)(dot - p) : strlen(p);
        if (!fmt_parse_u64(p, n, 10, &part[count]))
            return ERR_NOT_FOUND;
        p += n;
        if (*p == 0)
            break;
    }
    if (count < 3 || count >= ARRAY_SIZE(part))
        return ERR_NOT_FOUND;
    const uint64_t *type = part + count - 2, offset = type[1], length = type[2];
    uint64_t instance = type[-1];
    struct cursor c = cursor_make(table, len);
    struct structure s;
    while (c.len > 0 && next_structure(&c, &s) == 0 && s.start[0] != TYPE_END) {
        if (s.start[0] != *type || instance-- > 0)
            continue;
        if (!range_fits(offset, MAX(length, 1u), s.size))
            break;
        *ret = s.start + offset;
        return length ? (int)length : string_at(&s, s.start[offset], ret);
    }
    return ERR_NOT_FOUND;
}

const char *smbios_value(const struct smbios *smbios, const char *name)
{
    const struct {
        const char *name, *value;
    } all[] = { { "uuid", smbios->uuid },
                { "serial", smbios->serial },
                { "product", smbios->product },
                { "manufacturer", smbios->manufacturer },
                { "asset", smbios->asset } };
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        if (strcmp(name, all[i].name) == 0)
            return all[i].value[0] ? all[i].value : NULL;
    return NULL;
}
