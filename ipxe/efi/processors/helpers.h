// SPDX-License-Identifier: MPL-2.0
// The machine's other processors, for digests. How they are had is the Makefile's choice: helpers_mp.c asks the firmware's
// MP services (x86-64), helpers_psci.c turns them on as an operating system does (arm64). They call nothing of the firmware.
#pragma once
#include "crypto/hashboard.h"

#define HELPERS_MAX 8 // the network brings no more than so many can hash

// platform.helpers_start and helpers_stop.
unsigned helpers_start(struct hashboard *board);
void helpers_stop(void);

// Waits until all are back where they were, as they must be before the firmware is left or we are unloaded. Says so when
// one does not come; none is started again then.
void helpers_settle(void);

// For helpers.c: are they all back? Of helpers_mp.c or helpers_psci.c, like helpers_start.
bool helpers_back(void);
