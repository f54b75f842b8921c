// SPDX-License-Identifier: MPL-2.0
// The machine's other processors, through the MP services protocol (PI specification, volume 2, 13.4), for digests.
#pragma once
#include "crypto/hashboard.h"

// platform.helpers_start and helpers_stop.
unsigned helpers_start(struct hashboard *board);
void helpers_stop(void);

// Waits until the firmware has all processors back, which it needs before it is left or we are unloaded.
void helpers_settle(void);
