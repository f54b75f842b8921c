// SPDX-License-Identifier: MPL-2.0
// A menu on a terminal: what shows after each key, and what comes of the time.
#include "script/menu_view.h"
#include "script/testscreen.h"

#define SECOND 1000000u
#define BAR 0x4f   // bright white on red
#define TITLE 0x1f // bright white on blue
#define PLAIN 0x17
#define GAP 0x13

static struct menus m;
static struct menu_view v;
static struct screen screen;
static uint64_t now, wake;

static void add(const char *label, const char *text, const char *more)
{
    struct menu_line line = { .label = label, .text = text, .key = -1, .gap = *more == 'g', .preset = *more == 'd' };
    if (*more == 'k')
        line.key = more[1];
    if (menus_add(&m, "", &line) != 0)
        abort();
}

static void site(void)
{
    m.used = 0;
    (void)menus_begin(&m, "", "Site menu");
    add("", "Systems", "g");
    add("linux", "Linux from the server", "kl");
    add("rescue", "Rescue system", "kr");
    add("", "", "g");
    add("more", "More...", "");
    add("alone", "", "");
    add("q", "\x1b[2J quit \xe4", "kq");
}

static int start(const char *preset, uint32_t timeout_ms, uint32_t again_ms)
{
    screen = term_on();
    now = 5 * SECOND;
    return menu_view_start(&v, &m, "", &screen, preset, timeout_ms, again_ms, now);
}

static int press(const char *keys)
{
    int result = PENDING;
    wake = UINT64_MAX;
    for (; *keys && result == PENDING; keys++)
        result = menu_view_step(&v, (uint8_t)*keys, now, &wake);
    return result;
}

static int pass(uint64_t us)
{
    wake = UINT64_MAX;
    now += us;
    return menu_view_step(&v, -1, now, &wake);
}

TEST(how_it_looks)
{
    site();
    CHECK_EQ(start(NULL, 0, 0), 0);
    CHECK_STR(term_row(1), "Site menu");
    CHECK_EQ(term.attributes[1][40], TITLE);
    CHECK_EQ(term.attributes[24][79], PLAIN);
    CHECK_STR(term_row(3), "Systems");
    CHECK_STR(term_row(4), "Linux from the server");
    CHECK_STR(term_row(6), "");
    CHECK_STR(term_row(8), "alone"); // a line without a text shows its label
    CHECK_STR(term_row(9), "?[2J quit ?");
    CHECK(term.attributes[3][5] == GAP, term.attributes[4][5] == BAR, term.attributes[4][78] == BAR, term.attributes[5][5] == PLAIN);
    CHECK(!term.wrong, !term.visible);
    CHECK_STR(menu_view_label(&v), "linux");
    size_t drawn = term.written;
    CHECK_EQ(pass(3600 * (uint64_t)SECOND), PENDING);
    CHECK(wake == UINT64_MAX, term.written == drawn);
}

TEST(keys)
{
    site();
    CHECK_EQ(start(NULL, 0, 0), 0);
    CHECK_EQ(press("\x1b[A"), PENDING); // nothing is above
    CHECK_EQ(term_row_in(BAR), 4);
    CHECK_EQ(press("\x1b[B\x1b[B"), PENDING); // over the gap
    CHECK_EQ(term_row_in(BAR), 7);
    CHECK_EQ(term.attributes[4][5], PLAIN);
    CHECK_EQ(press("\x10"), PENDING);
    CHECK_EQ(term_row_in(BAR), 5);
    CHECK_EQ(press("\x1b[F\x1b[B"), PENDING);
    CHECK_EQ(term_row_in(BAR), 9);
    CHECK_EQ(press("\x1b[1~"), PENDING);
    CHECK_EQ(term_row_in(BAR), 4);
    CHECK_EQ(press("\x1b[6~"), PENDING);
    CHECK_EQ(term_row_in(BAR), 9);
    CHECK_EQ(press("\x1b[5~"), PENDING);
    CHECK_EQ(term_row_in(BAR), 4);
    CHECK_EQ(press("M"), PENDING); // a letter goes there
    CHECK_EQ(term_row_in(BAR), 7);
    CHECK_EQ(press("sz5;\x1b[19~"), PENDING); // a gap's, and others' that no line begins with
    CHECK_EQ(term_row_in(BAR), 7);
    CHECK_EQ(press("\r"), 0);
    CHECK_STR(menu_view_label(&v), "more");
    CHECK(start(NULL, 0, 0) == 0, press("r") == 0); // a key of its own
    CHECK_STR(menu_view_label(&v), "rescue");
    CHECK(start(NULL, 0, 0) == 0, press("\3") == ERR_CANCELLED);
    CHECK(start(NULL, 0, 0) == 0, press("\x1b") == PENDING, wake == now + KEYS_ESCAPE_US, pass(KEYS_ESCAPE_US) == ERR_CANCELLED);
}

TEST(which_line_is_marked_first)
{
    site();
    CHECK(start("more", 0, 0) == 0);
    CHECK_STR(menu_view_label(&v), "more");
    CHECK(start("nowhere", 0, 0) == 0);
    CHECK_STR(menu_view_label(&v), "linux");
    CHECK(start("", 0, 0) == 0); // a gap's label
    CHECK_STR(menu_view_label(&v), "linux");
    add("d1", "", "d");
    add("d2", "", "d");
    CHECK(start(NULL, 0, 0) == 0);
    CHECK_STR(menu_view_label(&v), "d2");
    CHECK(start("rescue", 0, 0) == 0);
    CHECK_STR(menu_view_label(&v), "rescue");
    m.used = 0;
    CHECK_EQ(start(NULL, 0, 0), ERR_NOT_FOUND);
    CHECK_EQ(menu_view_rows(&m, ""), 0);
    (void)menus_begin(&m, "", "");
    CHECK_EQ(start(NULL, 0, 0), ERR_NOT_FOUND);
    add("", "only", "g");
    CHECK_EQ(start(NULL, 0, 0), ERR_NOT_FOUND);
}

TEST(the_time_chooses)
{
    site();
    CHECK_EQ(start("rescue", 2500, 0), 0);
    CHECK(strstr(term_row(5), "  (3)"));
    CHECK_EQ(pass(0), PENDING);
    CHECK_EQ(wake, now + SECOND / 2);
    CHECK_EQ(pass(SECOND / 2), PENDING);
    CHECK(strstr(term_row(5), "  (2)"));
    CHECK_EQ(wake, now + SECOND);
    CHECK_EQ(pass(2 * SECOND - 1), PENDING);
    CHECK(strstr(term_row(5), "  (1)"));
    CHECK_EQ(pass(1), 0);
    CHECK_STR(menu_view_label(&v), "rescue");
    // Any key ends that.
    CHECK_EQ(start("rescue", 2500, 0), 0);
    CHECK_EQ(press(";"), PENDING);
    CHECK_STR(term_row(5), "Rescue system");
    CHECK_EQ(pass(100 * SECOND), PENDING);
    // Unless it shall go on.
    CHECK_EQ(start("rescue", 1000, 4000), 0);
    CHECK_EQ(press("\x1b[A"), PENDING);
    CHECK(strstr(term_row(4), "  (4)"));
    CHECK_EQ(pass(4 * SECOND - 1), PENDING);
    CHECK_EQ(pass(1), 0);
    CHECK_STR(menu_view_label(&v), "linux");
}

static void many(unsigned count)
{
    char label[16];
    m.used = 0;
    (void)menus_begin(&m, "", "Many");
    add("", "head", "g");
    for (unsigned i = 1; i <= count; i++) {
        snprintf(label, sizeof label, "item%u", i);
        add(label, "", "");
    }
    add("", "end", "g");
}

TEST(more_lines_than_rows)
{
    many(60);
    CHECK_EQ(start(NULL, 0, 0), 0);
    CHECK_STR(term_row(2), "");
    CHECK_STR(term_row(3), "head");
    CHECK_STR(term_row(22), "item19");
    CHECK_STR(term_row(23), "...");
    CHECK_STR(term_row(24), "");
    for (unsigned i = 1; i < 19; i++)
        CHECK_EQ(press("\x1b[B"), PENDING);
    CHECK_EQ(term_row_in(BAR), 22);
    CHECK_STR(term_row(3), "head");
    CHECK_EQ(press("\x1b[B"), PENDING);
    CHECK_STR(term_row(2), "...");
    CHECK_STR(term_row(3), "item1");
    CHECK_STR(term_row(22), "item20");
    CHECK_EQ(press("\x1b[6~"), PENDING);
    CHECK_STR(menu_view_label(&v), "item40");
    CHECK_EQ(press("\x1b[F"), PENDING);
    CHECK_STR(term_row(22), "end"); // what is behind the last one shows
    CHECK_STR(term_row(23), "");
    CHECK_EQ(term_row_in(BAR), 21);
    CHECK_EQ(press("\x1b[H"), PENDING);
    CHECK_STR(term_row(3), "head");
    CHECK_EQ(start("item50", 9000, 0), 0);
    CHECK(strstr(term_row(22), "item50"), strstr(term_row(22), "(9)"), !term.wrong);
    CHECK_EQ(menu_view_rows(&m, ""), 62 + 5);
    term_row(22);
    for (unsigned i = 0; i < 60; i++) {
        CHECK(press(i % 2 ? "\x1b[5~" : "\x1b[6~\x1b[B") == PENDING, !term.wrong);
        CHECK(term_row_in(BAR) >= 3, term_row_in(BAR) <= 22);
    }
}

// Gaps that fill a screen of their own can be looked at, and the marked line never leaves it.
TEST(many_gaps)
{
    m.used = 0;
    (void)menus_begin(&m, "", "");
    for (unsigned i = 0; i < 30; i++)
        add("", "gap", "g");
    add("one", "", "");
    for (unsigned i = 0; i < 30; i++)
        add("", "gap", "g");
    add("two", "", "");
    CHECK_EQ(start(NULL, 0, 0), 0);
    CHECK_EQ(term_row_in(BAR), 22);
    CHECK_EQ(press("\x1b[6~"), PENDING);
    CHECK(term_row_in(BAR) >= 3);
    CHECK_STR(menu_view_label(&v), "two");
    CHECK_EQ(press("o"), PENDING);
    CHECK(term_row_in(BAR) >= 3);
    CHECK_STR(menu_view_label(&v), "one");
}

TEST(long_texts_are_cut)
{
    static char text[400];
    memset(text, 'w', sizeof text - 1);
    m.used = 0;
    (void)menus_begin(&m, "", text);
    add("a", text, "");
    CHECK_EQ(start(NULL, 12345000, 0), 0);
    CHECK(!term.wrong, strlen(term_row(1)) == 74);
    CHECK(strstr(term_row(3), "ww(12345)"));
    screen = term_on();
    screen.columns = 500;
    CHECK_EQ(menu_view_start(&v, &m, "", &screen, NULL, 99000, 0, 0), 0); // written, and no further than SCREEN_COLUMNS_MAX
}

TEST(the_end_leaves_a_plain_screen)
{
    site();
    CHECK_EQ(start(NULL, 0, 0), 0);
    screen_close(&screen);
    CHECK(term.visible, term.attribute == ANSI_PLAIN, term.row == 0, term.column == 0);
    for (unsigned row = 0; row < TERM_ROWS; row++)
        CHECK(!*term_row(row), term.attributes[row][0] == ANSI_PLAIN);
}

TEST(colours_by_number)
{
    CHECK(screen_basic(0) == 0, screen_basic(0xff0000) == 1, screen_basic(0x00ff00) == 2, screen_basic(0x0080ff) == 6, screen_basic(0x7f7f7f) == 0);
    site();
    CHECK_EQ(start(NULL, 0, 0), 0);
    term_colours.pairs[PAIR_NORMAL].background = 0;
    term_colours.pairs[PAIR_SELECT].foreground = 12;
    term_colours.basic[12] = 3;
    menu_view_draw(&v);
    CHECK(term.attributes[4][5] == 0x4e, term.attributes[5][5] == 0x07);
}

TEST_MAIN(T(how_it_looks), T(keys), T(which_line_is_marked_first), T(the_time_chooses), T(more_lines_than_rows), T(many_gaps),
          T(long_texts_are_cut), T(the_end_leaves_a_plain_screen), T(colours_by_number))
