// SPDX-License-Identifier: MPL-2.0
// Real mode for C that runs in protected mode: 16-bit functions, BIOS interrupts, text on the screen. Whoever links this
// room (ipxe/bios, mbr) keeps its 16-bit sections below 64 KiB and names a stack there (mode.S). Not reentrant; interrupts
// are on while a BIOS call runs.
#pragma once
#include "base/segoff.h"

struct bios_regs {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint16_t ds, es, flags;
    uint16_t reserved;
};
#define FLAG_CARRY 1

// An address that C may use although page 0 is where NULL lives.
static inline void *low_memory(uint32_t address)
{
    __asm__("" : "+r"(address));
    return (void *)address;
}

// Runs a 16-bit function in real mode (mode.S says with what).
void real_call(uint32_t function);

// INT `vector` with these registers; they come back as the BIOS left them. Buffers must lie in base memory.
void bios_call(struct bios_regs *regs, uint8_t vector);

// INT 10h, teletype, of a NUL-terminated text that lies below 64 KiB.
void bios_print(const void *text);

// For 16-bit functions of others that call far: where to.
extern struct segoff real_target;
