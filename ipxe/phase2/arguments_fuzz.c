// SPDX-License-Identifier: MPL-2.0
// Three lines: sealed words, patterns, what a script gives. Judged a second time, from the document alone (doc/phase2-format.md 4.3) and
// without a thought of how long it takes.
#include "base/err.h"
#include "base/fuzz.h"
#include "phase2/arguments.h"

#include <stdlib.h>

#define LINE_MAX 600
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            __builtin_trap();                                                                                          \
    } while (0)

static char lines[3][LINE_MAX], first[2 * LINE_MAX], second[2 * LINE_MAX];

struct word {
    const char *text;
    size_t len;
};
struct words {
    struct word list[LINE_MAX];
    size_t count;
};

static void split(const char *line, struct words *ret)
{
    ret->count = 0;
    for (size_t i = 0, start = 0, quotes = 0; i <= strlen(line); i++) {
        bool ends = line[i] == '\0' || (line[i] == ' ' && quotes % 2 == 0);
        quotes += line[i] == '"';
        if (!ends)
            continue;
        if (i > start)
            ret->list[ret->count++] = (struct word){ line + start, i - start };
        start = i + 1;
    }
}

// fits[w]: the pattern up to where it is read is the first w characters of the word.
static bool fits_one(const struct word *pattern, const struct word *word)
{
    static bool fits[LINE_MAX + 1], next[LINE_MAX + 1];
    memset(fits, 0, sizeof fits);
    fits[0] = true;
    for (size_t p = 0; p < pattern->len; p++) {
        bool star = pattern->text[p] == '*';
        next[0] = star && fits[0];
        for (size_t w = 1; w <= word->len; w++)
            next[w] = star ? fits[w] || next[w - 1] : fits[w - 1] && pattern->text[p] == word->text[w - 1];
        memcpy(fits, next, sizeof fits);
    }
    return fits[word->len];
}

static bool fits_any(const struct words *patterns, const struct word *word)
{
    for (size_t i = 0; i < word->len; i++)
        if (word->text[i] <= ' ' || word->text[i] > '~' || word->text[i] == '"')
            return false;
    for (size_t i = 0; i < patterns->count; i++)
        if (fits_one(&patterns->list[i], word))
            return true;
    return false;
}

static bool same_word(const struct word *a, const struct word *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

// Is there any way to read `given` as the sealed words with others among them? can[j]: so far, with j sealed words taken.
static bool naive(bool drop_initrd)
{
    static struct words sealed, patterns, given;
    static bool can[LINE_MAX + 1];
    split(lines[0], &sealed);
    split(lines[1], &patterns);
    split(lines[2], &given);
    memset(can, 0, sizeof can);
    can[0] = true;
    for (size_t i = 0; i < given.count; i++) {
        const struct word *word = &given.list[i];
        bool other = fits_any(&patterns, word) || (drop_initrd && word->len >= 7 && memcmp(word->text, "initrd=", 7) == 0);
        for (size_t j = sealed.count + 1; j-- > 0;)
            can[j] = (can[j] && other) || (j > 0 && can[j - 1] && same_word(word, &sealed.list[j - 1]));
    }
    return can[sealed.count];
}

// What is handed on: the sealed words are in it, in their order, and of the others each fits.
static void look(const char *result)
{
    static struct words sealed, patterns, taken;
    split(lines[0], &sealed);
    split(lines[1], &patterns);
    split(result, &taken);
    size_t j = 0;
    for (size_t i = 0; i < taken.count; i++)
        if (j < sealed.count && same_word(&taken.list[i], &sealed.list[j]))
            j++;
        else
            MUST(fits_any(&patterns, &taken.list[i]));
    MUST(j == sealed.count);
}

static void judge(bool drop_initrd)
{
    struct arguments_word bad = { 0 };
    int len = arguments_judge(lines[0], lines[1], drop_initrd, lines[2], first, sizeof first, &bad);
    MUST((len >= 0) == naive(drop_initrd));
    MUST(len == ERR_SEAL_ARGUMENT || (len >= 0 && (size_t)len == strlen(first)));
    if (len < 0) {
        const char *in = bad.missing ? lines[0] : lines[2];
        MUST(bad.len > 0 && bad.text >= in && bad.text + bad.len <= in + strlen(in));
        return;
    }
    look(first);
    // What was taken is taken again, as it is: with the sealed words, and with nothing that hangs on initrd= being passed over.
    MUST(arguments_judge(lines[0], lines[1], false, first, second, sizeof second, &bad) == len);
    MUST(strcmp(first, second) == 0);
    // Less room is told.
    char *small = malloc((size_t)len + 1);
    MUST(arguments_judge(lines[0], lines[1], drop_initrd, lines[2], small, (size_t)len + 1, &bad) == len);
    if (len > 0)
        MUST(arguments_judge(lines[0], lines[1], drop_initrd, lines[2], small, (size_t)len, &bad) == ERR_BOOT_CMDLINE);
    free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(lines, 0, sizeof lines);
    for (size_t i = 0, line = 0, at = 0; i < size && line < 3; i++) {
        if (data[i] == '\n') {
            line++;
            at = 0;
        } else if (data[i] != '\0' && at + 1 < LINE_MAX) {
            lines[line][at++] = (char)data[i];
        }
    }
    if (!arguments_sound(lines[1]))
        lines[1][0] = '\0';
    judge(false);
    judge(true);
    return 0;
}
