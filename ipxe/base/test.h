// SPDX-License-Identifier: MPL-2.0
// The unit-test harness (host only). A test file has `TEST(name) { ... CHECK(x); }` blocks and ends with
// TEST_MAIN(name, name, ...). Prints one "ok NAME" / "FAIL NAME: file:line: text" / "skip NAME: why" line a test, and
// "file: N passed, N failed" at the end; exit status 1 when any failed.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures;
static const char *test_skipped; // why the test cannot run here

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stdout, "  %s:%d: %s\n", __FILE__, __LINE__, #cond);                                               \
            test_failures++;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
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
