// SPDX-License-Identifier: MPL-2.0
// Arguments that a script gives to what a seal covers: the sealed ones, and those that the seal's patterns allow.
//
// A word is what stands between blanks; a blank within "..." does not end it, as the Linux kernel has it. A pattern is a word of
// printable ASCII without '"'. In it a '*', which stands only behind the first '=', is any number (0 too) of such characters. So what
// an argument is called is always sealed, and nothing that is allowed can reach over the words around it.
#pragma once
#include "base/base.h"

// Are they patterns, with one blank between two of them?
bool arguments_sound(const char *patterns);

struct arguments_word {
    const char *text; // not terminated
    size_t len;
    bool missing;     // it is sealed, and not given
};

// Judges `given`: the words of `sealed`, all of them and in their order, with any number of words that a pattern allows anywhere among them.
// `initrd=...` that is neither is passed over with `drop_initrd`: it is for boot loaders. What is left is in buf with one blank between
// two words: its length, or ERR_SEAL_ARGUMENT with the word that does not fit in *ret_bad, or ERR_BOOT_CMDLINE when there is no room.
int arguments_judge(const char *sealed, const char *patterns, bool drop_initrd, const char *given, char *buf, size_t cap,
                    struct arguments_word *ret_bad);
