// SPDX-License-Identifier: MPL-2.0
// Command lines that a script gives to one kernel, in several places or with settings that nobody knows here: what is sealed, and what allowed.
#pragma once
#include "opts.h"

// A setting that is not known stands in a text as WORDS_OPEN NAME WORDS_CLOSE.
#define WORDS_OPEN '\xfe' // bytes that no text in UTF-8 has
#define WORDS_CLOSE '\xff'
#define WORDS_MARKS "\xfe\xff"

struct sealed_words {
    char *cmdline;  // the words that all of them have, in their order
    char *patterns; // with one blank between two
    struct opt_list reasons; // for each pattern why: its texts are allocated
};

// Judges the command lines. With `drop_initrd` words `initrd=...` are left out of them: firmware passes over them, too. 0, or -1 after a message that
// begins with `subject`: the name of an argument hangs on a setting, or a word cannot be a pattern.
int sealed_words(const char *subject, const struct opt_list *cmdlines, bool drop_initrd, struct sealed_words *ret);
void sealed_words_free(struct sealed_words *words);

// The text with ${NAME} for a setting that is not known. free()
char *words_shown(const char *text, size_t len);
static inline bool words_unknown(const char *text)
{
    return strchr(text, WORDS_OPEN);
}
