// SPDX-License-Identifier: MPL-2.0
// Speaking to people. Every message begins with the part that speaks ("p2:", "dhcp:", "seal:").
#pragma once
#include "base/meter.h"
#include "core/platform.h"

#define CONSOLE_LINE_MAX 512

void console_init(const struct platform *platform);

// printf to the console, as it is.
void console_print(const char *format, ...) PRINTF_LIKE(1, 2);

// "part: text\n"
void console_say(const char *part, const char *format, ...) PRINTF_LIKE(2, 3);

// What is longer than CONSOLE_LINE_MAX, as it is.
void console_write(const char *text, size_t len);

// For who draws on the screen (menus.h): writes, and says nothing. How often anybody else has said something.
void console_draw(const char *text, size_t len);
unsigned console_count(void);

// "part: what: the error's sentence [CODE]\n"; `format` says what failed and what happens next. The sentence is left out when
// it was the last one said.
void console_error(const char *part, int err, const char *format, ...) PRINTF_LIKE(3, 4);

// Is this the error whose sentence was said last? Forgotten before each line of a script.
bool console_said(int err);
void console_forget(void);

// How far something is, when that is due: a line that is written over in place until something else is said. It fits 80
// columns.
void console_meter(struct meter *m, const char *part, uint64_t done, uint64_t total, uint64_t now);
