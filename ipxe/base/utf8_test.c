// SPDX-License-Identifier: MPL-2.0
#include "base/utf8.h"

#include "base/test.h"

TEST(characters)
{
    static const struct {
        uint32_t c;
        const char *text;
    } cases[] = {
        { 'a', "a" }, { 0x7e, "~" }, { 0xa0, "\xc2\xa0" }, { 0x7ff, "\xdf\xbf" }, { 0x800, "\xe0\xa0\x80" }, { 0xffff, "\xef\xbf\xbf" },
        { 0x10000, "\xf0\x90\x80\x80" }, { 0x1f41f, "\xf0\x9f\x90\x9f" }, { 0x10ffff, "\xf4\x8f\xbf\xbf" },
        { 0, "?" }, { 0x1b, "?" }, { 0x7f, "?" }, { 0x9b, "?" }, { 0xd800, "?" }, { 0xdfff, "?" }, { 0x110000, "?" }, { UINT32_MAX, "?" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[UTF8_CHAR_MAX + 1] = "";
        CHECK_EQ(utf8_put(cases[i].c, text), strlen(cases[i].text));
        CHECK_STR(text, cases[i].text);
    }
}

TEST_MAIN(T(characters))
