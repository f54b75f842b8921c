// SPDX-License-Identifier: MPL-2.0
// Disks through the Block I/O protocol. They are looked for, and the firmware's drivers connected to them, when the first
// one is asked for: a boot from the network does not wait for disks.
#pragma once
#include "core/platform.h"

extern const struct platform_storage efi_storage;
