// SPDX-License-Identifier: MPL-2.0
// Disks through INT 13h with its extensions (EDD 3.0).
#pragma once
#include "core/platform.h"

// Finds the disks. `boot`: the BIOS's number of the one that Signet was started from, which comes first; 0: from none.
void bios_disk_init(uint8_t boot);

extern const struct platform_storage bios_storage;
