// SPDX-License-Identifier: MPL-2.0
// Calls into a PXE ROM (pxe_api.S), for C.
#include "bios/layout.h"
#include "bios/pxe.h"

extern uint16_t pxe_function, pxe_result;
extern char real_pxe[], real_loader[];

// The parameter block goes down, the 16-bit function runs, the block comes back.
static void call_with(uint32_t function, void *param, size_t len)
{
    memcpy(low_memory(PXE_PARAM), param, len);
    real_call(function);
    memcpy(param, low_memory(PXE_PARAM), len);
}

__attribute__((noinline)) uint16_t pxe_call(uint16_t function, void *param, size_t len)
{
    if (len > PXE_PARAM_SIZE)
        return 1;
    pxe_function = function;
    call_with((uint32_t)real_pxe, param, len);
    uint16_t status = load16_le(param);
    // Quirk: some ROMs report failure in one of the two places only.
    return pxe_result != 0 && status != 0 ? status : pxe_result != 0 ? pxe_result : status;
}

uint16_t pxe_loader(struct segoff loader, void *param, size_t len)
{
    real_target = loader;
    call_with((uint32_t)real_loader, param, len);
    return pxe_result;
}
