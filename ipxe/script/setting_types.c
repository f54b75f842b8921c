// SPDX-License-Identifier: MPL-2.0
// Settings as text: formatting and reading bytes by type (settings.h).
#include "base/addr.h"
#include "base/bytes.h"
#include "base/fmt.h"
#include "base/text.h"
#include "script/settings.h"

static const char *const type_names[SETTING_TYPES] = {
    [SETTING_STRING] = "string", [SETTING_URISTRING] = "uristring", [SETTING_IPV4] = "ipv4", [SETTING_IPV6] = "ipv6",
    [SETTING_HEX] = "hex",       [SETTING_HEXHYP] = "hexhyp",       [SETTING_HEXRAW] = "hexraw",
    [SETTING_BASE64] = "base64", [SETTING_INT8] = "int8",           [SETTING_INT16] = "int16",
    [SETTING_INT32] = "int32",   [SETTING_UINT8] = "uint8",         [SETTING_UINT16] = "uint16",
    [SETTING_UINT32] = "uint32", [SETTING_UUID] = "uuid",           [SETTING_GUID] = "guid",
    [SETTING_BUSDEVFN] = "busdevfn",
};
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int setting_type_by_name(const char *name, size_t len, enum setting_type *ret)
{
    for (size_t i = 0; i < SETTING_TYPES; i++) {
        if (strlen(type_names[i]) == len && memcmp(type_names[i], name, len) == 0) {
            *ret = (enum setting_type)i;
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

const char *setting_type_name(enum setting_type type)
{
    return (unsigned)type < SETTING_TYPES ? type_names[type] : "?";
}

static bool is_integer(enum setting_type type)
{
    return type >= SETTING_INT8 && type <= SETTING_UINT32;
}

static bool is_signed(enum setting_type type)
{
    return type == SETTING_INT8 || type == SETTING_INT16 || type == SETTING_INT32;
}

static unsigned integer_size(enum setting_type type)
{
    return type == SETTING_INT8 || type == SETTING_UINT8 ? 1 : type == SETTING_INT16 || type == SETTING_UINT16 ? 2 : 4;
}

// --- formatting ---

// A text ends at its NUL: DHCP servers end theirs with one or not, as they please.
static size_t string_len(const uint8_t *data, size_t len)
{
    return strnlen((const char *)data, len);
}

static void put_string(struct text *t, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < string_len(data, len); i++)
        text_char(t, data[i] < 0x20 || data[i] == 0x7f ? '?' : (char)data[i]);
}

// Coded is what would end a part of a URI or is none of its characters (RFC 3986 section 2), as iPXE does.
static void put_uristring(struct text *t, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < string_len(data, len); i++) {
        if (data[i] > 0x20 && data[i] < 0x7f && !strchr("#%&/:=?@", data[i]))
            text_char(t, (char)data[i]);
        else
            text_percent(t, data[i]);
    }
}

static void put_hex_all(struct text *t, const uint8_t *data, size_t len, char separator)
{
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && separator)
            text_char(t, separator);
        text_hex(t, data[i]);
    }
}

static void put_base64(struct text *t, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t n = MIN(len - i, (size_t)3);
        uint32_t v = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (n > 2 ? data[i + 2] : 0);
        for (unsigned d = 0; d < 4; d++)
            text_char(t, d <= n ? base64_digits[v >> (18 - 6 * d) & 63] : '=');
    }
}

static void put_uuid(struct text *t, const uint8_t *data, bool guid)
{
    // A GUID has its first three fields in little-endian order.
    static const uint8_t order[2][16] = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
                                          { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 } };
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text_char(t, '-');
        text_hex(t, data[order[guid][i]]);
    }
}

// All of the value's bytes, of which a signed type takes the sign: how many the type itself has does not matter, as in iPXE.
static void put_integer(struct text *t, enum setting_type type, const uint8_t *data, size_t len)
{
    uint32_t v = is_signed(type) && (data[0] & 0x80) ? UINT32_MAX : 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | data[i];
    char number[20];
    if (type == SETTING_BUSDEVFN) // a PCI function: segment, bus, device, function
        fmt_snprintf(number, sizeof number, "%04x:%02x:%02x.%x", (unsigned)(v >> 16), (unsigned)(v >> 8 & 0xff), (unsigned)(v >> 3 & 31),
                     (unsigned)(v & 7));
    else
        fmt_snprintf(number, sizeof number, is_signed(type) ? "%d" : "0x%x", (int)v);
    text_string(t, number);
}

static void put_ipv6(struct text *t, const uint8_t *data)
{
    struct net_addr a = { 0 };
    char text[NET_ADDR_TEXT_MAX];
    memcpy(a.ip, data, 16);
    for (const char *p = net_addr_format(&a, text); *p; p++)
        if (*p != '[' && *p != ']')
            text_char(t, *p);
}

int setting_format(enum setting_type type, const uint8_t *data, size_t len, char *buf, size_t cap)
{
    if (cap == 0)
        return ERR_TOO_LARGE;
    struct text t = { .buf = buf, .cap = cap };
    char text[NET_ADDR_TEXT_MAX];
    bool of_16 = type == SETTING_IPV6 || type == SETTING_UUID || type == SETTING_GUID;
    size_t least = type == SETTING_IPV4 ? 4 : of_16 ? 16 : 0;
    bool number = is_integer(type) || type == SETTING_BUSDEVFN;
    if (len < least || (number && (len == 0 || len > 4)))
        return ERR_INVALID;
    switch (type) {
    case SETTING_STRING: put_string(&t, data, len); break;
    case SETTING_URISTRING: put_uristring(&t, data, len); break;
    case SETTING_IPV4:
        fmt_snprintf(text, sizeof text, "%u.%u.%u.%u", data[0], data[1], data[2], data[3]);
        text_string(&t, text);
        break;
    case SETTING_IPV6: put_ipv6(&t, data); break;
    case SETTING_HEX: put_hex_all(&t, data, len, ':'); break;
    case SETTING_HEXHYP: put_hex_all(&t, data, len, '-'); break;
    case SETTING_HEXRAW: put_hex_all(&t, data, len, 0); break;
    case SETTING_BASE64: put_base64(&t, data, len); break;
    case SETTING_UUID: put_uuid(&t, data, false); break;
    case SETTING_GUID: put_uuid(&t, data, true); break;
    default:
        if (!number)
            return ERR_INVALID;
        put_integer(&t, type, data, len);
    }
    return text_finish(&t);
}

// --- reading ---

// Bytes of hex, two digits each; between them `separator` (0: none).
static int parse_hex(const char *text, char separator, uint8_t *buf, size_t cap)
{
    size_t n = 0;
    while (*text) {
        int high = ascii_hex_value(*text++), low = *text ? ascii_hex_value(*text) : -1;
        if (high < 0 || low < 0)
            return ERR_INVALID;
        text++;
        if (n >= cap)
            return ERR_TOO_LARGE;
        buf[n++] = (uint8_t)(high << 4 | low);
        if (*text == 0)
            break;
        if (separator && *text++ != separator)
            return ERR_INVALID;
        if (separator && *text == 0)
            return ERR_INVALID;
    }
    return (int)n;
}

static int parse_base64(const char *text, uint8_t *buf, size_t cap)
{
    uint32_t v = 0;
    unsigned bits = 0;
    size_t n = 0, digits = 0;
    for (; *text && *text != '='; text++, digits++) {
        const char *d = strchr(base64_digits, *text);
        if (!d)
            return ERR_INVALID;
        v = v << 6 | (uint32_t)(d - base64_digits);
        bits += 6;
        if (bits >= 8) {
            if (n >= cap)
                return ERR_TOO_LARGE;
            bits -= 8;
            buf[n++] = (uint8_t)(v >> bits);
        }
    }
    for (; *text == '='; text++)
        digits++;
    return *text || (digits & 3) ? ERR_INVALID : (int)n;
}

static int parse_uuid(const char *text, bool guid, uint8_t *buf, size_t cap)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    if (cap < 16)
        return ERR_TOO_LARGE;
    for (unsigned i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return ERR_INVALID;
        int high = ascii_hex_value(text[0]), low = high < 0 ? -1 : ascii_hex_value(text[1]);
        if (low < 0)
            return ERR_INVALID;
        buf[guid ? order[i] : i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text ? ERR_INVALID : 16;
}

// The low bytes of a number, as iPXE keeps them: `inc` counts on beyond 255 in a uint8.
static int parse_integer(enum setting_type type, const char *text, uint8_t *buf, size_t cap)
{
    unsigned size = integer_size(type);
    bool minus = *text == '-';
    uint64_t v;
    if (size > cap)
        return ERR_TOO_LARGE;
    if (!fmt_parse_u64(text + minus, strlen(text + minus), 0, &v))
        return ERR_INVALID;
    if (minus)
        v = 0 - v;
    for (unsigned i = 0; i < size; i++)
        buf[i] = (uint8_t)(v >> (8 * (size - 1 - i)));
    return (int)size;
}

static int parse_string(const char *text, uint8_t *buf, size_t cap)
{
    size_t len = strlen(text);
    if (len > cap)
        return ERR_TOO_LARGE;
    memcpy(buf, text, len);
    return (int)len;
}

// The reverse of put_uristring; a `%` without its digits is a plain one, as in iPXE.
static int parse_uristring(const char *text, uint8_t *buf, size_t cap)
{
    size_t n = 0;
    for (; *text; n++) {
        if (n >= cap)
            return ERR_TOO_LARGE;
        int high = *text == '%' ? ascii_hex_value(text[1]) : -1, low = high >= 0 ? ascii_hex_value(text[2]) : -1;
        buf[n] = low >= 0 ? (uint8_t)(high << 4 | low) : (uint8_t)*text;
        text += low >= 0 ? 3 : 1;
    }
    return (int)n;
}

static int parse_address(const char *text, bool v4, uint8_t *buf, size_t cap)
{
    struct net_addr a;
    size_t size = v4 ? 4 : 16;
    if (!net_addr_parse(text, strlen(text), &a) || net_addr_is_v4(&a) != v4)
        return ERR_INVALID;
    if (cap < size)
        return ERR_TOO_LARGE;
    memcpy(buf, a.ip + 16 - size, size);
    return (int)size;
}

int setting_parse(enum setting_type type, const char *text, uint8_t *buf, size_t cap)
{
    switch (type) {
    case SETTING_STRING: return parse_string(text, buf, cap);
    case SETTING_URISTRING: return parse_uristring(text, buf, cap);
    case SETTING_IPV4: return parse_address(text, true, buf, cap);
    case SETTING_IPV6: return parse_address(text, false, buf, cap);
    case SETTING_HEX: return parse_hex(text, ':', buf, cap);
    case SETTING_HEXHYP: return parse_hex(text, '-', buf, cap);
    case SETTING_HEXRAW: return parse_hex(text, 0, buf, cap);
    case SETTING_BASE64: return parse_base64(text, buf, cap);
    case SETTING_UUID: return parse_uuid(text, false, buf, cap);
    case SETTING_GUID: return parse_uuid(text, true, buf, cap);
    default: return is_integer(type) ? parse_integer(type, text, buf, cap) : ERR_INVALID;
    }
}
