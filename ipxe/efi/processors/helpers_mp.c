// SPDX-License-Identifier: MPL-2.0
// See helpers.h. By the MP services protocol (PI specification, volume 2, 13.4). All processors are started once for a
// download and stay at the board until it is closed: the firmware takes milliseconds to start one and looks only ten times
// a second whether one is done.
#include "efi/processors/helpers.h"

#include "crypto/digest_hw.h"
#include "efi/efi.h"

#define CPUID_VIRTUAL 0x80000000u // leaf 1, ECX
#define CR0_MP 0x2ull
#define CR0_EM 0x4ull
#define CR0_TS 0x8ull
#define CR4_OSFXSR 0x200ull

static efi_event all_done; // signalled by the firmware when all are back; NULL: none was started
static struct {
    struct hashboard *board;
    bool same_hardware; // what sha256_hw_present() says on the first processor
    uint32_t tickets, most;
} shared;

// No MWAIT: there are processors that it does not wake (errata of MONITOR), and an emulator that runs processors beside
// one another takes it for a pause. No HLT: the interrupts of these processors are the firmware's.
static void rest(const uint32_t *news, uint32_t seen)
{
    __builtin_ia32_pause();
}

// The firmware promises vector registers for the first processor only. Never inline, which the optimization at link time would
// otherwise make of it: the saving of such registers, or any other use, must not come in front of their switching on.
static __attribute__((noinline)) void at_the_board(void)
{
    hashboard_serve(shared.board, rest);
}

// Runs on every other processor. The stack is small.
static void other_processor(void *arg)
{
    if (__atomic_fetch_add(&shared.tickets, 1, __ATOMIC_RELAXED) >= shared.most || sha256_hw_present() != shared.same_hardware)
        return;
    uint64_t cr0, cr4;
    __asm__ volatile("mov %%cr0, %0\n\tmov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    __asm__ volatile("mov %0, %%cr0\n\tmov %1, %%cr4" : : "r"((cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP), "r"(cr4 | CR4_OSFXSR) : "memory");
    at_the_board();
    __asm__ volatile("mov %0, %%cr0\n\tmov %1, %%cr4" : : "r"(cr0), "r"(cr4) : "memory");
}

// A processor without a job spins. In a virtual machine that may take time from those that have one: a single one there.
static unsigned most(void)
{
    uint32_t a = 1, b, c, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return c & CPUID_VIRTUAL ? 1 : HELPERS_MAX;
}

static struct efi_mp_services *services(void)
{
    static const struct efi_guid guid = EFI_MP_SERVICES_GUID;
    void *mp;
    return efi_failed(efi_boot->locate_protocol(&guid, NULL, &mp)) ? NULL : mp;
}

static void forget(void)
{
    (void)efi_boot->close_event(all_done);
    all_done = NULL;
}

bool helpers_back(void)
{
    if (all_done && efi_failed(efi_boot->check_event(all_done)))
        return false;
    if (all_done)
        forget();
    return true;
}

unsigned helpers_start(struct hashboard *board)
{
    struct efi_mp_services *mp = services();
    uint64_t count, enabled;
    helpers_settle();
    if (!mp || all_done || efi_failed(mp->count(mp, &count, &enabled)) || enabled < 2)
        return 0;
    if (efi_failed(efi_boot->create_event(0, 0, NULL, NULL, &all_done))) {
        all_done = NULL;
        return 0;
    }
    unsigned workers = (unsigned)MIN(enabled - 1, (uint64_t)most());
    hashboard_open(board, workers);
    shared.board = board;
    shared.same_hardware = sha256_hw_present();
    shared.tickets = 0;
    shared.most = workers;
    if (efi_failed(mp->startup_all(mp, other_processor, false, all_done, 0, NULL, NULL))) {
        forget();
        return 0;
    }
    return workers;
}
