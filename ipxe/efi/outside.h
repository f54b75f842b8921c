// SPDX-License-Identifier: MPL-2.0
// What decides from outside the binary: a script (the load options, or autoexec.ipxe beside it), and its name.
#pragma once
#include "core/core.h"

// Looks for it while the firmware's own network still runs, and fills in the script fields of *options. Nothing
// is changed when there is none.
void outside_find(struct core_options *options);

// Is `word` (lower case) part of the name of the file that the firmware has loaded us from, without its folder? Also to be
// asked while the firmware's network runs.
bool outside_called(const char *word);
