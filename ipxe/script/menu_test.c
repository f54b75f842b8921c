// SPDX-License-Identifier: MPL-2.0
// The menus of scripts in their arena: names, order, limits.
#include "base/test.h"
#include "script/menu.h"

static struct menus m;

static int add(const char *menu, const char *label, const char *text)
{
    return menus_add(&m, menu, &(struct menu_line){ .label = label, .text = text, .key = -1 });
}

static const char *label(const char *menu, unsigned i)
{
    struct menu_line line;
    return menus_line(&m, menu, i, &line) ? line.label : "(none)";
}

TEST(menus_lie_beside_each_other)
{
    m.used = 0;
    CHECK(!menus_title(&m, ""), add("", "a", "A") == ERR_NOT_FOUND, menus_delete(&m, "") == ERR_NOT_FOUND);
    CHECK_EQ(menus_begin(&m, "", "The first"), 0);
    CHECK_EQ(menus_begin(&m, "b", "The second"), 0);
    CHECK(add("", "a1", "one") == 0, add("b", "b1", "") == 0, add("", "a2", "two") == 0, add("b", "b2", "x") == 0);
    CHECK_STR(menus_title(&m, ""), "The first");
    CHECK_STR(label("", 0), "a1");
    CHECK_STR(label("", 1), "a2");
    CHECK_STR(label("", 2), "(none)");
    CHECK_STR(label("b", 1), "b2");
    CHECK_EQ(menus_delete(&m, ""), 0);
    CHECK(!menus_title(&m, ""));
    CHECK_STR(label("b", 0), "b1");
    CHECK_EQ(menus_begin(&m, "c", ""), 0); // it does not get the lines of any other
    CHECK_STR(label("c", 0), "(none)");
    CHECK_EQ(menus_begin(&m, "b", "again"), 0);
    CHECK_STR(label("b", 0), "(none)");
    CHECK_STR(menus_title(&m, "b"), "again");
}

TEST(what_a_line_has_comes_back)
{
    struct menu_line line = { .label = "l", .text = "some text", .key = 0xff, .gap = true, .preset = true, .secret = true }, back;
    m.used = 0;
    CHECK(menus_begin(&m, "", "") == 0, menus_add(&m, "", &line) == 0, menus_line(&m, "", 0, &back));
    CHECK_STR(back.text, "some text");
    CHECK(back.key == 0xff, back.gap, back.preset, back.secret);
    line = (struct menu_line){ .label = "", .text = "", .key = -1 };
    CHECK(menus_add(&m, "", &line) == 0, menus_line(&m, "", 1, &back), back.key == -1, !back.gap, !back.preset, !back.secret);
}

TEST(limits)
{
    static char text[MENUS_TEXT_MAX + 1];
    unsigned count = 0;
    m.used = 0;
    memset(text, 'x', MENUS_TEXT_MAX);
    CHECK_EQ(menus_begin(&m, "", text), ERR_TOO_LARGE);
    text[MENUS_TEXT_MAX - 1] = 0;
    CHECK(menus_begin(&m, "", text) == 0, add("", text, text) == 0, menus_begin(&m, text, "") == 0);
    while (add("", "label", text) == 0)
        count++;
    CHECK_EQ(add("", "label", text), ERR_NO_MEMORY);
    CHECK(count > 50, m.used <= MENUS_ARENA);
    while (add("", "", "") == 0)
        count++;
    CHECK_EQ(menus_begin(&m, "new", ""), ERR_NO_MEMORY);
    CHECK(!menus_title(&m, "new"));
    CHECK_EQ(menus_delete(&m, ""), 0);
    CHECK_EQ(menus_begin(&m, "new", ""), 0);
    for (count = 0; add("new", "", "") == 0;)
        count++;
    CHECK_EQ(count, MENUS_LINES_MAX);
}

TEST_MAIN(T(menus_lie_beside_each_other), T(what_a_line_has_comes_back), T(limits))
