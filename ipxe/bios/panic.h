// SPDX-License-Identifier: MPL-2.0
// The end of a run that cannot go on.
#pragma once
#include "base/base.h"

// Exceptions are caught from here on.
void panic_init(void);
// Says why and hands the machine to its next boot device.
NORETURN void panic(const char *why);
