// SPDX-License-Identifier: MPL-2.0
// The firmware's memory functions (base/libc/libc.c), under other names beside the system's.
#include "base/test.h"

#include <stdint.h>

#define memcpy firmware_memcpy
#define memmove firmware_memmove
#define memset firmware_memset
#define memcmp firmware_memcmp
#define memchr firmware_memchr
#define strlen firmware_strlen
#define strnlen firmware_strnlen
#define strncmp firmware_strncmp
#define strcmp firmware_strcmp
#define strchr firmware_strchr
#define atoi firmware_atoi
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strncmp(const char *a, const char *b, size_t n);
int strcmp(const char *a, const char *b);
char *strchr(const char *s, int c);
#include "base/libc/libc.c"

#define ROOM 128

static void pattern(uint8_t *bytes)
{
    for (unsigned i = 0; i < ROOM; i++)
        bytes[i] = (uint8_t)(i * 37 + 1);
}

// Every length from every alignment to every alignment, overlapping in both directions too.
TEST(moves_what_was_asked_and_nothing_else)
{
    uint8_t was[ROOM], bytes[ROOM];
    pattern(was);
    for (unsigned n = 0; n <= 70; n++)
        for (unsigned from = 0; from < 24; from++)
            for (unsigned to = 0; to < 24; to++) {
                pattern(bytes);
                CHECK(memmove(bytes + to, bytes + from, n) == bytes + to);
                for (unsigned i = 0; i < ROOM; i++)
                    CHECK_EQ(bytes[i], i >= to && i < to + n ? was[i - to + from] : was[i]);
            }
}

TEST(copies_exactly)
{
    for (size_t n = 0; n <= 70; n++) {
        uint8_t *from = malloc(n + 1), *to = malloc(n + 1); // of the exact size, for the sanitizer
        for (size_t i = 0; i < n + 1; i++) {
            from[i] = (uint8_t)(i + 1);
            to[i] = 0xee;
        }
        memcpy(to + 1, from + 1, n);
        CHECK_EQ(to[0], 0xee);
        for (size_t i = 1; i < n + 1; i++)
            CHECK_EQ(to[i], from[i]);
        free(from);
        free(to);
    }
}

TEST(fills_exactly)
{
    uint8_t bytes[ROOM];
    for (unsigned n = 0; n <= 70; n++)
        for (unsigned at = 0; at < 8; at++) {
            pattern(bytes);
            CHECK(memset(bytes + at, 0x1a5, n) == bytes + at); // the low byte counts
            for (unsigned i = 0; i < ROOM; i++)
                CHECK_EQ(bytes[i], i >= at && i < at + n ? 0xa5 : (uint8_t)(i * 37 + 1));
        }
}

TEST(compares_bytes_without_sign_and_in_order)
{
    for (size_t n = 0; n <= 40; n++) {
        uint8_t *a = malloc(n + 1), *b = malloc(n + 1);
        memset(a, 0x7f, n + 1);
        memset(b, 0x7f, n + 1);
        CHECK_EQ(memcmp(a + 1, b + 1, n), 0);
        for (size_t i = 1; i <= n; i++) {
            b[i] = 0x80;
            b[n] = i == n ? 0x80 : 0; // what stands behind must not count
            CHECK_EQ(memcmp(a + 1, b + 1, n), -1);
            CHECK_EQ(memcmp(b + 1, a + 1, n), 1);
            b[i] = b[n] = 0x7f;
        }
        free(a);
        free(b);
    }
}

TEST_MAIN(T(moves_what_was_asked_and_nothing_else), T(copies_exactly), T(fills_exactly), T(compares_bytes_without_sign_and_in_order))
