// SPDX-License-Identifier: MPL-2.0
// A script judged without running it, by the interpreter's own lines, words and tables.
#pragma once
#include "script/script.h"

// One finding: in this line (of a continued one, its first), ERR_SCRIPT_COMMAND (`word` is no command), ERR_SCRIPT_USAGE (too
// few or too many arguments for `word`), ERR_SCRIPT_LABEL (no label `word`), ERR_SCRIPT_SYNTAX (a `${` in `word` without its
// end, or a NUL; no word then), ERR_SCRIPT_LIMIT (the line is too long). `handled`: a `||` behind it says what happens then.
typedef void script_finding(void *ctx, unsigned line, int err, const char *word, size_t len, bool handled);

// What only running shows (names from settings, values) is not judged. Returns the number of findings that are not handled.
unsigned script_check(const char *text, size_t len, script_finding *report, void *ctx);

// Is it the name of a command?
bool script_is_command(const char *name, size_t len);
