// SPDX-License-Identifier: MPL-2.0
// Starting Linux by the 32-bit boot protocol.
#pragma once
#include "bios/e820.h"
#include "core/platform.h"

// Puts all that platform.boot says into base memory, where start_kernel (bios/leave.h) finds it: zero page, command line,
// moves. `map` is the machine's memory, sanitised.
int linux_prepare(const struct platform_boot *boot, const struct e820_map *map);
