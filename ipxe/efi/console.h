// SPDX-License-Identifier: MPL-2.0
// The firmware's console: screen, keyboard and serial line, whatever it has bound to ConOut and ConIn.
#pragma once
#include "base/base.h"

void console_write_text(const char *text, size_t len);
// The text mode that is set, or one of more rows where it has fewer than `rows`. As they were where nobody knows.
void console_size(unsigned rows, unsigned *ret_rows, unsigned *ret_columns);
int console_read_key(void); // a byte (arrows and the like as ANSI sequences), -1: none
