// SPDX-License-Identifier: MPL-2.0
// See helpers.h. By PSCI, the interface that the kernel uses a moment later: few arm64 firmwares have the MP services. A
// processor is turned on for a download, turns itself off when the board is closed, and must be known to be off before a
// kernel starts, which could not turn it on otherwise.
#include "efi/processors/helpers.h"

#include "crypto/digest_hw.h"
#include "efi/processors/psci.h"
#include "efi/processors/psci_entry.h"

#define STACK_SIZE 8192
#define EL2 2

static uint64_t on[HELPERS_MAX]; // turned on, and not yet known to be off
static unsigned on_count;
static struct {
    struct hashboard *board;
    bool same_hardware; // what sha256_hw_present() says on the first processor
} shared;
static struct psci_entry entries[HELPERS_MAX];
static _Alignas(16) uint8_t stacks[HELPERS_MAX][STACK_SIZE];

// The load leaves a mark on the word, and a store to it by any other processor is an event, which ends the wait.
static void rest(const uint32_t *news, uint32_t seen)
{
    uint32_t now;
    __asm__ volatile("ldaxr %w0, [%1]" : "=r"(now) : "r"(news) : "memory");
    if (now == seen)
        __asm__ volatile("wfe" : : : "memory");
}

static void other_processor(void)
{
    if (sha256_hw_present() == shared.same_hardware)
        hashboard_serve(shared.board, rest);
    psci_off();
}

#define READ(name)                                                                                                     \
    ({                                                                                                                 \
        uint64_t value;                                                                                                \
        __asm__ volatile("mrs %0, " #name : "=r"(value));                                                              \
        value;                                                                                                         \
    })

static struct psci_entry like_this_processor(void)
{
    _Static_assert(offsetof(struct psci_entry, tcr) == PSCI_ENTRY_TCR && offsetof(struct psci_entry, vbar) == PSCI_ENTRY_VBAR &&
                   offsetof(struct psci_entry, hcr) == PSCI_ENTRY_HCR && offsetof(struct psci_entry, stack) == PSCI_ENTRY_STACK &&
                   offsetof(struct psci_entry, procedure) == PSCI_ENTRY_PROCEDURE, "psci_entry.S reads it otherwise");
    struct psci_entry e = { .procedure = other_processor };
    if (READ(CurrentEL) >> 2 == EL2) {
        e.mair = READ(mair_el2), e.tcr = READ(tcr_el2), e.ttbr0 = READ(ttbr0_el2), e.vbar = READ(vbar_el2);
        e.access = READ(cptr_el2), e.hcr = READ(hcr_el2), e.sctlr = READ(sctlr_el2);
    } else {
        e.mair = READ(mair_el1), e.tcr = READ(tcr_el1), e.ttbr0 = READ(ttbr0_el1), e.vbar = READ(vbar_el1);
        e.access = READ(cpacr_el1), e.sctlr = READ(sctlr_el1);
    }
    return e;
}

// From the caches into memory, where a processor without caches finds it.
static void clean(const void *from, const void *end)
{
    uintptr_t step = (uintptr_t)4 << (READ(ctr_el0) >> 16 & 0xf); // DminLine: words
    for (uintptr_t p = (uintptr_t)from & ~(step - 1); p < (uintptr_t)end; p += step)
        __asm__ volatile("dc cvac, %0" : : "r"(p) : "memory");
    __asm__ volatile("dsb sy" : : : "memory");
}

bool helpers_back(void)
{
    while (on_count > 0 && psci_is_off(on[on_count - 1]))
        on_count--;
    return on_count == 0;
}

unsigned helpers_start(struct hashboard *board)
{
    uint64_t found[HELPERS_MAX];
    unsigned count = psci_find(found, HELPERS_MAX);
    helpers_settle();
    if (on_count || count == 0)
        return 0;
    hashboard_open(board, count);
    shared.board = board;
    shared.same_hardware = sha256_hw_present();
    for (unsigned i = 0; i < count; i++) {
        entries[i] = like_this_processor();
        entries[i].stack = stacks[i] + STACK_SIZE;
    }
    clean(entries, entries + count);
    clean(psci_entry, psci_entry_end);
    for (unsigned i = 0; i < count; i++)
        if (psci_is_off(found[i]) && psci_on(found[i], (uintptr_t)psci_entry, (uintptr_t)&entries[i]))
            on[on_count++] = found[i];
    return on_count;
}
