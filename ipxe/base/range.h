// SPDX-License-Identifier: MPL-2.0
// The one place where lengths from outside are checked. Subtraction form: nothing here can wrap.
#pragma once
#include "base/base.h"

// Bytes of a file, from `from` on; `to` is behind the last. The whole file: { 0, RANGE_END }.
struct range {
    uint64_t from, to;
};
#define RANGE_END UINT64_MAX // wherever the file ends

// True when [offset, offset+length) lies inside [0, size).
static inline bool range_fits(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

// True when the two ranges share a byte. Both must have been checked not to wrap.
static inline bool range_overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    if (a_len == 0 || b_len == 0)
        return false;
    return a < b ? b - a < a_len : a - b < b_len;
}

static inline bool is_power_of_two(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

// Rounds `v` up to `align` (a power of two). False, and *ret untouched, when that would wrap.
static inline bool align_up_checked(uint64_t v, uint64_t align, uint64_t *ret)
{
    if (!is_power_of_two(align) || v > UINT64_MAX - (align - 1))
        return false;
    *ret = (v + align - 1) & ~(align - 1);
    return true;
}
