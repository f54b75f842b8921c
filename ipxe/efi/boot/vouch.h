// SPDX-License-Identifier: MPL-2.0
// Secure Boot: the verified seal vouches for the kernel that it covers, although the firmware's db does not know it.
#pragma once
#include "base/base.h"

// While Secure Boot is on, LoadImage accepts exactly these bytes at this place, until vouch_end. Everything else still
// goes through the firmware's own check. True when the firmware has taken it on (and when Secure Boot is off).
bool vouch_begin(const void *image, uint64_t len);
void vouch_end(void);
bool vouch_secure_boot(void); // is Secure Boot on?
bool vouch_wanted(void);      // is it on, and will vouch_begin be taken on?
