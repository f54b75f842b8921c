// SPDX-License-Identifier: MPL-2.0
// The functions of base/libc/string.h, and those that the compiler calls by itself. Only in the firmware.
#include <stdint.h>
#include <string.h>

// The string instructions move whole words first; arm64 has none.
#if defined(__i386__)
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
#elif defined(__x86_64__)
static void copy_up(void *d, const void *src, size_t n)
{
    size_t words = n / 8, rest = n & 7;
    __asm__ volatile("rep movsq\n\tmovq %3, %%rcx\n\trep movsb" : "+D"(d), "+S"(src), "+c"(words) : "r"(rest) : "memory");
}

static void fill(void *d, uint8_t c, size_t n)
{
    uint64_t word = c * 0x0101010101010101ull;
    size_t words = n / 8, rest = n & 7;
    __asm__ volatile("rep stosq\n\tmovq %2, %%rcx\n\trep stosb" : "+D"(d), "+c"(words) : "r"(rest), "a"(word) : "memory");
}
#else
static void copy_up(void *d, const void *src, size_t n)
{
    uint8_t *to = d;
    const uint8_t *from = src;
    for (; n >= 8; n -= 8, to += 8, from += 8) {
        uint64_t word;
        __builtin_memcpy_inline(&word, from, 8); // arm64 loads from any address
        __builtin_memcpy_inline(to, &word, 8);
    }
    for (; n > 0; n--)
        *to++ = *from++;
}

static void fill(void *d, uint8_t c, size_t n)
{
    volatile uint8_t *bytes = d; // volatile: the compiler would make a call of memset of this loop
    uint64_t word = c * 0x0101010101010101ull;
    for (; n >= 8; n -= 8, bytes += 8)
        __builtin_memcpy_inline((void *)(uintptr_t)bytes, &word, 8);
    for (; n > 0; n--)
        *bytes++ = c;
}
#endif

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    if (d <= s || (size_t)(d - s) >= n)
        return memcpy(dst, src, n); // forwards, in order: right for overlapping ranges too
    while (n-- > 0)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    fill(dst, (uint8_t)c, n);
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;
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
