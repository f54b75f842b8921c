// SPDX-License-Identifier: MPL-2.0
// Disks through INT 13h with its extensions (EDD 3.0), and the boot slot that Signet was entered from.
#pragma once
#include "core/platform.h"

// Reads what the stage handed over and finds the disks. Says from which slot Signet came, if from one.
void bios_disk_init(void);

// Whether Signet was started from a disk.
bool bios_disk_booted(void);

extern const struct platform_storage bios_storage;

// The last thing before a kernel is started: a slot on trial becomes a confirmed one (block/bootslot.h).
void bios_disk_confirm(void);
