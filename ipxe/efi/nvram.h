// SPDX-License-Identifier: MPL-2.0
// UEFI variables as the core's small values.
#pragma once
#include "core/platform.h"

// Signet's variables are 21bf2037-b9e6-4466-bcf5-8d9c90f1afd1.
#define SIGNET_VENDOR_GUID                                                                                             \
    { 0x21bf2037, 0xb9e6, 0x4466, { 0xbc, 0xf5, 0x8d, 0x9c, 0x90, 0xf1, 0xaf, 0xd1 } }

extern const struct platform_nvram efi_nvram;
