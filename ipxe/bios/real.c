// SPDX-License-Identifier: MPL-2.0
// The C side of the doors: registers and parameter blocks go through variables in base memory.
#include "bios/real.h"

extern struct bios_regs real_regs;
extern struct segoff real_target, pxe_entry;
extern uint16_t pxe_function, pxe_result;
extern char real_interrupt[], real_pxe[];
_Static_assert(sizeof(struct bios_regs) == 36, "real.S knows this layout");

void bios_call(struct bios_regs *regs, uint8_t vector)
{
    memcpy(&real_target, low_memory(vector * 4u), sizeof real_target);
    real_regs = *regs;
    real_call((uint32_t)real_interrupt);
    *regs = real_regs;
}

uint16_t pxe_call(uint16_t function, void *param, size_t len)
{
    if (len > PXE_PARAM_SIZE)
        return 1;
    uint8_t *block = low_memory(PXE_PARAM);
    memcpy(block, param, len);
    pxe_function = function;
    real_call((uint32_t)real_pxe);
    memcpy(param, block, len);
    uint16_t status;
    memcpy(&status, block, sizeof status);
    // Quirk: some ROMs report failure in one of the two places only.
    return pxe_result != 0 && status != 0 ? status : pxe_result != 0 ? pxe_result : status;
}
