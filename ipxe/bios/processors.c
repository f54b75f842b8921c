// SPDX-License-Identifier: MPL-2.0
// See processors.h. Each begins at PROCESSOR_PAGE in real mode, where a jump to processor_entry.S is put for it.
#include "bios/processors.h"

#include "bios/clock.h"
#include "bios/layout.h"
#include "bios/network.h"
#include "bios/tables.h"
#include "crypto/digest_hw.h"
#include "image/acpi.h"
#include "real/real.h"
#include "real/selectors.h"

#define CPUID_APIC 0x200u // leaf 1, EDX
#define CPUID_VIRTUAL 0x80000000u // and ECX
#define MSR_APIC_BASE 0x1bu
#define APIC_BASE_X2 0x400u
#define APIC_BASE_ON 0x800u
#define APIC_BASE_MASK 0xfffff000u
#define APIC_SELF 0x20
#define APIC_COMMAND 0x300
#define APIC_TARGET 0x310
#define APIC_NUMBER_SHIFT 24
#define COMMAND_PENDING 0x1000u
#define COMMAND_INIT 0x4500u
#define COMMAND_START 0x4600u
#define INIT_US 10000
#define START_US 200
#define ARRIVAL_US 100000 // in a virtual machine each waits for its turn on a real one
#define COMMAND_US 1000
#define JUMP_FAR 0xea

// Where a processor finds what it needs; processor_entry.S reads them.
uint32_t processor_cr0, processor_cr4, processor_tickets;
struct PACKED {
    uint16_t limit;
    uint32_t base;
} processor_idt;
_Alignas(16) uint8_t processor_stacks[PROCESSORS_MAX][PROCESSOR_STACK];
extern const char processor_entry[], processor_halt[];

// An exception there must not become the first processor's panic, which calls the BIOS: it halts, and counts as lost.
#define EXCEPTIONS 32
static uint64_t gates[EXCEPTIONS];
#define GATE_INTERRUPT32 0x8e00ull

static struct hashboard *the_board; // NULL: it is not open yet
static bool same_hardware;          // what sha256_hw_present() says on the first processor
static unsigned arrived;
static uint8_t numbers[PROCESSORS_MAX];
static unsigned count; // that may be running

static volatile uint32_t *apic(uint32_t offset)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
    return high || (low & (APIC_BASE_ON | APIC_BASE_X2)) != APIC_BASE_ON ? NULL : low_memory((low & APIC_BASE_MASK) + offset);
}

static void wait_us(uint64_t us)
{
    for (uint64_t end = clock_us() + us; clock_us() < end;)
        __builtin_ia32_pause();
}

static void tell(uint8_t number, uint32_t command)
{
    *apic(APIC_TARGET) = (uint32_t)number << APIC_NUMBER_SHIFT;
    *apic(APIC_COMMAND) = command;
    for (uint64_t end = clock_us() + COMMAND_US; (*apic(APIC_COMMAND) & COMMAND_PENDING) && clock_us() < end;)
        __builtin_ia32_pause();
}

static void tell_all(uint32_t command)
{
    for (unsigned i = 0; i < count; i++)
        tell(numbers[i], command);
}

static unsigned here(void)
{
    return __atomic_load_n(&arrived, __ATOMIC_ACQUIRE);
}

static void wait_for_all(uint64_t us)
{
    for (uint64_t end = clock_us() + us; here() < count && clock_us() < end;)
        __builtin_ia32_pause();
}

static void rest(const uint32_t *news, uint32_t seen)
{
    __builtin_ia32_pause();
}

// What each does that has come here, on a stack of its own, with interrupts off.
void processor_work(void);
void processor_work(void)
{
    struct hashboard *board;
    if (sha256_hw_present() != same_hardware)
        return;
    __atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
    while (!(board = __atomic_load_n(&the_board, __ATOMIC_ACQUIRE)))
        __builtin_ia32_pause();
    hashboard_serve(board, rest);
}

// The numbers of the others. None: they are not to be had.
static unsigned find(void)
{
    struct cpuid cpu;
    size_t len;
    // The waits are of microseconds, which only a counter knows.
    if (!clock_tsc_khz() || !clock_cpuid(1, &cpu) || !(cpu.edx & CPUID_APIC) || !apic(0))
        return 0;
    const uint8_t *madt = table_find("APIC", &len);
    // A processor without a job spins. In a virtual machine that may take time from those that have one: a single one there.
    unsigned most = cpu.ecx & CPUID_VIRTUAL ? 1 : PROCESSORS_MAX;
    int found = madt ? acpi_read_apics(madt, len, (uint8_t)(*apic(APIC_SELF) >> APIC_NUMBER_SHIFT), numbers, most) : 0;
    return found < 0 ? 0 : (unsigned)found;
}

unsigned processors_start(void *ctx, struct hashboard *board)
{
    if (network_calls_roms())
        return 0;
    count = find();
    if (!count)
        return 0;
    the_board = NULL;
    arrived = processor_tickets = 0;
    same_hardware = sha256_hw_present();
    __asm__ volatile("mov %%cr0, %0\n\tmov %%cr4, %1" : "=r"(processor_cr0), "=r"(processor_cr4));
    for (unsigned i = 0; i < EXCEPTIONS; i++) // it lies below 64 KiB
        gates[i] = GATE_INTERRUPT32 << 32 | (uint32_t)SEL_CODE32 << 16 | (uint16_t)(uint32_t)processor_halt;
    processor_idt.limit = sizeof gates - 1;
    processor_idt.base = (uint32_t)gates;
    uint8_t *page = low_memory(PROCESSOR_PAGE);
    page[0] = JUMP_FAR;
    store32_le(page + 1, (uint32_t)processor_entry); // segment 0, since it lies below 64 KiB
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    tell_all(COMMAND_INIT);
    wait_us(INIT_US);
    tell_all(COMMAND_START | PROCESSOR_PAGE >> 12);
    wait_for_all(START_US);
    if (here() < count)
        tell_all(COMMAND_START | PROCESSOR_PAGE >> 12); // one that runs ignores it
    wait_for_all(ARRIVAL_US);
    unsigned workers = here();
    if (!workers) {
        processors_stop(ctx);
        return 0;
    }
    hashboard_open(board, workers);
    __atomic_store_n(&the_board, board, __ATOMIC_RELEASE);
    return workers;
}

void processors_stop(void *ctx)
{
    tell_all(COMMAND_INIT);
    if (count)
        wait_us(INIT_US);
    count = 0;
}
