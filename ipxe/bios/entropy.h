// SPDX-License-Identifier: MPL-2.0
// Random bytes for nonces and ports: RDSEED or RDRAND where the processor has them, always mixed with timer jitter,
// the real-time clock and what makes this machine another than its neighbour.
#pragma once
#include "base/base.h"

void entropy_init(const void *unique, size_t len);
// Mixes more in.
void entropy_add(const void *data, size_t len);
void entropy_bytes(void *buf, size_t len);
