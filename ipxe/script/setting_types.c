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

static void put_string(struct text *t, const uint8_t *data, size_t len)
{
    // DHCP servers end strings with a NUL or not, as they please.
    while (len > 0 && data[len - 1] == 0)
        len--;
    for (size_t i = 0; i < len; i++)
        text_char(t, data[i] < 0x20 || data[i] == 0x7f ? '?' : (char)data[i]);
}

static void put_uristring(struct text *t, const uint8_t *data, size_t len)
{
    while (len > 0 && data[len - 1] == 0)
        len--;
    for (size_t i = 0; i < len; i++) {
        if (ascii_is_unreserved((char)data[i]))
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

// The value's low-order bytes; a short one is extended by its sign.
static void put_integer(struct text *t, enum setting_type type, const uint8_t *data, size_t len)
{
    unsigned size = integer_size(type);
    uint32_t v = is_signed(type) && len > 0 && len < size && (data[0] & 0x80) ? UINT32_MAX : 0;
    for (size_t i = len > size ? len - size : 0; i < len; i++)
        v = v << 8 | data[i];
    char number[16];
    if (is_signed(type)) {
        int32_t n = size == 1 ? (int8_t)v : size == 2 ? (int16_t)v : (int32_t)v;
        fmt_snprintf(number, sizeof number, "%d", (int)n);
    } else {
        fmt_snprintf(number, sizeof number, "0x%x", (unsigned)v);
    }
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
    if (len < least || (is_integer(type) && len == 0))
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
        if (!is_integer(type))
            return ERR_INVALID;
        put_integer(&t, type, data, len);
    }
    return text_finish(&t);
}

// --- reading ---

// Bytes of hex; between them `separator` (0: none). A single digit between separators is a byte, too ("0:1:a").
static int parse_hex(const char *text, char separator, uint8_t *buf, size_t cap)
{
    size_t n = 0;
    while (*text) {
        int high = ascii_hex_value(*text++), low = *text ? ascii_hex_value(*text) : -1;
        if (high < 0 || (low < 0 && !separator))
            return ERR_INVALID;
        if (low >= 0)
            text++;
        if (n >= cap)
            return ERR_TOO_LARGE;
        buf[n++] = (uint8_t)(low >= 0 ? high << 4 | low : high);
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

static int parse_integer(enum setting_type type, const char *text, uint8_t *buf, size_t cap)
{
    unsigned size = integer_size(type);
    bool minus = *text == '-';
    uint64_t v, top = (uint64_t)1 << (8 * size);
    if (size > cap)
        return ERR_TOO_LARGE;
    if (!fmt_parse_u64(text + minus, strlen(text + minus), 0, &v))
        return ERR_INVALID;
    if (v >= top || (minus && v > top / 2))
        return ERR_INVALID;
    if (minus)
        v = top - v;
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

// The reverse of put_uristring.
static int parse_uristring(const char *text, uint8_t *buf, size_t cap)
{
    size_t n = 0;
    for (; *text; n++) {
        if (n >= cap)
            return ERR_TOO_LARGE;
        int high = *text == '%' ? ascii_hex_value(text[1]) : 0, low = *text == '%' && high >= 0 ? ascii_hex_value(text[2]) : 0;
        if (high < 0 || low < 0)
            return ERR_INVALID;
        buf[n] = *text == '%' ? (uint8_t)(high << 4 | low) : (uint8_t)*text;
        text += *text == '%' ? 3 : 1;
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
