// SPDX-License-Identifier: MPL-2.0
#include "base/text.h"

#include "base/test.h"

TEST(every_capacity_up_to_the_text)
{
    static const char whole[] = "a%2Fbc0f-end";
    for (size_t cap = 0; cap <= sizeof whole; cap++) {
        char buf[sizeof whole + 1];
        memset(buf, '#', sizeof buf);
        struct text t = { .buf = buf, .cap = cap };
        text_char(&t, 'a');
        text_percent(&t, '/');
        text_bytes(&t, "bcd", 2);
        text_hex(&t, 0x0f);
        text_string(&t, "-end");
        int len = text_finish(&t);
        if (cap < sizeof whole) {
            CHECK_EQ(len, ERR_TOO_LARGE);
        } else {
            CHECK_EQ(len, (int)sizeof whole - 1);
            CHECK(strcmp(buf, whole) == 0);
        }
        CHECK_EQ(buf[cap], '#');
    }
}

TEST(a_dropped_byte_is_remembered)
{
    char buf[3];
    struct text t = { .buf = buf, .cap = sizeof buf };
    text_string(&t, "abc");
    CHECK_EQ(text_finish(&t), ERR_TOO_LARGE);
}

TEST_MAIN(T(every_capacity_up_to_the_text), T(a_dropped_byte_is_remembered))
