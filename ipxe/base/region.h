// SPDX-License-Identifier: MPL-2.0
// A range of physical memory.
#pragma once
#include "base/base.h"

struct mem_region {
    uint64_t base, length;
};
