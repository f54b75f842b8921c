// SPDX-License-Identifier: MPL-2.0
#include "bios/handed.h"

#define BASE_MEMORY __attribute__((section(".data16")))

BASE_MEMORY struct segoff entry_pxe, entry_pxenv, rom_stack;
BASE_MEMORY uint16_t base_kib;
