// SPDX-License-Identifier: MPL-2.0
// What an x86 processor says of itself. False on another one, and for a leaf that it does not have.
#pragma once
#include "base/base.h"

#define CPUID_STANDARD 1u
#define CPUID_EXTENDED 0x80000001u
enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

#if defined(__i386__) || defined(__x86_64__)
#include <cpuid.h>
static inline bool cpuid_read(uint32_t leaf, uint32_t ret[4])
{
    return __get_cpuid(leaf, &ret[CPUID_EAX], &ret[CPUID_EBX], &ret[CPUID_ECX], &ret[CPUID_EDX]) != 0;
}
#else
static inline bool cpuid_read(uint32_t leaf, uint32_t ret[4])
{
    return false;
}
#endif
