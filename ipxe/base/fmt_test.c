// SPDX-License-Identifier: MPL-2.0
#include "base/fmt.h"

#include "base/test.h"
#include <limits.h>

// Formats with ours and with libc's, and compares text and length.
#define SAME(...)                                                                                                      \
    do {                                                                                                               \
        char ours[200], libc[200];                                                                                     \
        int n = fmt_snprintf(ours, sizeof ours, __VA_ARGS__), m = snprintf(libc, sizeof libc, __VA_ARGS__);            \
        CHECK_STR(ours, libc);                                                                                         \
        CHECK_EQ(n, m);                                                                                                \
    } while (0)

TEST(integers)
{
    SAME("%d %i %u", 0, -1, 4294967295u);
    SAME("%d %d", INT_MAX, INT_MIN);
    SAME("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
    SAME("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
    SAME("%zu %zx", (size_t)-1, (size_t)12345);
    SAME("%x %X %llx %llX", 0xdeadbeefu, 0xabcu, 0x123456789abcdefull, ULLONG_MAX);
    SAME("%x|%u|%d", 0u, 0u, 0);
}

TEST(short_integers)
{
    // Cut as C does it: what is passed is an int. Through variables, or the compiler complains.
    int big = 0x12345, negative = -300;
    SAME("%hx %hu %hd", (unsigned short)big, (unsigned short)big, (short)big);
    SAME("%hhx %hhu %hhd", (unsigned char)big, (unsigned char)negative, (signed char)negative);
    char ours[20];
    const char *format = "%hhx %hx";
    fmt_snprintf(ours, sizeof ours, format, 0x1ff, 0x1ffff);
    CHECK_STR(ours, "ff ffff");
}

TEST(width_and_precision)
{
    SAME("[%5d] [%-5d] [%05d]", 42, 42, 42);
    SAME("[%5d] [%-5d] [%05d]", -42, -42, -42);
    SAME("[%08x] [%-8x] [%8X]", 0xbeefu, 0xbeefu, 0xbeefu);
    SAME("[%.3d] [%6.3d] [%-6.3d] [%.0d]", 5, 5, 5, 0);
    SAME("[%*d] [%-*d] [%*d]", 6, 1, 6, 1, -6, 1);
    SAME("[%.*s] [%10.*s]", 2, "abcdef", 3, "abcdef");
    SAME("[%.*s] [%.*d]", -1, "abc", -1, 7);
    SAME("[%3d]", 12345);
    SAME("%02x:%02x:%02x", 0u, 15u, 255u);
    SAME("%4llu.%03u", 7ull, 5u);
}

TEST(texts)
{
    SAME("%s|%10s|%-10s|%.2s|%c|%3c|%-3c|%%", "abc", "abc", "abc", "abc", 'x', 'y', 'z');
    SAME("%s", "");
    char ours[20];
    const char *nothing = NULL;
    fmt_snprintf(ours, sizeof ours, "%s", nothing);
    CHECK_STR(ours, "(null)");
    // With a precision, the text need not be terminated: ASan would see a byte read too many.
    char *raw = malloc(3);
    memcpy(raw, "abc", 3);
    fmt_snprintf(ours, sizeof ours, "%.3s", raw);
    free(raw);
    CHECK_STR(ours, "abc");
}

TEST(pointers)
{
    int x;
    SAME("%p", (void *)&x);
    char ours[20];
    fmt_snprintf(ours, sizeof ours, "%p", NULL);
    CHECK_STR(ours, "0x0");
}

TEST(small_buffers)
{
    char b[4] = "zzz";
    CHECK_EQ(fmt_snprintf(NULL, 0, "hello %d", 42), 8);
    CHECK_EQ(fmt_snprintf(b, 1, "hello"), 5);
    CHECK_STR(b, "");
    CHECK_EQ(b[1], 'z');
    CHECK_EQ(fmt_snprintf(b, sizeof b, "hello"), 5);
    CHECK_STR(b, "hel");
    CHECK_EQ(fmt_snprintf(b, sizeof b, "abc"), 3);
    CHECK_STR(b, "abc");
}

TEST(mistakes_show)
{
    char ours[40];
    const char *unknown = "%q %5y %", *cut = "100%";
#pragma clang diagnostic ignored "-Wformat-security" // formats that the compiler cannot check are the point
    fmt_snprintf(ours, sizeof ours, unknown);
    CHECK_STR(ours, "%q %5y %");
    fmt_snprintf(ours, sizeof ours, cut);
    CHECK_STR(ours, "100%");
}

TEST(decimal_digits)
{
    // Around every power of ten and of two: the division is made by hand.
    uint64_t v = 1;
    for (int i = 0; i < 20; i++, v *= 10)
        SAME("%llu %llu %llu", (unsigned long long)(v - 1), (unsigned long long)v, (unsigned long long)(v + 1));
    for (int i = 0; i < 64; i++)
        SAME("%llu %llu", (unsigned long long)1 << i, ((unsigned long long)1 << i) - 1);
    uint64_t x = 88172645463325252ull;
    for (int i = 0; i < 2000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        SAME("%llu %lld", (unsigned long long)x, (long long)x);
    }
}

static bool parse(const char *s, unsigned base, uint64_t *v)
{
    return fmt_parse_u64(s, strlen(s), base, v);
}

TEST(parses_numbers)
{
    uint64_t v = 99;
    CHECK(parse("0", 10, &v), v == 0);
    CHECK(parse("0123", 0, &v), v == 123);
    CHECK(parse("18446744073709551615", 10, &v), v == UINT64_MAX);
    CHECK(parse("ffffffffffffffff", 16, &v), v == UINT64_MAX);
    CHECK(parse("0xFf", 0, &v), v == 255);
    CHECK(parse("0X10", 0, &v), v == 16);
    CHECK(fmt_parse_u64("123", 2, 10, &v), v == 12);
}

TEST(refuses_what_is_no_number)
{
    static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "0x", "x", "1a", "0xg", "1.0",
                                       "18446744073709551616", "99999999999999999999", "0x10000000000000000" };
    uint64_t v = 99;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK(!parse(bad[i], 0, &v));
        CHECK_EQ(v, 99);
    }
    CHECK(!parse("0x1", 16, &v));
    CHECK(!parse("a", 10, &v));
    CHECK(!parse("1", 8, &v));
}

TEST_MAIN(T(integers), T(short_integers), T(width_and_precision), T(texts), T(pointers), T(small_buffers),
          T(mistakes_show), T(decimal_digits), T(parses_numbers), T(refuses_what_is_no_number))
