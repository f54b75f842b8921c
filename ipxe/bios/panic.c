// SPDX-License-Identifier: MPL-2.0
// What happens when the processor raises an exception: the facts on the console, and the machine goes on to its next
// boot device, or restarts when that fails too.
#include "bios/panic.h"

#include "base/version.h"
#include "bios/away.h"
#include "bios/console.h"
#include "bios/leave.h"
#include "bios/native.h"
#include "bios/ports.h"
#include "bios/processors.h"
#include "bios/undi.h"
#include "real/selectors.h"

struct trap_frame {
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax, vector, error, eip, cs, eflags;
};

struct PACKED trap_gate {
    uint16_t offset_low, selector;
    uint8_t zero, type;
    uint16_t offset_high;
};

extern const char trap_stubs[];
static struct trap_gate trap_table[256];
void trap_handle(const struct trap_frame *f);

#define STUB_SIZE 16
#define EXCEPTIONS 32
#define GATE_INTERRUPT32 0x8e
#define STACK_WORDS 8

static const char *const exception_names[] = { "division by zero", "debug", "NMI", "breakpoint", "overflow",
                                               "bound", "invalid opcode", "no coprocessor", "double fault", "",
                                               "invalid TSS", "no segment", "stack fault", "protection fault" };

void panic_init(void)
{
    for (unsigned i = 0; i < EXCEPTIONS; i++) {
        uint32_t at = (uint32_t)trap_stubs + i * STUB_SIZE;
        trap_table[i] = (struct trap_gate){ .offset_low = (uint16_t)at, .offset_high = (uint16_t)(at >> 16),
                                            .selector = SEL_CODE32, .type = GATE_INTERRUPT32 };
    }
    struct PACKED {
        uint16_t limit;
        uint32_t base;
    } pointer = { sizeof trap_table - 1, (uint32_t)trap_table };
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void linger(void)
{
    for (unsigned i = 0; i < 5000000; i++)
        out8(0x80, 0);
}

static NORETURN void next_device(void)
{
    if (away()) {
        linger();
        triple_fault();
    }
    bios_say("panic: trying the next boot device.\n");
    processors_stop(NULL);
    native_drop_all();
    undi_close_all(); // no interrupt handler may outlive us
    leave_to_rom();
}

void trap_handle(const struct trap_frame *f)
{
    static unsigned depth;
    if (depth++ > 0) {
        // The way out failed as well. Restart, but leave time to read.
        if (depth == 2)
            bios_say("\npanic: again, at %08x; restarting.\n", f->eip);
        linger();
        triple_fault();
    }
    const char *name = f->vector < ARRAY_SIZE(exception_names) ? exception_names[f->vector] : "";
    bios_say("\npanic: exception %u %s, error %x, eip %08x flags %08x [%s]\n", f->vector, name, f->error, f->eip, f->eflags,
             signet_commit);
    bios_say("panic: eax %08x ebx %08x ecx %08x edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
    bios_say("panic: esi %08x edi %08x ebp %08x esp %08x\n", f->esi, f->edi, f->ebp, (uint32_t)(&f->eflags + 1));
    const uint32_t *stack = &f->eflags + 1;
    bios_say("panic: stack");
    for (unsigned i = 0; i < STACK_WORDS; i++)
        bios_say(" %08x", stack[i]);
    bios_say("\n");
    next_device();
}

void panic(const char *why)
{
    bios_say("\npanic: %s\n", why);
    next_device();
}
