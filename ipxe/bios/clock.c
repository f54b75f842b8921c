// SPDX-License-Identifier: MPL-2.0
// The clock. Nothing may touch PIT channel 0, which is the BIOS's; channel 2 (the speaker's) is free to measure with.
#include "bios/clock.h"
#include "bios/ports.h"
#include "real/real.h"

#define PIT_HZ 1193182u
#define PIT_MEASURE 5966u // 5 ms: a port takes some microseconds, in a virtual machine some tens
#define PIT_MS 5
#define PIT_TRIES 3
#define BDA_TICKS 0x46c
#define BDA_MIDNIGHT_TICKS 0x1800b0u
#define TICK_US 54925u

static uint32_t tsc_khz;   // 0: no counter
static uint32_t us_factor; // microseconds = ticks * us_factor / 2^32
static uint64_t tsc_base;
static uint32_t last_tick;
static uint64_t tick_us, last_us;

static bool has_cpuid(void)
{
    // CPUID exists when bit 21 of EFLAGS can be changed.
    uint32_t before, after;
    __asm__ volatile("pushfl; popl %0; movl %0, %1; xorl $0x200000, %1; pushl %1; popfl; pushfl; popl %1; pushl %0; popfl"
                     : "=&r"(before), "=&r"(after)
                     :
                     : "cc");
    return ((before ^ after) & 0x200000) != 0;
}

bool clock_cpuid(uint32_t leaf, struct cpuid *ret)
{
    struct cpuid c;
    memset(ret, 0, sizeof *ret);
    if (!has_cpuid())
        return false;
    __asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx) : "a"(leaf & 0x80000000u), "c"(0));
    if (c.eax < leaf)
        return false;
    __asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx) : "a"(leaf), "c"(0));
    *ret = c;
    return true;
}

static uint64_t rdtsc(void)
{
    uint64_t v;
    __asm__ volatile("rdtsc" : "=A"(v));
    return v;
}

// n / d for a quotient below 2^32: one `divl`.
static uint32_t divide(uint32_t high, uint32_t low, uint32_t d)
{
    uint32_t q, r;
    __asm__("divl %4" : "=a"(q), "=d"(r) : "a"(low), "d"(high), "r"(d) : "cc");
    return q;
}

// Ticks of the counter during PIT_MS of PIT channel 2, 0 when the PIT does not run.
static uint32_t measure(void)
{
    uint8_t gate = in8(0x61);
    out8(0x61, (uint8_t)((gate & ~0x02) | 0x01)); // gate on, speaker off
    out8(0x43, 0xb0);                              // channel 2, both bytes, mode 0: output rises at zero
    out8(0x42, PIT_MEASURE & 0xff);
    out8(0x42, PIT_MEASURE >> 8);
    uint64_t start = rdtsc(), end = start;
    uint32_t spins = 0;
    while (!(in8(0x61) & 0x20) && ++spins < 10000000u)
        ;
    end = rdtsc();
    out8(0x61, gate);
    uint64_t delta = end - start;
    return spins < 2 || spins >= 10000000u || delta >> 32 ? 0 : (uint32_t)delta;
}

void clock_init(bool use_tsc)
{
    struct cpuid c;
    tsc_khz = 0;
    tick_us = last_us = 0;
    if (use_tsc && clock_cpuid(1, &c) && (c.edx & 1u << 4)) {
        // The shortest of a few: everything that disturbs a measurement lengthens it.
        uint32_t best = 0;
        for (int i = 0; i < PIT_TRIES; i++) {
            uint32_t t = measure();
            if (t != 0 && (best == 0 || t < best))
                best = t;
        }
        if (best >= PIT_MS * 1000) { // 1 MHz: anything below is no counter
            tsc_khz = best / PIT_MS;
            us_factor = divide(1000, 0, tsc_khz);
            tsc_base = rdtsc();
        }
    }
    memcpy(&last_tick, low_memory(BDA_TICKS), 4);
}

uint64_t clock_us(void)
{
    if (tsc_khz != 0) {
        uint64_t t = rdtsc() - tsc_base;
        uint64_t us = (uint64_t)(uint32_t)t * us_factor >> 32;
        us += (uint64_t)(uint32_t)(t >> 32) * us_factor;
        if (us < last_us) // never back, whatever a virtual machine does to the counter
            us = last_us;
        last_us = us;
        return us;
    }
    uint32_t tick;
    memcpy(&tick, low_memory(BDA_TICKS), 4);
    uint32_t step = tick >= last_tick ? tick - last_tick : tick + BDA_MIDNIGHT_TICKS - last_tick;
    last_tick = tick;
    tick_us += (uint64_t)step * TICK_US;
    return tick_us;
}

uint64_t clock_tsc(void)
{
    return tsc_khz != 0 ? rdtsc() : 0;
}

uint32_t clock_tsc_khz(void)
{
    return tsc_khz;
}
