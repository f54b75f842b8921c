// SPDX-License-Identifier: MPL-2.0
// Time since the start, from the time-stamp counter, or from the BIOS's ticks where there is none.
#pragma once
#include "base/base.h"

// Takes 60 ms to measure the counter. Without use_tsc: the BIOS's ticks, as on machines that have no counter; time
// starts anew then (tests).
void clock_init(bool use_tsc);
uint64_t clock_us(void);
uint64_t clock_tsc(void); // 0 without a counter
uint32_t clock_tsc_khz(void);

// CPUID leaf; false (and zeros) when the processor has no such leaf.
struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
bool clock_cpuid(uint32_t leaf, struct cpuid *ret);
