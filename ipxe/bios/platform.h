// SPDX-License-Identifier: MPL-2.0
// struct platform for a BIOS machine.
#pragma once
#include "core/platform.h"

// The parts must have been started (bios/main.c). `before_kernel` is the last thing before a kernel is started, or NULL.
const struct platform *bios_platform(void (*before_kernel)(void));
