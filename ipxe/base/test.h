// SPDX-License-Identifier: MPL-2.0
// The unit-test harness (host only). A test file has `TEST(name) { ... CHECK(x); }` blocks and ends with
// TEST_MAIN(name, name, ...). Prints one "ok NAME" / "FAIL NAME: file:line: text" / "skip NAME: why" line a test, and
// "file: N passed, N failed" at the end; exit status 1 when any failed.
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures;
static const char *test_skipped; // why the test cannot run here

// In `conditions`, the text of CHECK's arguments: the one behind which there are `left - 1` more. Not ended by a zero.
__attribute__((unused)) static const char *test_part(const char *conditions, unsigned left, int *ret_len)
{
    const char *end = conditions + strlen(conditions), *start = end;
    int depth = 0;
    bool quoted = false;
    for (; start > conditions; start--) {
        char c = start[-1];
        quoted ^= c == '"' && (start - conditions < 2 || start[-2] != '\\');
        depth += quoted ? 0 : (c == ')' || c == '}' || c == ']') - (c == '(' || c == '{' || c == '[');
        if (c != ',' || depth || quoted)
            continue;
        if (--left == 0)
            break;
        end = start - 1;
    }
    start += strspn(start, " ");
    *ret_len = (int)(end - start);
    return start;
}

// Up to eight conditions, each of which must hold; the first that does not is named, and those behind it are not looked at.
#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        unsigned test_left = TEST_PICK(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1)(__VA_ARGS__);                              \
        if (test_left) {                                                                                               \
            int test_len;                                                                                              \
            const char *test_text = test_part(#__VA_ARGS__, test_left, &test_len);                                     \
            fprintf(stdout, "  %s:%d: %.*s\n", __FILE__, __LINE__, test_len, test_text);                               \
            test_failures++;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
// How many conditions are left where one does not hold, with that one; 0: all hold.
#define TEST_PICK(a, b, c, d, e, f, g, h, count, ...) TEST_LEFT_##count
#define TEST_LEFT_1(a) ((a) ? 0u : 1u)
#define TEST_LEFT_2(a, ...) ((a) ? TEST_LEFT_1(__VA_ARGS__) : 2u)
#define TEST_LEFT_3(a, ...) ((a) ? TEST_LEFT_2(__VA_ARGS__) : 3u)
#define TEST_LEFT_4(a, ...) ((a) ? TEST_LEFT_3(__VA_ARGS__) : 4u)
#define TEST_LEFT_5(a, ...) ((a) ? TEST_LEFT_4(__VA_ARGS__) : 5u)
#define TEST_LEFT_6(a, ...) ((a) ? TEST_LEFT_5(__VA_ARGS__) : 6u)
#define TEST_LEFT_7(a, ...) ((a) ? TEST_LEFT_6(__VA_ARGS__) : 7u)
#define TEST_LEFT_8(a, ...) ((a) ? TEST_LEFT_7(__VA_ARGS__) : 8u)
#define CHECK_EQ(a, b)                                                                                                 \
    do {                                                                                                               \
        long long test_a = (long long)(a), test_b = (long long)(b);                                                    \
        if (test_a != test_b) {                                                                                        \
            fprintf(stdout, "  %s:%d: %s is %lld, expected %s = %lld\n", __FILE__, __LINE__, #a, test_a, #b, test_b);  \
            test_failures++;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
#define CHECK_STR(a, b)                                                                                                \
    do {                                                                                                               \
        const char *test_a = (a), *test_b = (b);                                                                       \
        if (strcmp(test_a, test_b) != 0) {                                                                             \
            fprintf(stdout, "  %s:%d: \"%s\", expected \"%s\"\n", __FILE__, __LINE__, test_a, test_b);                 \
            test_failures++;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
#define SKIP(reason)                                                                                                   \
    do {                                                                                                               \
        test_skipped = (reason);                                                                                       \
        return;                                                                                                        \
    } while (0)
#define TEST(name) static void name(void)

struct test_case {
    const char *name;
    void (*run)(void);
};

__attribute__((unused)) static int test_main(const char *file, const struct test_case *cases, size_t count, const char *only)
{
    unsigned passed = 0, failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (only && strcmp(only, cases[i].name) != 0)
            continue;
        test_failures = 0;
        test_skipped = NULL;
        cases[i].run();
        if (test_skipped) {
            printf("skip %s: %s\n", cases[i].name, test_skipped);
            continue;
        }
        printf("%s %s\n", test_failures ? "FAIL" : "ok", cases[i].name);
        if (test_failures)
            failed++;
        else
            passed++;
    }
    printf("%s: %u passed, %u failed\n", file, passed, failed);
    fflush(stdout); // the leak checker may end the process first, and a failed test leaks
    return failed ? 1 : 0;
}
// Lists the cases; every TEST must be listed or the compiler says "unused function".
#define T(name)                                                                                                        \
    {                                                                                                                  \
#name, name                                                                                                    \
    }
#define TEST_MAIN(...)                                                                                                 \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        static const struct test_case cases[] = { __VA_ARGS__ };                                                       \
        return test_main(__FILE__, cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : NULL);                  \
    }
