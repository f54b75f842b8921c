// SPDX-License-Identifier: MPL-2.0
#include "bios/handed.h"

#include "bios/layout.h"
#include "image/embed.h"

#define BASE_MEMORY __attribute__((section(".data16")))

BASE_MEMORY struct segoff entry_pxe, entry_pxenv, rom_stack;
BASE_MEMORY uint16_t base_kib;

_Alignas(16) uint8_t embed_area[EMBED_BLOB_MAX];
uint32_t embed_length, embed_flags;
__asm__(".globl embed_area_size\n.set embed_area_size, 65536");
_Static_assert(EMBED_BLOB_MAX == 65536, "as the assembler's embed_area_size");

bool handed_over(uint32_t magic, void *ret, uint32_t size)
{
    // As nbp.S pushed them.
    struct PACKED {
        uint16_t gs, fs, es, ds;
        uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    } frame;
    memcpy(&frame, low_memory(segoff_address(rom_stack)), sizeof frame);
    if (frame.eax != magic || frame.ecx != ~magic || frame.esi >= LOAD_BASE)
        return false;
    memcpy(ret, low_memory(frame.esi), size);
    return *(const uint32_t *)ret >= size;
}
