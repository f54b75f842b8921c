// SPDX-License-Identifier: MPL-2.0
// The functions of base/libc/string.h, and those that the compiler calls by itself. Only in the firmware.
#include <stdint.h>
#include <string.h>

struct word {
    size_t value;
} __attribute__((packed)); // at any address

#if defined(__i386__)
// The string instructions move whole words first.
static void copy_up(void *d, const void *src, size_t n)
{
    size_t words = n / 4, rest = n & 3;
    __asm__ volatile("rep movsl\n\tmovl %3, %%ecx\n\trep movsb" : "+D"(d), "+S"(src), "+c"(words) : "r"(rest) : "memory");
}

static void fill(void *d, uint8_t c, size_t n)
{
    uint32_t word = c * 0x01010101u;
    size_t words = n / 4, rest = n & 3;
    __asm__ volatile("rep stosl\n\tmovl %2, %%ecx\n\trep stosb" : "+D"(d), "+c"(words) : "r"(rest), "a"(word) : "memory");
}
#else
// A loop, four words at a time: arm64 has no string instructions, and an emulated x86-64 takes longer for them. Volatile,
// for the compiler would make vectors of it, which take longer still, or a call of memcpy.
static void copy_up(void *d, const void *src, size_t n)
{
    volatile struct word *to = d;
    const volatile struct word *from = src;
    for (; n >= 4 * sizeof *to; n -= 4 * sizeof *to, to += 4, from += 4) {
        size_t w0 = from[0].value, w1 = from[1].value, w2 = from[2].value, w3 = from[3].value;
        to[0].value = w0;
        to[1].value = w1;
        to[2].value = w2;
        to[3].value = w3;
    }
    for (; n >= sizeof *to; n -= sizeof *to, to++, from++)
        to->value = from->value;
    volatile uint8_t *last = (volatile uint8_t *)to;
    const volatile uint8_t *bytes = (const volatile uint8_t *)from;
    for (; n > 0; n--)
        *last++ = *bytes++;
}

static void fill(void *d, uint8_t c, size_t n)
{
    volatile struct word *to = d;
    size_t word = c * (size_t)0x0101010101010101;
    for (; n >= 4 * sizeof *to; n -= 4 * sizeof *to, to += 4) {
        to[0].value = word;
        to[1].value = word;
        to[2].value = word;
        to[3].value = word;
    }
    for (; n >= sizeof *to; n -= sizeof *to, to++)
        to->value = word;
    volatile uint8_t *last = (volatile uint8_t *)to;
    for (; n > 0; n--)
        *last++ = c;
}
#endif

// In parentheses, for string.h has macros of these names.
void *(memcpy)(void *restrict dst, const void *restrict src, size_t n)
{
    copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    if (d <= s || (size_t)(d - s) >= n) {
        copy_up(dst, src, n); // in order: right for overlapping ranges too
        return dst;
    }
    while (n-- > 0)
        d[n] = s[n];
    return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
    fill(dst, (uint8_t)c, n);
    return dst;
}

int (memcmp)(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;
    for (; n >= sizeof(struct word) && ((const struct word *)p)->value == ((const struct word *)q)->value; n -= sizeof(struct word)) {
        p += sizeof(struct word);
        q += sizeof(struct word);
    }
    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p < *q ? -1 : 1;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    for (const uint8_t *p = s; n > 0; n--, p++)
        if (*p == (uint8_t)c)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i])
        i++;
    return i;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++) {
        if (*a != *b)
            return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
        if (!*a)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}

// Plain decimal with a sign, as lwIP uses it for ports. C leaves overflow undefined; here it stops at the ends.
int atoi(const char *s);
int atoi(const char *s)
{
    int64_t v = 0;
    int negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    for (; *s >= '0' && *s <= '9' && v <= INT32_MAX; s++)
        v = v * 10 + (*s - '0');
    if (negative)
        v = -v;
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int)v;
}
