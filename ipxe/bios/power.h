// SPDX-License-Identifier: MPL-2.0
// Restarting the machine and turning it off.
#pragma once
#include "base/base.h"

NORETURN void power_reboot(void);
// Returns when the machine cannot.
void power_off(void);
