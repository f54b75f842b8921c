// SPDX-License-Identifier: MPL-2.0
// 64-bit by 32-bit division without a compiler's run-time library (the i686 firmware has none).
#pragma once
#include "base/base.h"

// n / d and, unless ret_rem is NULL, the remainder. d must not be 0.
static inline uint64_t div64_32(uint64_t n, uint32_t d, uint32_t *ret_rem)
{
#if defined(__i386__)
    // Schoolbook: the high word first; its remainder is below d, so the second divl cannot overflow.
    uint32_t high = (uint32_t)(n >> 32), low = (uint32_t)n, quotient_high = high / d, rem = high % d, quotient_low;
    __asm__("divl %4" : "=a"(quotient_low), "=d"(rem) : "a"(low), "d"(rem), "rm"(d) : "cc");
    if (ret_rem)
        *ret_rem = rem;
    return (uint64_t)quotient_high << 32 | quotient_low;
#else
    if (ret_rem)
        *ret_rem = (uint32_t)(n % d);
    return n / d;
#endif
}
