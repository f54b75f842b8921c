// SPDX-License-Identifier: MPL-2.0
// Linux through its EFI stub.
#pragma once
#include "core/platform.h"

// Starts the kernel. Returns only on failure: ERR_BOOT_*.
int linux_start(const struct platform_boot *boot);
