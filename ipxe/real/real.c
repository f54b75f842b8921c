// SPDX-License-Identifier: MPL-2.0
// See real.h: registers go through variables in base memory.
#include "real/real.h"

extern struct bios_regs real_regs;
extern char real_interrupt[], real_print[];
_Static_assert(sizeof(struct bios_regs) == 36, "int.S knows this layout");

void bios_call(struct bios_regs *regs, uint8_t vector)
{
    memcpy(&real_target, low_memory(vector * 4u), sizeof real_target);
    real_regs = *regs;
    real_call((uint32_t)real_interrupt);
    *regs = real_regs;
}

void bios_print(const void *text)
{
    real_target = segoff_of((uint32_t)text);
    real_call((uint32_t)real_print);
}
