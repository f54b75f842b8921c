// SPDX-License-Identifier: MPL-2.0
// Files that people hand over as keys: what each of them is.
#pragma once
#include "tool.h"

// Says what the file is (`data`: all of it, a NUL behind), and with which command the wanted half is made of it. False without a
// message when it is nothing that is known, or begins as the wanted half in PEM: of that the caller knows more.
bool key_name(const char *path, const uint8_t *data, size_t len, bool want_private);
