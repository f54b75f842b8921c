// SPDX-License-Identifier: MPL-2.0
// What base/test.h says of a condition that does not hold.
#include "base/test.h"

#include "base/base.h"

static const char *part(const char *conditions, unsigned left)
{
    static char text[100];
    int len;
    const char *found = test_part(conditions, left, &len);
    snprintf(text, sizeof text, "%.*s", len, found);
    return text;
}

TEST(the_condition_that_failed_is_named)
{
    CHECK_STR(part("a == b", 1), "a == b");
    CHECK_STR(part("a, b", 2), "a");
    CHECK_STR(part("a, b", 1), "b");
    CHECK_STR(part("f(a, b), g[c, d] == e, h", 3), "f(a, b)");
    CHECK_STR(part("f(a, b), g[c, d] == e, h", 2), "g[c, d] == e");
    CHECK_STR(part("equal(s, \"one, two\"), (struct x){ 1, 2 }.y", 2), "equal(s, \"one, two\")");
    CHECK_STR(part("equal(s, \"(\\\", \"), b", 2), "equal(s, \"(\\\", \")");
}

static unsigned looked_at;
static bool look(bool holds)
{
    looked_at++;
    return holds;
}

static void second_of_three(void)
{
    CHECK(look(true), look(false), look(true));
    looked_at = 100;
}

static void all_eight(void)
{
    CHECK(look(true), look(true), look(true), look(true), look(true), look(true), look(true), look(true));
    looked_at += 100;
}

TEST(conditions_behind_it_are_not_looked_at)
{
    looked_at = 0;
    all_eight();
    CHECK_EQ(looked_at, 108);
    CHECK_EQ(test_failures, 0);
    looked_at = 0;
    printf("# what the next line says is meant to be:\n");
    second_of_three();
    int failures = test_failures;
    test_failures = 0;
    CHECK_EQ(failures, 1);
    CHECK_EQ(looked_at, 2);
}

TEST_MAIN(T(the_condition_that_failed_is_named), T(conditions_behind_it_are_not_looked_at))
