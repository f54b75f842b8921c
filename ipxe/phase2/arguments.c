// SPDX-License-Identifier: MPL-2.0
// See arguments.h.
#include "phase2/arguments.h"

#include "base/err.h"

#define INITRD "initrd="

// The next word from *at on, which is moved behind it. False: there is none.
static bool next_word(const char **at, struct arguments_word *ret)
{
    const char *p = *at;
    bool quoted = false;
    while (*p == ' ')
        p++;
    *ret = (struct arguments_word){ .text = p };
    for (; *p && (quoted || *p != ' '); p++)
        quoted ^= *p == '"';
    ret->len = (size_t)(p - ret->text);
    *at = p;
    return ret->len > 0;
}

static bool plain(char c)
{
    return c > ' ' && c <= '~' && c != '"';
}

bool arguments_sound(const char *patterns)
{
    bool value = false;
    char last = ' ';
    for (const char *p = patterns; *p; last = *p++) {
        if (*p == ' ' ? last == ' ' : !plain(*p) || (*p == '*' && !value))
            return false;
        value = *p != ' ' && (value || *p == '=');
    }
    return last != ' ';
}

// Back to the last '*' when the rest does not fit: that is enough, since an earlier one would only take what this one can.
static bool matches(const struct arguments_word *pattern, const struct arguments_word *word)
{
    size_t p = 0, w = 0, star = SIZE_MAX, resume = 0;
    for (size_t i = 0; i < word->len; i++)
        if (!plain(word->text[i]))
            return false;
    while (w < word->len) {
        if (p < pattern->len && pattern->text[p] == '*') {
            star = p++;
            resume = w;
        } else if (p < pattern->len && pattern->text[p] == word->text[w]) {
            p++;
            w++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            w = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern->len && pattern->text[p] == '*')
        p++;
    return p == pattern->len;
}

static bool allowed(const char *patterns, const struct arguments_word *word)
{
    struct arguments_word pattern;
    while (next_word(&patterns, &pattern))
        if (matches(&pattern, word))
            return true;
    return false;
}

static bool same(const struct arguments_word *a, const struct arguments_word *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool put(char *buf, size_t cap, size_t *len, const struct arguments_word *word)
{
    size_t blank = *len > 0;
    if (word->len + blank >= cap - *len)
        return false;
    buf[*len] = ' ';
    memcpy(buf + *len + blank, word->text, word->len);
    *len += blank + word->len;
    buf[*len] = '\0';
    return true;
}

int arguments_judge(const char *sealed, const char *patterns, bool drop_initrd, const char *given, char *buf, size_t cap,
                    struct arguments_word *ret_bad)
{
    struct arguments_word due, word;
    bool left = next_word(&sealed, &due);
    size_t len = 0;
    buf[0] = '\0';
    while (next_word(&given, &word)) {
        if (left && same(&word, &due)) {
            left = next_word(&sealed, &due);
        } else if (!allowed(patterns, &word)) {
            if (drop_initrd && word.len >= strlen(INITRD) && memcmp(word.text, INITRD, strlen(INITRD)) == 0)
                continue;
            *ret_bad = word;
            return ERR_SEAL_ARGUMENT;
        }
        if (!put(buf, cap, &len, &word))
            return ERR_BOOT_CMDLINE;
    }
    if (!left)
        return (int)len;
    *ret_bad = due;
    ret_bad->missing = true;
    return ERR_SEAL_ARGUMENT;
}
