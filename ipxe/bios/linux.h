// SPDX-License-Identifier: MPL-2.0
// Starting Linux by the 32-bit boot protocol, and the ways to end without it.
#pragma once
#include "bios/e820.h"
#include "core/platform.h"

// As platform.boot. `map` is the machine's memory, sanitised.
int linux_boot(const struct platform_boot *boot, const struct e820_map *map);
