// SPDX-License-Identifier: MPL-2.0
#include "bios/handed.h"

#include "image/embed.h"

#define BASE_MEMORY __attribute__((section(".data16")))

BASE_MEMORY struct segoff entry_pxe, entry_pxenv, rom_stack;
BASE_MEMORY uint16_t base_kib;

_Alignas(16) uint8_t embed_area[EMBED_BLOB_MAX];
uint32_t embed_length, embed_flags;
__asm__(".globl embed_area_size\n.set embed_area_size, 65536");
_Static_assert(EMBED_BLOB_MAX == 65536, "as the assembler's embed_area_size");
