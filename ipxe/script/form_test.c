// SPDX-License-Identifier: MPL-2.0
// A form on a terminal.
#include "script/form.h"
#include "base/err.h"
#include "script/testscreen.h"

static struct form f;
static struct screen screen;

static int press(const char *keys)
{
    int result = PENDING;
    uint64_t wake = UINT64_MAX;
    for (; *keys && result == PENDING; keys++)
        result = form_step(&f, (uint8_t)*keys, 0, &wake);
    return result;
}

static int login(void)
{
    screen = term_on();
    form_init(&f, "Login");
    (void)form_add(&f, "", "Who are you?", false, true, "");
    (void)form_add(&f, "username", "User name", false, false, "me");
    (void)form_add(&f, "password", "", true, false, "");
    return form_start(&f, &screen);
}

TEST(a_login)
{
    CHECK_EQ(login(), 0);
    CHECK_STR(term_row(1), "Login");
    CHECK_STR(term_row(4), "Who are you?");
    CHECK(strstr(term_row(5), "User name"), strstr(term_row(5), "me____"), strstr(term_row(6), "password"));
    CHECK(term.visible, term.row == 5, term.column == 31, term.attributes[5][31] == 0x30);
    CHECK_EQ(press("\x1b[Hx\x1b[F1\x7f"), PENDING);
    CHECK(strstr(term_row(5), " xme__"));
    CHECK_EQ(press("\rsecret"), PENDING);
    CHECK(strstr(term_row(6), " ******__"), !strstr(term_row(6), "secret"), term.row == 6, term.column == 35);
    CHECK_EQ(press("\r"), 0);
    CHECK_STR(f.fields[1].value, "xme");
    CHECK_STR(f.fields[2].value, "secret");
    CHECK(!term.wrong);
}

TEST(ways_through_it)
{
    CHECK(login() == 0, press("\x1b[A1\t2\t3\x1b[A4\x1b[B5") == PENDING); // no field above, none below
    CHECK_EQ(press("\x18"), 0);
    CHECK_STR(f.fields[1].value, "me14");
    CHECK_STR(f.fields[2].value, "235");
    CHECK(login() == 0, press("\3") == ERR_CANCELLED);
    CHECK(login() == 0, press("abc\x1b\x1b") == ERR_CANCELLED);
    uint64_t wake = UINT64_MAX;
    CHECK(login() == 0, press("\x1b") == PENDING, form_step(&f, -1, 0, &wake) == PENDING, wake == KEYS_ESCAPE_US);
    CHECK_EQ(form_step(&f, -1, KEYS_ESCAPE_US, &wake), ERR_CANCELLED);
    CHECK(login() == 0, press("\x04\x15\x04\x0b\x17\x1b[3~\x1b[D\x1b[C\x1b[5~\x1b[19~\xff\x1") == PENDING); // all that an empty line can be told
    CHECK(press("\x18") == 0, f.fields[1].value[0] == 0);
}

TEST(long_values)
{
    static char text[400];
    memset(text, 'v', sizeof text - 1);
    screen = term_on();
    form_init(&f, text);
    for (unsigned i = 0; i < FORM_FIELDS_MAX; i++)
        CHECK_EQ(form_add(&f, text, "", false, false, text), 0);
    CHECK_EQ(form_add(&f, "x", "", false, false, ""), ERR_TOO_LARGE);
    CHECK(form_start(&f, &screen) == 0, !term.wrong);
    CHECK_EQ(term.column, 29 + 45);
    CHECK_EQ(press("\x1b[HA"), PENDING); // it is full
    CHECK_EQ(press("\x1b[F\x7f" "E\x1b[H\x1b[3~B"), PENDING);
    CHECK(strstr(term_row(4), "Bvvv"), term.column == 30, !term.wrong);
    CHECK_EQ(press("\x1b[F"), PENDING);
    CHECK(strstr(term_row(4), "vE_"), term.column == 29 + 45); // the cursor has room behind it
    CHECK_EQ(strlen(f.edit.line), LINEEDIT_MAX - 1);
}

TEST(nothing_to_fill_in)
{
    screen = term_on();
    form_init(&f, "");
    CHECK_EQ(form_start(&f, &screen), ERR_NOT_FOUND);
    CHECK_EQ(form_add(&f, "", "a gap", false, true, ""), 0);
    CHECK_EQ(form_start(&f, &screen), ERR_NOT_FOUND);
}

TEST_MAIN(T(a_login), T(ways_through_it), T(long_values), T(nothing_to_fill_in))
