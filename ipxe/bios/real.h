// SPDX-License-Identifier: MPL-2.0
// The doors out of protected mode (door.S) for C. Not reentrant; interrupts are on while a call runs.
#pragma once
#include "base/base.h"
#include "bios/layout.h"

struct bios_regs {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint16_t ds, es, flags;
    uint16_t reserved;
};
#define FLAG_CARRY 1

// A far pointer as real mode keeps it.
struct PACKED segoff {
    uint16_t offset, segment;
};
static inline uint32_t segoff_address(struct segoff p)
{
    return ((uint32_t)p.segment << 4) + p.offset;
}
static inline struct segoff segoff_of(uint32_t low_address) // below 64 KiB: segment 0
{
    return (struct segoff){ .offset = (uint16_t)low_address, .segment = 0 };
}

// An address that C may use although page 0 is where NULL lives.
static inline void *low_memory(uint32_t address)
{
    __asm__("" : "+r"(address));
    return (void *)address;
}

// INT `vector` with these registers; they come back as the BIOS left them. Buffers must lie in BOUNCE.
void bios_call(struct bios_regs *regs, uint8_t vector);

// PXE API call with a parameter block of len bytes, which is copied down and back up. The ROM's return value
// (0 = success) or, when that is success, the block's Status.
uint16_t pxe_call(uint16_t function, void *param, size_t len);

// Runs one of door.S's and receive.S's 16-bit functions.
void real_call(uint32_t function);
extern char real_halt[], real_receive[], irq_entry[];

// Switches the processor's vector registers on until the machine is handed on. Only where there are any.
void vectors_on(void);

NORETURN void leave_to_rom(void);
NORETURN void start_kernel(uint32_t entry, uint32_t move_count);
NORETURN void triple_fault(void);

// Port input and output.
static inline uint8_t in8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint16_t in16(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void out16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

// Variables in base memory, start.S.
extern struct segoff entry_pxe, entry_pxenv, rom_stack;
extern uint16_t base_kib;
