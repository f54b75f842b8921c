// SPDX-License-Identifier: MPL-2.0
// Random bytes: EFI_RNG_PROTOCOL and RDRAND where there are any, timer jitter in any case, hashed together.
#pragma once
#include "base/base.h"

// `unique` is what tells this machine from others of its kind.
void entropy_init(const void *unique, size_t len);
void entropy_bytes(void *buf, size_t len);
