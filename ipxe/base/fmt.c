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

int fmt_vsnprintf(char *buf, size_t cap, const char *format, va_list args)
{
    struct out o = { .buf = buf, .cap = cap };
    for (const char *p = format; *p != '\0';) {
        if (*p != '%') {
            out_char(&o, *p++);
            continue;
        }
        const char *start = p++;
        struct spec s = { .precision = -1 };
        for (; *p == '-' || *p == '0'; p++) {
            s.left |= *p == '-';
            s.zero |= *p == '0';
        }
        if (*p == '*') {
            s.width = va_arg(args, int);
            if (s.width < 0) {
                s.left = true;
                s.width = s.width == INT_MIN ? INT_MAX : -s.width;
            }
            p++;
        } else {
            s.width = read_count(&p);
        }
        if (*p == '.') {
            p++;
            if (*p == '*') {
                s.precision = va_arg(args, int);
                p++;
            } else {
                s.precision = read_count(&p);
            }
        }
        p = read_length(p, &s);
        char conversion = *p;
        if (conversion != '\0')
            p++;
        switch (conversion) {
        case 'd':
        case 'i': {
            // By size, not by name: a long is as wide as an int on i686.
            int64_t v = s.length > (int)sizeof(int) ? va_arg(args, long long) : va_arg(args, int);
            if (s.length == sizeof(short))
                v = (short)v;
            else if (s.length == sizeof(char))
                v = (signed char)v;
            uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
            out_number(&o, &s, magnitude, v < 0 ? "-" : "", false, false);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t v = s.length > (int)sizeof(int) ? va_arg(args, unsigned long long) : va_arg(args, unsigned);
            out_number(&o, &s, cut_unsigned(v, s.length), "", conversion != 'u', conversion == 'X');
            break;
        }
        case 'p':
            out_number(&o, &s, (uintptr_t)va_arg(args, void *), "0x", true, false);
            break;
        case 'c': {
            char c = (char)va_arg(args, int);
            out_string(&o, &s, &c, 1);
            break;
        }
        case 's': {
            const char *text = va_arg(args, const char *);
            if (!text)
                text = "(null)";
            // With a precision the text need not end in a NUL.
            size_t len = s.precision < 0 ? strlen(text) : strnlen(text, (size_t)s.precision);
            out_string(&o, &s, text, len);
            break;
        }
        case '%':
            out_char(&o, '%');
            break;
        default:
            // Not a conversion known here: shown as it stands, so that the mistake is seen.
            out_bytes(&o, start, (size_t)(p - start));
            break;
        }
    }
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
