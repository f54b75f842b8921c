// SPDX-License-Identifier: MPL-2.0
// What a PC has to offer to a pool of randomness (crypto/pool.h).
#include "bios/entropy.h"

#include "bios/clock.h"
#include "bios/layout.h"
#include "bios/ports.h"
#include "crypto/pool.h"
#include "real/real.h"

#define JITTER_ROUNDS 256
#define RDRAND_TRIES 10
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

static struct pool pool;
static bool has_rdrand, has_rdseed;

static bool hardware_word(uint32_t *ret)
{
    for (int i = 0; i < RDRAND_TRIES; i++) {
        uint32_t v = 0;
        uint8_t ok = 0;
        if (has_rdseed)
            __asm__ volatile("rdseed %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
        if (!ok && has_rdrand)
            __asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
        // Some processors return all ones for ever after a resume and still say that all is well.
        if (ok && v != UINT32_MAX && v != 0) {
            *ret = v;
            return true;
        }
    }
    return false;
}

void entropy_init(const void *unique, size_t len)
{
    struct cpuid c;
    has_rdrand = clock_cpuid(1, &c) && (c.ecx & 1u << 30);
    has_rdseed = clock_cpuid(7, &c) && (c.ebx & 1u << 18);
    struct {
        uint64_t jitter[JITTER_ROUNDS];
        uint8_t cmos[128];
    } *s = low_memory(RX_RING); // not in use yet, and too large for a stack
    for (unsigned i = 0; i < sizeof s->cmos; i++) {
        out8(CMOS_INDEX, (uint8_t)i);
        s->cmos[i] = in8(CMOS_DATA);
    }
    // How long reading the PIT takes differs a little each time.
    for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
        out8(0x43, 0);
        uint32_t pit = in8(0x40);
        pit |= (uint32_t)in8(0x40) << 8;
        s->jitter[i] = clock_tsc() ^ (uint64_t)pit << 48;
    }
    pool_mix(&pool, s, sizeof *s);
    pool_mix(&pool, unique, len);
}

void entropy_add(const void *data, size_t len)
{
    pool_mix(&pool, data, len);
}

static size_t fresh(uint8_t out[POOL_FRESH_MAX])
{
    struct {
        uint64_t tsc, us;
        uint32_t hardware[8];
    } news = { .tsc = clock_tsc(), .us = clock_us() };
    _Static_assert(sizeof news <= POOL_FRESH_MAX, "fits");
    if (has_rdrand || has_rdseed)
        for (unsigned i = 0; i < ARRAY_SIZE(news.hardware); i++)
            if (!hardware_word(&news.hardware[i]))
                break;
    memcpy(out, &news, sizeof news);
    return sizeof news;
}

void entropy_bytes(void *buf, size_t len)
{
    pool_bytes(&pool, fresh, buf, len);
}
