// SPDX-License-Identifier: MPL-2.0
// Members of RAID arrays, known by what the array's software writes onto them. Whoever writes onto one member behind the array's
// back breaks the array, so the installer must know them, also where no array runs.
#pragma once
#include "install_dev.h"

// Whether these sectors of a disk (all of them: the disk itself) are a member of an array: *ret is the kind of array ("Linux RAID"), NULL:
// they are none. 0, or -1 after a message (cannot be read).
int install_raid_find(struct install_dev *dev, uint64_t first, uint64_t sectors, const char **ret);
