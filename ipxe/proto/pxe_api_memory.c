// SPDX-License-Identifier: MPL-2.0
// The program's memory, as all functions of the PXE API get at it.
#include "proto/pxe_api_parts.h"

unsigned pxe_api_copy(uint32_t address, void *ours, uint32_t len, bool out)
{
    uint8_t *bytes = ours;
    while (len) {
        uint32_t n = MIN(len, PXE_API_PIECE - address % PXE_API_PIECE);
        void *theirs = pxe_api_world.memory(address, n);
        if (!theirs)
            return PXE_FAILURE;
        memcpy(out ? theirs : bytes, out ? bytes : theirs, n);
        address += n;
        bytes += n;
        len -= n;
    }
    return PXE_SUCCESS;
}

unsigned pxe_api_put(const struct segoff *to, void *from, uint32_t len)
{
    return pxe_api_copy(pxe_api_address(to), from, len, true);
}

uint32_t pxe_api_address(const struct segoff *at)
{
    return segoff_address(*at);
}

struct segoff pxe_api_far(uint32_t address)
{
    return (struct segoff){ .offset = address & 15, .segment = (uint16_t)(address >> 4) };
}
