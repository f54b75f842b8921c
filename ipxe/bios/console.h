// SPDX-License-Identifier: MPL-2.0
// Screen and keyboard of the BIOS, and COM1.
#pragma once
#include "base/base.h"

void bios_console_init(void);
void bios_console_resume(void); // somebody else has had COM1, and may have set another speed
void bios_console_write(const char *text, size_t len);
void bios_say(const char *format, ...) PRINTF_LIKE(1, 2); // up to 159 characters
int bios_console_getkey(void); // -1: none
