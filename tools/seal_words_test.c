// SPDX-License-Identifier: MPL-2.0
#include "seal_words.h"

#include "base/test.h"
#include "phase2/arguments.h"
#include "phase2/seal.h"

static struct sealed_words words;

// The texts stand behind each other, each with its NUL, up to an empty one.
static int merge(const char *texts, bool drop_initrd)
{
    struct opt_list list = { 0 };
    for (const char *p = texts; *p; p += strlen(p) + 1)
        opt_list_add(&list, *p == '-' ? p + 1 : p);
    int r = sealed_words("test", &list, drop_initrd, &words);
    free(list.items);
    return r;
}

// A reader takes each of them, whatever machines put in for what is not known.
static bool read_again(const char *texts)
{
    bool good = true;
    for (const char *p = texts; good && *p; p += strlen(p) + 1) {
        char given[200], buf[200], *to = given;
        struct arguments_word bad;
        int depth = 0;
        for (const char *from = *p == '-' ? p + 1 : p; *from; from++) {
            depth += (*from == WORDS_OPEN) - (*from == WORDS_CLOSE);
            if (depth == 0)
                *to++ = *from == WORDS_CLOSE ? 'v' : *from;
        }
        *to = '\0';
        good = arguments_judge(words.cmdline, words.patterns, true, given, buf, sizeof buf, &bad) >= 0;
        if (!good)
            printf("  \"%s\" is refused by \"%s\", \"%s\"\n", p, words.cmdline, words.patterns);
    }
    return good;
}

static bool gives(const char *texts, const char *cmdline, const char *patterns)
{
    bool good = merge(texts, true) == 0 && strcmp(words.cmdline, cmdline) == 0 && strcmp(words.patterns, patterns) == 0;
    if (!good)
        printf("  \"%s\": \"%s\", \"%s\"\n", texts, words.cmdline, words.patterns);
    good = good && read_again(texts);
    sealed_words_free(&words);
    return good;
}

static bool takes_again(const char *texts)
{
    bool good = merge(texts, true) == 0 && read_again(texts);
    sealed_words_free(&words);
    return good;
}

TEST(one_line)
{
    CHECK(gives("-\0", "", ""));
    CHECK(gives("a  b=c \"d e\"\0", "a b=c \"d e\"", ""));
    CHECK(gives("initrd=x a initrd=y\0", "a", ""));
    CHECK(gives("a mac=\376mac\377 b\0", "a b", "mac=*"));
    CHECK(gives("ip=\376ip\377::\376gw\377:\376mask\377 ip=\376ip\377\376x\377\0", "", "ip=*::*:* ip=*"));
    CHECK(gives("x=\376a\376b\377c\377d\0", "", "x=*d"));
    CHECK_EQ(merge("initrd=x a\0", false), 0);
    CHECK_STR(words.cmdline, "initrd=x a");
    sealed_words_free(&words);
}

TEST(several_lines)
{
    CHECK(gives("c=0 quiet\0c=0 single\0", "c=0", "quiet single"));
    CHECK(gives("a b c\0b c\0c a b\0", "c", "a b"));
    CHECK(gives("a b\0b a\0", "b", "a"));
    CHECK(gives("a a b\0a b b\0", "a b", "a b"));
    CHECK(gives("x=1 y=2\0-\0", "", "x=1 y=2"));
    CHECK(gives("m=\376mac\377 a\0a m=\376other\377\0", "a", "m=*"));
    CHECK(gives("a b c d e\0a x c y e\0", "a c e", "b d x y"));
}

TEST(refused)
{
    static const char *const texts[] = { "\376args\377\0", "a=b \376n\377=c\0", "x\376n\377\0", "x=\"\376n\377 b\"\0", "*=\376n\377\0",
                                         "x=\376n\377\"\0", "\"a b\"\0a\0", "a=*\0b\0" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        CHECK_EQ(merge(texts[i], true), -1);
        sealed_words_free(&words);
    }
}

TEST(shown)
{
    char *text = words_shown("a\376b\376c\377\377", 8);
    CHECK_STR(text, "a${b${c}}");
    free(text);
}

// Whatever is merged, a reader takes each line of it again.
TEST(any_lines)
{
    static const char *const pieces[] = { "a", "b", "c", "a", "x=1", "x=2", "y=\376m\377", "y=\376n\377-\376o\377", "initrd=q", "\"q\"", "b", "d=e" };
    static char texts[2000];
    uint32_t random = 1;
    unsigned merged = 0;
    for (int i = 0; i < 20000; i++) {
        char *to = texts;
        for (unsigned lines = 1 + i % 4; lines; lines--) {
            unsigned count = (random = random * 1664525 + 1013904223) >> 29;
            to += sprintf(to, "-");
            for (unsigned k = 0; k < count; k++)
                to += sprintf(to, "%s%s", k ? " " : "", pieces[((random = random * 1664525 + 1013904223) >> 24) % ARRAY_SIZE(pieces)]);
            to++;
        }
        *to = '\0';
        bool quoted = false; // which is refused where it is not in all lines
        for (const char *p = texts; *p; p += strlen(p) + 1)
            quoted |= strchr(p, '"') != NULL;
        if (quoted)
            continue;
        merged++;
        CHECK(takes_again(texts));
    }
    CHECK(merged > 1000);
}

TEST_MAIN(T(one_line), T(several_lines), T(refused), T(shown), T(any_lines))
