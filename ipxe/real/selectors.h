// SPDX-License-Identifier: MPL-2.0
// Selectors of the GDT (mode.S), for C and for the assembler. 10 and 18 are also what Linux's 32-bit boot protocol asks for.
#pragma once

#define SEL_CODE16 0x08 // base 0, 64 KiB
#define SEL_CODE32 0x10 // flat
#define SEL_DATA32 0x18 // flat
#define SEL_DATA16 0x20 // base 0, 64 KiB
