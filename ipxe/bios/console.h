// SPDX-License-Identifier: MPL-2.0
// Screen and keyboard of the BIOS, and COM1.
#pragma once
#include "base/base.h"

void bios_console_init(void);
void bios_console_write(const char *text, size_t len);
int bios_console_getkey(void); // -1: none
