// SPDX-License-Identifier: MPL-2.0
// The processor's own counter as a clock: UEFI has none that is fine enough.
#pragma once
#include "base/base.h"

void clock_init(void);
uint64_t clock_us(void);      // since clock_init; never goes back
uint64_t clock_counter(void); // raw, for entropy
