// SPDX-License-Identifier: MPL-2.0
// What Signet was handed when it was entered (nbp.S and start.S fill it in; most of it lies in base memory).
#pragma once
#include "real/real.h"

extern struct segoff entry_pxe;   // what lay on the stack, !PXE by PXE 2.1
extern struct segoff entry_pxenv; // ES:BX, PXENV+ by PXE 1.x
extern struct segoff rom_stack;   // with all registers, as nbp.S pushed them
extern uint16_t base_kib;         // base memory by INT 12h

// The blob of `signet embed`, above 1 MiB; length 0: none.
extern uint8_t embed_area[];
extern uint32_t embed_length;
extern uint32_t embed_flags; // EMBED_FLAG_* (image/embed.h)

// What the stage of a boot area or our option ROM left in the registers: EAX = magic, ECX its complement, ESI the address of a structure below
// 0:7C00 that begins with its own size, u32, of at least `size`. Copies `size` bytes of it. False: someone else entered.
bool handed_over(uint32_t magic, void *ret, uint32_t size);
