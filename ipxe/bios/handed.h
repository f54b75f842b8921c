// SPDX-License-Identifier: MPL-2.0
// What Signet was handed when it was entered (start.S fills it in; it lies in base memory).
#pragma once
#include "real/real.h"

extern struct segoff entry_pxe;   // what lay on the stack, !PXE by PXE 2.1
extern struct segoff entry_pxenv; // ES:BX, PXENV+ by PXE 1.x
extern struct segoff rom_stack;   // with all registers, as start.S pushed them
extern uint16_t base_kib;         // base memory by INT 12h
