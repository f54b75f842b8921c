// SPDX-License-Identifier: MPL-2.0
// The Internet checksum (RFC 1071).
#pragma once
#include "base/base.h"

// The ones' complement sum, not complemented, of the bytes as 16-bit little-endian words; an odd last byte counts as if a
// zero stood behind it. By section 2(B) a sum in one byte order is the other's with its bytes swapped. len < 16 GiB.
uint16_t checksum_sum(const void *data, size_t len);
