// SPDX-License-Identifier: MPL-2.0
// The ways out for good (leave.S).
#pragma once
#include "base/base.h"

// Switches the processor's vector registers on until the machine is handed on. Only where there are any.
void vectors_on(void);
void vectors_off(void);

// The next boot device's turn. The cards must be closed.
NORETURN void leave_to_rom(void);
// Does the moves at BOOT_MOVES and jumps.
NORETURN void start_kernel(uint32_t entry, uint32_t move_count);
// A reset that always works.
NORETURN void triple_fault(void);
