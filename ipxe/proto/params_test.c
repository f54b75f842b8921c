// SPDX-License-Identifier: MPL-2.0
#include "proto/params.h"

#include "base/test.h"

static struct params p;
static char text[PARAMS_FORM_MAX];

static const char *form(const char *list)
{
    return params_form(&p, list, text, sizeof text) < 0 ? "too large" : text;
}

static const char *headers(const char *list)
{
    return params_headers(&p, list, text, sizeof text) < 0 ? "too large" : text;
}

TEST(lists_by_name)
{
    p.used = 0;
    CHECK_EQ(params_add(&p, "", false, "a", "b"), ERR_NOT_FOUND);
    CHECK_STR(form(""), "");
    CHECK_EQ(params_create(&p, ""), 0);
    CHECK_EQ(params_create(&p, "two"), 0);
    CHECK_EQ(params_add(&p, "", false, "a", "b"), 0);
    CHECK_EQ(params_add(&p, "two", false, "x", "y"), 0);
    CHECK_EQ(params_add(&p, "", true, "Referer", "http://here/"), 0);
    CHECK_EQ(params_add(&p, "", false, "empty", ""), 0);
    CHECK_EQ(params_add(&p, "tw", false, "x", "y"), ERR_NOT_FOUND);
    CHECK_STR(form(""), "a=b&empty=");
    CHECK_STR(headers(""), "Referer: http://here/\r\n");
    CHECK_STR(form("two"), "x=y");
    CHECK_STR(headers("two"), "");
    CHECK(params_delete(&p, ""), !params_delete(&p, ""), !params_has(&p, ""), params_has(&p, "two"));
    CHECK_STR(form(""), "");
    CHECK_STR(form("two"), "x=y");
    CHECK_EQ(params_create(&p, "two"), 0); // anew
    CHECK_STR(form("two"), "");
    CHECK(params_delete(&p, "two"));
    CHECK_EQ(p.used, 0);
}

// What iPXE 2.0.0 does (the byte above 0x7f is ours: there it comes as eight digits).
TEST(coding)
{
    p.used = 0;
    CHECK_EQ(params_create(&p, ""), 0);
    CHECK_EQ(params_add(&p, "", false, "mac", "52:54:00"), 0);
    CHECK_EQ(params_add(&p, "", false, "k&y", "a b&c=d/e"), 0);
    CHECK_EQ(params_add(&p, "", false, "q", "+~\"%\xc3\xbc\t#?"), 0);
    CHECK_STR(form(""), "mac=52%3A54%3A00&k%26y=a%20b%26c%3Dd%2Fe&q=+~\"%25%C3%BC%09%23%3F");
    for (size_t cap = 1; cap <= 64; cap++)
        CHECK_EQ(params_form(&p, "", text, cap), ERR_TOO_LARGE);
}

// A line break in a value would be another header, or another request.
TEST(headers_of_one_line)
{
    static const char *const wrong[][2] = { { "", "v" }, { "a b", "v" }, { "a:", "v" }, { "\xc3\xbc", "v" }, { "a", "v\r\nHost: x" },
                                            { "a", "v\n" }, { "a\r", "v" }, { "a", "\x7f" }, { "a", "\x01" } };
    p.used = 0;
    CHECK_EQ(params_create(&p, ""), 0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK_EQ(params_add(&p, "", true, wrong[i][0], wrong[i][1]), ERR_INVALID);
    CHECK_EQ(params_add(&p, "", true, "X-Name", "\tM\xc3\xbcller, 7"), 0);
    CHECK_EQ(params_add(&p, "", true, "X-Empty", ""), 0);
    CHECK_STR(headers(""), "X-Name: \tM\xc3\xbcller, 7\r\nX-Empty: \r\n");
}

TEST(room_has_an_end)
{
    static char value[PARAMS_TEXT_MAX];
    p.used = 0;
    memset(value, '&', sizeof value - 1);
    CHECK_EQ(params_create(&p, "l"), 0);
    CHECK_EQ(params_add(&p, "l", false, "k", value), ERR_NO_MEMORY);
    size_t room = PARAMS_TEXT_MAX - p.used - 6;
    value[room] = 0;
    CHECK_EQ(params_add(&p, "l", false, "k", value), ERR_NO_MEMORY);
    value[room - 1] = 0;
    CHECK_EQ(params_add(&p, "l", false, "k", value), 0);
    CHECK_EQ(p.used, PARAMS_TEXT_MAX);
    CHECK_EQ(params_create(&p, "m"), ERR_NO_MEMORY);
    CHECK_EQ(params_form(&p, "l", text, sizeof text), ERR_TOO_LARGE); // three bytes for each
    CHECK(params_delete(&p, "l"));
    CHECK_EQ(params_create(&p, "m"), 0);
}

TEST_MAIN(T(lists_by_name), T(coding), T(headers_of_one_line), T(room_has_an_end))
