// SPDX-License-Identifier: MPL-2.0
// The control sequences, written in one piece and byte by byte: what a screen is told must be the same.
#include "base/ansi.h"
#include "base/test.h"

static char told[512];
static bool apart; // what was told last was no text

static void tell(const char *format, unsigned a, unsigned b)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), format, a, b);
    apart = true;
}
static void text(void *ctx, const char *t, size_t len)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s%.*s", apart ? "'" : "", (int)len, t);
    apart = false;
}
static void move(void *ctx, unsigned row, unsigned column)
{
    tell("<%u,%u>", row, column);
}
static void clear(void *ctx)
{
    tell("<clear>", 0, 0);
}
static void attribute(void *ctx, uint8_t a)
{
    tell("<%02x>", a, 0);
}
static void cursor(void *ctx, bool visible)
{
    tell(visible ? "<on>" : "<off>", 0, 0);
}
static const struct ansi_screen screen = { NULL, text, move, clear, attribute, cursor };

static const char *play(const char *t)
{
    static char whole[sizeof told];
    struct ansi a = { 0 };
    told[0] = 0;
    apart = true;
    ansi_write(&a, &screen, t, strlen(t));
    memcpy(whole, told, sizeof whole);
    memset(&a, 0, sizeof a);
    told[0] = 0;
    apart = true;
    for (size_t i = 0; i < strlen(t); i++)
        ansi_write(&a, &screen, t + i, 1);
    return strcmp(whole, told) == 0 ? told : "differs byte by byte";
}

TEST(plain_text_goes_through)
{
    CHECK_STR(play("two words\r\n\tand a \x7f \xc3\xa4"), "'two words\r\n\tand a \x7f \xc3\xa4");
    CHECK_STR(play(""), "");
}

TEST(places)
{
    CHECK_STR(play("a\x1b[3;5Hb"), "'a<2,4>'b");
    CHECK_STR(play("\x1b[H\x1b[7H\x1b[;9H\x1b[0;0H"), "<0,0><6,0><0,8><0,0>");
    CHECK_STR(play("\x1b[99999999999;4294967297H"), "<9998,9998>");
    CHECK_STR(play("\x1b[2J\x1b[J\x1b[1J"), "<clear>");
    CHECK_STR(play("\x1b[?25l\x1b[?25h\x1b[?7h\x1b[25l"), "<off><on>");
}

TEST(colours)
{
    CHECK_STR(play("\x1b[0;37;44mx\x1b[0m"), "<17>'x<07>");
    CHECK_STR(play("\x1b[1;31;43m\x1b[m"), "<6c><07>");
    CHECK_STR(play("\x1b[41m\x1b[39;49m"), "<47><07>"); // plain to begin with
    CHECK_STR(play("\x1b[34;46m\x1b[1m\x1b[49m"), "<31><39><09>");
    CHECK_STR(play("\x1b[30;40;38;48;99m"), "<00>");
}

TEST(what_is_unknown_does_nothing)
{
    CHECK_STR(play("a\x1b[5nb\x1b[1;2;3;4;5;6;7;8;9;1Kc\x1b" "7d\x1b[>1;2cd\x1b[3"), "'abcdd");
    CHECK_STR(play("\x1b\x1b[2Jx\x1b[\x1b[2;2Hy\x1b[2\nJ"), "<clear>'x<1,1>'yJ"); // ESC begins anew, and other control characters end one
}

TEST_MAIN(T(plain_text_goes_through), T(places), T(colours), T(what_is_unknown_does_nothing))
