// SPDX-License-Identifier: MPL-2.0
// The TPM, through the firmware (TCG EFI Protocol Specification, family 2.0).
#pragma once
#include "base/err.h"

// Is there a TPM 2.0 that the firmware speaks to?
bool tcg2_find(void);

// Extends the PCR by the digest of `event` in every active bank, and logs it as EV_IPL. ERR_TPM.
int tcg2_measure(uint32_t pcr, const void *event, size_t len);
