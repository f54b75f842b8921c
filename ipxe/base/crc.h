// SPDX-License-Identifier: MPL-2.0
// CRC-32 as GPT, zlib and Ethernet have it (polynomial 04C11DB7, reflected). It finds damage, never an attacker.
#pragma once
#include "base/base.h"

// The sum of `len` bytes.
uint32_t crc_of(const void *data, size_t len);

// The sum of what `crc` is the sum of, and of `len` further bytes behind it; 0 is the sum of nothing.
uint32_t crc_more(uint32_t crc, const void *data, size_t len);
