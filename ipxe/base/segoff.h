// SPDX-License-Identifier: MPL-2.0
// A far pointer as real mode keeps it: in the BIOS's tables and in the parameter blocks of PXE.
#pragma once
#include "base/base.h"

struct PACKED segoff {
    uint16_t offset, segment;
};
static inline uint32_t segoff_address(struct segoff p)
{
    return ((uint32_t)p.segment << 4) + p.offset;
}
static inline struct segoff segoff_of(uint32_t low_address) // below 64 KiB: segment 0
{
    return (struct segoff){ .offset = (uint16_t)low_address, .segment = 0 };
}
