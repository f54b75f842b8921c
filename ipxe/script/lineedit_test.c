// SPDX-License-Identifier: MPL-2.0
// The line editor, seen from the terminal: what it echoes is played onto a row of characters, which must show the
// line with the cursor in its place after every key.
#include "base/test.h"
#include "script/lineedit.h"

static struct lineedit e;
static char row[2 * LINEEDIT_MAX];
static size_t column, widest;
static enum lineedit_event last;

static void start(const char *text)
{
    memset(row, ' ', sizeof row);
    column = widest = 0;
    lineedit_start(&e, text);
    memcpy(row, e.line, e.len); // the caller shows a line that it gives to edit
    column = e.len;
}

// Plays the echo; false when it leaves the row.
static bool play(const char *echo, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (echo[i] == '\b') {
            if (column-- == 0)
                return false;
        } else if (echo[i] != '\n') {
            if (column >= sizeof row)
                return false;
            row[column++] = echo[i];
        }
        widest = MAX(widest, column);
    }
    return true;
}

static bool shows_line(void)
{
    if (column != e.cursor || memcmp(row, e.line, e.len) != 0)
        return false;
    for (size_t i = e.len; i < sizeof row; i++)
        if (row[i] != ' ')
            return false;
    return true;
}

static bool key(int k)
{
    static char echo[LINEEDIT_ECHO_MAX];
    size_t len = 0;
    last = lineedit_key(&e, k, echo, &len);
    return play(echo, len) && (last != LINEEDIT_MORE || shows_line());
}

static bool keys(const char *text)
{
    for (; *text; text++)
        if (!key((unsigned char)*text))
            return false;
    return true;
}

TEST(typing)
{
    lineedit_init(&e);
    start(NULL);
    CHECK(keys("dhcp net0"));
    CHECK_STR(e.line, "dhcp net0");
    CHECK(keys("\b\x7f\b\b\b"));
    CHECK_STR(e.line, "dhcp");
    CHECK(keys("\b\b\b\b\b\b")); // one too many
    CHECK_STR(e.line, "");
    CHECK(keys("show\r"));
    CHECK_EQ(last, LINEEDIT_DONE);
    CHECK_STR(e.line, "show");
    start("given");
    CHECK(keys("!"));
    CHECK_STR(e.line, "given!");
}

TEST(editing_in_the_middle)
{
    lineedit_init(&e);
    start(NULL);
    CHECK(keys("abcdef\x1b[D\x1b[D\x1b[DX")); // left, left, left
    CHECK_STR(e.line, "abcXdef");
    CHECK(keys("\x1b[C\b"));
    CHECK_STR(e.line, "abcXef");
    CHECK(keys("\x01Y\x05Z")); // home, end
    CHECK_STR(e.line, "YabcXefZ");
    CHECK(keys("\x1b[H\x1b[3~")); // home, delete
    CHECK_STR(e.line, "abcXefZ");
    CHECK(keys("\x1b[1~\x04\x1b[F\x1b[D\x0b")); // delete by ctrl-D, cut to the end
    CHECK_STR(e.line, "bcXef");
    CHECK(keys(" two  words \x17")); // ctrl-W
    CHECK_STR(e.line, "bcXef two  ");
    CHECK(keys("\x17\x1b[D\x1b[D\x15")); // ctrl-U keeps what is behind the cursor
    CHECK_STR(e.line, "f ");
    CHECK(keys("\x1b[C\x1b[C\x1b[C\x1b[D\x1b[D\x1b[D")); // no further than the ends
}

TEST(cancel_and_end)
{
    lineedit_init(&e);
    start(NULL);
    CHECK(keys("abc\x03"));
    CHECK_EQ(last, LINEEDIT_CANCEL);
    CHECK_EQ(e.len, 0);
    start(NULL);
    CHECK(keys("\x04"));
    CHECK_EQ(last, LINEEDIT_END);
    start(NULL);
    CHECK(keys("x\n"));
    CHECK_EQ(last, LINEEDIT_DONE);
}

TEST(history)
{
    lineedit_init(&e);
    for (int i = 0; i < 11; i++) {
        char text[8] = { (char)('a' + i), '\r', 0 };
        start(NULL);
        CHECK(keys(text));
    }
    start(NULL);
    CHECK(keys("k\r")); // equal to the last: not kept twice
    start(NULL);
    CHECK(keys("\r")); // empty: not kept
    start(NULL);
    CHECK(keys("typed\x1b[A"));
    CHECK_STR(e.line, "k");
    CHECK(keys("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A")); // more than there are
    CHECK_STR(e.line, "d");
    CHECK(keys("\x10\x0e"));
    CHECK_STR(e.line, "e");
    for (int i = 0; i < 10; i++)
        CHECK(keys("\x1b[B"));
    CHECK_STR(e.line, "typed");
    CHECK(keys("\x10more\r"));
    CHECK_STR(e.line, "kmore");
    start(NULL);
    CHECK(keys("\x10"));
    CHECK_STR(e.line, "kmore");
}

TEST(strange_keys)
{
    lineedit_init(&e);
    start(NULL);
    CHECK(keys("a\x1b[99;5Zb\x1bxc\x1bOH\x1b[5~\x80\xff\x1f\tz"));
    CHECK_STR(e.line, "zabc"); // ESC x eats x, ESC O H is home
    CHECK(key(-1), key(0));
    // The longest line, and no further.
    start(NULL);
    for (int i = 0; i < LINEEDIT_MAX + 10; i++)
        CHECK(key('x'));
    CHECK_EQ(e.len, LINEEDIT_MAX - 1);
    CHECK(keys("\x01\x1b[3~y\x15"));
    start(NULL);
    static char longer[2 * LINEEDIT_MAX];
    memset(longer, 'y', sizeof longer - 1);
    start(longer);
    CHECK_EQ(e.len, LINEEDIT_MAX - 1);
}

TEST(random_keys)
{
    static const char pool[] = "abc d\b\x7f\x01\x05\x02\x06\x0b\x15\x17\x10\x0e\x04\x1b[ACBDHF~13\r\x03";
    uint32_t state = 1;
    lineedit_init(&e);
    start(NULL);
    for (int i = 0; i < 200000; i++) {
        state = state * 1664525u + 1013904223u;
        CHECK(key((unsigned char)pool[(state >> 16) % (sizeof pool - 1)]));
        CHECK(e.len < LINEEDIT_MAX, e.cursor <= e.len, e.line[e.len] == 0);
        if (last != LINEEDIT_MORE)
            start(NULL);
    }
}

TEST_MAIN(T(typing), T(editing_in_the_middle), T(cancel_and_end), T(history), T(strange_keys), T(random_keys))
