// SPDX-License-Identifier: MPL-2.0
// printf-like formatting without a libc: %d %i %u %x %X %c %s %p %%, the lengths hh h l ll z, width,
// precision (also `*`), flags `-`, `0`. No floating point.
#pragma once
#include "base/base.h"
#include <stdarg.h>

// Like vsnprintf: writes at most cap bytes including the NUL, returns the length the whole text has.
int fmt_vsnprintf(char *buf, size_t cap, const char *format, va_list args) PRINTF_LIKE(3, 0);
int fmt_snprintf(char *buf, size_t cap, const char *format, ...) PRINTF_LIKE(3, 4);

// Reads an unsigned number (decimal, or 0x hex when base is 0). The whole of [s, s+len) must be it.
// False on empty input, a stray character or overflow; *ret untouched then.
bool fmt_parse_u64(const char *s, size_t len, unsigned base, uint64_t *ret);
