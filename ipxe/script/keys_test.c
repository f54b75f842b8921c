// SPDX-License-Identifier: MPL-2.0
// Keys as terminals send them.
#include "base/test.h"
#include "script/keys.h"

static struct keys keys;

// The keys of these bytes, which come at once: their number; the last one is *ret.
static unsigned pressed(const char *bytes, int *ret)
{
    unsigned count = 0;
    memset(&keys, 0, sizeof keys);
    for (; *bytes; bytes++) {
        int key = keys_take(&keys, (uint8_t)*bytes, 1000);
        if (key != KEY_NONE) {
            *ret = key;
            count++;
        }
    }
    return count;
}

TEST(each_key_once)
{
    static const struct {
        const char *bytes;
        int key;
    } cases[] = { { "a", 'a' }, { "\r", '\r' }, { "\3", 3 }, { "\x7f", 0x7f }, { "\xff", 0xff }, { "\x1b[A", KEY_UP }, { "\x1b[B", KEY_DOWN },
                  { "\x1b[C", KEY_RIGHT }, { "\x1b[D", KEY_LEFT }, { "\x1bOA", KEY_UP }, { "\x1bOF", KEY_END }, { "\x1b[H", KEY_HOME },
                  { "\x1b[F", KEY_END }, { "\x1b[1~", KEY_HOME }, { "\x1b[7~", KEY_HOME }, { "\x1b[4~", KEY_END }, { "\x1b[8~", KEY_END },
                  { "\x1b[3~", KEY_DELETE }, { "\x1b[5~", KEY_PAGE_UP }, { "\x1b[6~", KEY_PAGE_DOWN }, { "\x1b[19~", KEY_OTHER },
                  { "\x1b[1;5A", KEY_UP }, { "\x1b[5;2~", KEY_PAGE_UP }, { "\x1b[99999999999~", KEY_OTHER }, { "\x1b[?1c", KEY_OTHER },
                  { "\x1bx", KEY_OTHER }, { "\x1b\x1b[A", KEY_UP } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int key = KEY_NONE;
        unsigned count = pressed(cases[i].bytes, &key);
        CHECK_EQ(count, strncmp(cases[i].bytes, "\x1b\x1b", 2) ? 1 : 2);
        CHECK_EQ(key, cases[i].key);
        CHECK_EQ(keys_deadline(&keys), UINT64_MAX);
    }
}

TEST(escape_is_known_by_the_time)
{
    int key = 0;
    CHECK_EQ(pressed("\x1b", &key), 0);
    CHECK_EQ(keys_deadline(&keys), 1000 + KEYS_ESCAPE_US);
    CHECK_EQ(keys_take(&keys, -1, 1000 + KEYS_ESCAPE_US - 1), KEY_NONE);
    CHECK_EQ(keys_take(&keys, -1, 1000 + KEYS_ESCAPE_US), KEY_ESCAPE);
    CHECK_EQ(keys_take(&keys, -1, UINT64_MAX), KEY_NONE);
    CHECK_EQ(pressed("\x1b[", &key), 0); // the rest of a sequence never came
    CHECK_EQ(keys_take(&keys, -1, UINT64_MAX), KEY_OTHER);
    CHECK_EQ(keys_take(&keys, 'A', 5000), 'A');
}

TEST_MAIN(T(each_key_once), T(escape_is_known_by_the_time))
