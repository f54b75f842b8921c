// SPDX-License-Identifier: MPL-2.0
// The disks of a pool that this machine has, for a call of signet install that names the pool and no disk.
#pragma once
#include "opts.h"

// Adds to *disks every whole disk of /sys/block on which a vdev of the pool lies, by name. 0, or -1 after a message
// (there is none). A disk that cannot be read is named in a message and left out.
int install_scan(const char *pool, struct opt_list *disks);
