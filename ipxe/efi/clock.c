// SPDX-License-Identifier: MPL-2.0
// See clock.h. x86: the time-stamp counter, measured against the firmware's Stall. arm64: the virtual counter, which
// knows its own frequency.
#include "efi/clock.h"

#include "efi/efi.h"

#define MEASURE_US 20000
#define MEASURE_TRIES 3

#define SCALE_SHIFT 40

static uint64_t scale, base, last_us; // scale: microseconds of a tick, in units of 2^-40

uint64_t clock_counter(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
#else
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
    return ticks;
#endif
}

// Ticks of a millisecond.
static uint64_t measure(void)
{
#if defined(__x86_64__)
    // The shortest of a few: everything that disturbs a measurement lengthens it.
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < MEASURE_TRIES; i++) {
        uint64_t start = clock_counter();
        (void)efi_boot->stall(MEASURE_US);
        best = MIN(best, clock_counter() - start);
    }
    return best / (MEASURE_US / 1000);
#else
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz / 1000;
#endif
}

void clock_init(void)
{
    scale = ((uint64_t)1000 << SCALE_SHIFT) / MAX(measure(), (uint64_t)1);
    base = clock_counter();
}

uint64_t clock_us(void)
{
    uint64_t ticks = clock_counter() - base;
    uint64_t us = (uint64_t)((unsigned __int128)ticks * scale >> SCALE_SHIFT);
    last_us = MAX(last_us, us); // never back, whatever a virtual machine does to the counter
    return last_us;
}
