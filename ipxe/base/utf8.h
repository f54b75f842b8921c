// SPDX-License-Identifier: MPL-2.0
// Characters as UTF-8 (RFC 3629), for names that come from disks and go to consoles.
#pragma once
#include "base/base.h"

#define UTF8_CHAR_MAX 4 // bytes

// Writes one character: how many bytes. Control characters and halves of surrogate pairs become '?'.
size_t utf8_put(uint32_t c, char to[UTF8_CHAR_MAX]);
