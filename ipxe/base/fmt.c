// SPDX-License-Identifier: MPL-2.0
// See fmt.h. No 64-bit division anywhere: i686 firmware has no helper for it.
#include "base/fmt.h"

#include <limits.h>

#define DIGITS_MAX 20 // 2^64 - 1 in decimal

struct out {
    char *buf;
    size_t cap;
    size_t len; // of the whole text, also what did not fit
};

static void out_char(struct out *o, char c)
{
    // One byte stays free for the NUL.
    if (o->cap > 0 && o->len < o->cap - 1)
        o->buf[o->len] = c;
    if (o->len < INT_MAX)
        o->len++;
}

static void out_fill(struct out *o, char c, size_t count)
{
    while (count-- > 0)
        out_char(o, c);
}

static void out_bytes(struct out *o, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out_char(o, s[i]);
}

// v = v / 10, returns the remainder. Four steps of 16 bits keep every division in 32 bits.
static unsigned divide_by_ten(uint64_t *v)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;
    for (int shift = 48; shift >= 0; shift -= 16) {
        uint32_t part = rest << 16 | (uint32_t)(*v >> shift & 0xffff);
        quotient |= (uint64_t)(part / 10) << shift;
        rest = part % 10;
    }
    *v = quotient;
    return rest;
}

// Writes the digits of v to the end of the buffer; returns how many.
static size_t digits_of(uint64_t v, bool hex, bool upper, char digits[DIGITS_MAX])
{
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t n = 0;
    while (v != 0) {
        unsigned digit;
        if (hex) {
            digit = (unsigned)(v & 15);
            v >>= 4;
        } else {
            digit = divide_by_ten(&v);
        }
        digits[DIGITS_MAX - ++n] = alphabet[digit];
    }
    return n;
}

struct spec {
    bool left, zero;
    int width;
    int precision; // -1: none given
    int length;    // bytes of the integer argument
};

static void out_number(struct out *o, const struct spec *s, uint64_t v, const char *prefix, bool hex, bool upper)
{
    char digits[DIGITS_MAX];
    size_t n = digits_of(v, hex, upper, digits);
    size_t least = s->precision < 0 ? 1 : (size_t)s->precision;
    size_t prefix_len = strlen(prefix);
    size_t zeros = n < least ? least - n : 0;
    size_t width = s->width > 0 ? (size_t)s->width : 0;
    // As in C, a precision switches the flag 0 off.
    if (s->zero && !s->left && s->precision < 0 && prefix_len + zeros + n < width)
        zeros = width - prefix_len - n;
    size_t used = prefix_len + zeros + n;
    size_t pad = used < width ? width - used : 0;
    if (!s->left)
        out_fill(o, ' ', pad);
    out_bytes(o, prefix, prefix_len);
    out_fill(o, '0', zeros);
    out_bytes(o, digits + DIGITS_MAX - n, n);
    if (s->left)
        out_fill(o, ' ', pad);
}

static void out_string(struct out *o, const struct spec *s, const char *text, size_t len)
{
    size_t width = s->width > 0 ? (size_t)s->width : 0;
    size_t pad = len < width ? width - len : 0;
    if (!s->left)
        out_fill(o, ' ', pad);
    out_bytes(o, text, len);
    if (s->left)
        out_fill(o, ' ', pad);
}

// A decimal number in the format itself; far beyond any sensible width it stops growing.
static int read_count(const char **p)
{
    int n = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        n = n < 100000 ? n * 10 + (**p - '0') : n;
    return n;
}

static const char *read_length(const char *p, struct spec *s)
{
    s->length = sizeof(int);
    if (*p == 'h') {
        s->length = sizeof(short);
        if (*++p == 'h') {
            s->length = sizeof(char);
            p++;
        }
    } else if (*p == 'l') {
        s->length = sizeof(long);
        if (*++p == 'l') {
            s->length = sizeof(long long);
            p++;
        }
    } else if (*p == 'z') {
        s->length = sizeof(size_t);
        p++;
    }
    return p;
}

// Arguments narrower than int arrive as int and are cut to the length that the format names.
static uint64_t cut_unsigned(uint64_t v, int length)
{
    return length >= 8 ? v : v & (((uint64_t)1 << (length * 8)) - 1);
}

// In a struct, as a va_list is an array on some machines and none on others, and functions shall take from the same one.
struct arguments {
    va_list list;
};

static int read_width(const char **p, struct arguments *a)
{
    if (**p != '*')
        return read_count(p);
    (*p)++;
    return va_arg(a->list, int);
}

// What stands between % and the conversion.
static const char *read_spec(const char *p, struct spec *s, struct arguments *a)
{
    *s = (struct spec){ .precision = -1 };
    for (; *p == '-' || *p == '0'; p++) {
        s->left |= *p == '-';
        s->zero |= *p == '0';
    }
    s->width = read_width(&p, a);
    if (s->width < 0) {
        s->left = true;
        s->width = s->width == INT_MIN ? INT_MAX : -s->width;
    }
    if (*p == '.') {
        p++;
        s->precision = read_width(&p, a);
    }
    return read_length(p, s);
}

// By size, not by name: a long is as wide as an int on i686.
static int64_t signed_argument(const struct spec *s, struct arguments *a)
{
    if (s->length > (int)sizeof(int))
        return va_arg(a->list, long long);
    int v = va_arg(a->list, int);
    return s->length == sizeof(short) ? (short)v : s->length == sizeof(char) ? (signed char)v : v;
}

static uint64_t unsigned_argument(const struct spec *s, struct arguments *a)
{
    uint64_t v = s->length > (int)sizeof(int) ? va_arg(a->list, unsigned long long) : va_arg(a->list, unsigned);
    return cut_unsigned(v, s->length);
}

// False: not a conversion known here.
static bool out_conversion(struct out *o, const struct spec *s, char conversion, struct arguments *a)
{
    switch (conversion) {
    case 'd':
    case 'i': {
        int64_t v = signed_argument(s, a);
        out_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0 ? "-" : "", false, false);
        return true;
    }
    case 'u':
    case 'x':
    case 'X':
        out_number(o, s, unsigned_argument(s, a), "", conversion != 'u', conversion == 'X');
        return true;
    case 'p':
        out_number(o, s, (uintptr_t)va_arg(a->list, void *), "0x", true, false);
        return true;
    case 'c': {
        char c = (char)va_arg(a->list, int);
        out_string(o, s, &c, 1);
        return true;
    }
    case 's': {
        const char *text = va_arg(a->list, const char *);
        if (!text)
            text = "(null)";
        // With a precision the text need not end in a NUL.
        out_string(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
        return true;
    }
    case '%':
        out_char(o, '%');
        return true;
    default:
        return false;
    }
}

int fmt_vsnprintf(char *buf, size_t cap, const char *format, va_list args)
{
    struct out o = { .buf = buf, .cap = cap };
    struct arguments a;
    va_copy(a.list, args);
    for (const char *p = format; *p != '\0';) {
        if (*p != '%') {
            out_char(&o, *p++);
            continue;
        }
        const char *start = p;
        struct spec s;
        p = read_spec(p + 1, &s, &a);
        char conversion = *p;
        if (conversion != '\0')
            p++;
        // What is not known is shown as it stands, so that the mistake is seen.
        if (!out_conversion(&o, &s, conversion, &a))
            out_bytes(&o, start, (size_t)(p - start));
    }
    va_end(a.list);
    if (cap > 0)
        buf[MIN(o.len, cap - 1)] = '\0';
    return (int)o.len;
}

int fmt_snprintf(char *buf, size_t cap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = fmt_vsnprintf(buf, cap, format, args);
    va_end(args);
    return len;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return UINT_MAX;
}

bool fmt_parse_u64(const char *s, size_t len, unsigned base, uint64_t *ret)
{
    if (base == 0) {
        base = 10;
        if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
            base = 16;
            s += 2;
            len -= 2;
        }
    }
    if ((base != 10 && base != 16) || len == 0)
        return false;
    const uint64_t shiftable = base == 16 ? UINT64_MAX / 16 : UINT64_MAX / 10;
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = digit_value(s[i]);
        if (digit >= base || v > shiftable)
            return false;
        v *= base;
        if (digit > UINT64_MAX - v)
            return false;
        v += digit;
    }
    *ret = v;
    return true;
}
