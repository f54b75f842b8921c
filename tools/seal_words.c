// SPDX-License-Identifier: MPL-2.0
// See seal_words.h.
#include "seal_words.h"
#include "phase2/arguments.h"
#include "phase2/seal.h"
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 1024 // of one command line

struct line {
    char *words[WORDS_MAX]; // patterns among them
    bool pattern[WORDS_MAX];
    size_t count;
};

char *words_shown(const char *text, size_t len)
{
    char *shown = tool_alloc(2 * len + 1), *to = shown;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == WORDS_OPEN) {
            *to++ = '$';
            *to++ = '{';
        } else {
            *to++ = text[i] == WORDS_CLOSE ? '}' : text[i];
        }
    }
    return shown;
}

// --- words ---

// The name of the first setting in the word that is not known. free()
static char *unknown_of(const char *word)
{
    const char *open = strchr(word, WORDS_OPEN) + 1;
    return tool_format("%.*s", (int)strcspn(open, WORDS_MARKS), open);
}

// In place of each setting one '*'.
static char *pattern_of(const char *word)
{
    char *pattern = tool_alloc(strlen(word) + 1), *to = pattern;
    for (const char *p = word; *p; p++) {
        if (*p == WORDS_OPEN) {
            for (unsigned depth = 1; depth && p[1]; p++)
                depth += (p[1] == WORDS_OPEN) - (p[1] == WORDS_CLOSE);
            if (to == pattern || to[-1] != '*')
                *to++ = '*';
        } else {
            *to++ = *p;
        }
    }
    return pattern;
}

static int refuse(const char *subject, const char *word)
{
    char *shown = words_shown(word, strlen(word)), *name = unknown_of(word);
    const char *why = strchr(word, '"') ? "stands between quotes" : "is part of an argument's name";
    tool_error(subject, "its argument %s: the setting %s, which is not known here, %s, and no pattern can allow that: say --set %s=VALUE "
               "(or --set %s= where machines have none)", shown, name, why, name, name);
    free(shown);
    free(name);
    return -1;
}

static int add_word(const char *subject, struct line *line, const char *text, size_t len, bool drop_initrd)
{
    static const char initrd[] = "initrd=";
    if (drop_initrd && len >= sizeof initrd - 1 && memcmp(text, initrd, sizeof initrd - 1) == 0)
        return 0;
    if (line->count == WORDS_MAX) {
        tool_error(subject, "has more than %d arguments", WORDS_MAX);
        return -1;
    }
    char *word = tool_format("%.*s", (int)len, text);
    line->pattern[line->count] = words_unknown(word);
    line->words[line->count++] = word;
    if (!words_unknown(word))
        return 0;
    char *pattern = pattern_of(word);
    const char *equals = strchr(word, '='), *open = strchr(word, WORDS_OPEN);
    if (!equals || open < equals || strchr(word, '"') || !arguments_sound(pattern)) {
        free(pattern);
        return refuse(subject, word);
    }
    free(pattern);
    return 0;
}

static int split(const char *subject, const char *text, bool drop_initrd, struct line *line)
{
    bool quoted = false;
    const char *from = text;
    for (const char *p = text;; p++) {
        if (*p == '\0' || (*p == ' ' && !quoted)) {
            if (p > from && add_word(subject, line, from, (size_t)(p - from), drop_initrd) != 0)
                return -1;
            if (*p == '\0')
                return 0;
            from = p + 1;
        }
        quoted ^= *p == '"';
    }
}

// --- what all of them have ---

// Keeps of `common` what `line` has in the same order: the longest such row of words.
static void intersect(struct opt_list *common, const struct line *line)
{
    size_t n = common->count, m = line->count, width = m + 1;
    uint16_t *best = tool_alloc((n + 1) * width * sizeof *best); // of the words from i and from k on
    for (size_t i = n; i-- > 0;)
        for (size_t k = m; k-- > 0;) {
            bool same = !line->pattern[k] && strcmp(common->items[i], line->words[k]) == 0;
            best[i * width + k] = same ? (uint16_t)(best[(i + 1) * width + k + 1] + 1) : MAX(best[(i + 1) * width + k], best[i * width + k + 1]);
        }
    size_t kept = 0;
    for (size_t i = 0, k = 0; i < n && k < m;) {
        if (!line->pattern[k] && strcmp(common->items[i], line->words[k]) == 0) {
            common->items[kept++] = common->items[i++];
            k++;
        } else if (best[(i + 1) * width + k] >= best[i * width + k + 1]) {
            i++;
        } else {
            k++;
        }
    }
    common->count = kept;
    free(best);
}

static char *join(const struct opt_list *words)
{
    size_t len = 1;
    for (size_t i = 0; i < words->count; i++)
        len += strlen(words->items[i]) + 1;
    char *text = tool_alloc(len), *to = text;
    for (size_t i = 0; i < words->count; i++)
        to += sprintf(to, "%s%s", i ? " " : "", words->items[i]);
    return text;
}

static bool listed(const struct opt_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int allow(const char *subject, struct opt_list *patterns, struct sealed_words *ret, const char *word, bool unknown)
{
    char *pattern = pattern_of(word);
    if (listed(patterns, pattern)) {
        free(pattern);
        return 0;
    }
    if (!unknown && (strchr(word, '*') || !arguments_sound(word))) {
        tool_error(subject, "its argument %s is not in all of its command lines, and cannot be a pattern: it holds a * or a quote", word);
        free(pattern);
        return -1;
    }
    char *name = unknown ? unknown_of(word) : NULL;
    opt_list_add(patterns, pattern);
    opt_list_add(&ret->reasons, unknown ? tool_format("%s (%s is not known here)", pattern, name) :
                                          tool_format("%s (some of its command lines have it)", pattern));
    free(name);
    return 0;
}

// The patterns that line needs beside the common words, which a reader takes as they come.
static int allow_rest(const char *subject, const struct line *line, const struct opt_list *common, struct opt_list *patterns,
                      struct sealed_words *ret)
{
    size_t due = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (!line->pattern[i] && due < common->count && strcmp(line->words[i], common->items[due]) == 0)
            due++;
        else if (allow(subject, patterns, ret, line->words[i], line->pattern[i]) != 0)
            return -1;
    }
    return 0;
}

int sealed_words(const char *subject, const struct opt_list *cmdlines, bool drop_initrd, struct sealed_words *ret)
{
    struct line *lines = tool_alloc(cmdlines->count * sizeof *lines);
    struct opt_list common = { 0 }, patterns = { 0 };
    int r = 0;
    *ret = (struct sealed_words){ 0 };
    for (size_t i = 0; i < cmdlines->count && r == 0; i++)
        r = split(subject, cmdlines->items[i], drop_initrd, &lines[i]);
    for (size_t k = 0; r == 0 && k < lines[0].count; k++)
        if (!lines[0].pattern[k])
            opt_list_add(&common, lines[0].words[k]);
    for (size_t i = 1; i < cmdlines->count && r == 0; i++)
        intersect(&common, &lines[i]);
    for (size_t i = 0; i < cmdlines->count && r == 0; i++)
        r = allow_rest(subject, &lines[i], &common, &patterns, ret);
    ret->cmdline = join(&common);
    ret->patterns = join(&patterns);
    for (size_t i = 0; i < cmdlines->count; i++)
        for (size_t k = 0; k < lines[i].count; k++)
            free(lines[i].words[k]);
    for (size_t i = 0; i < patterns.count; i++)
        free((char *)patterns.items[i]);
    free(patterns.items);
    free(common.items);
    free(lines);
    return r;
}

void sealed_words_free(struct sealed_words *words)
{
    for (size_t i = 0; i < words->reasons.count; i++)
        free((char *)words->reasons.items[i]);
    free(words->reasons.items);
    free(words->cmdline);
    free(words->patterns);
}
