// SPDX-License-Identifier: MPL-2.0
// A pool of one SHA-256 state: every draw hashes the pool, a counter and fresh timer values. That is enough for nonces
// against spoofing; no key is made here.
#include "bios/entropy.h"

#include "bios/clock.h"
#include "bios/real.h"
#include "crypto/digest.h"

#define JITTER_ROUNDS 256
#define RDRAND_TRIES 10
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

static uint8_t pool[SHA256_SIZE];
static uint64_t counter;
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

static void mix(const void *data, size_t len)
{
    const struct digest_piece pieces[] = { { pool, sizeof pool }, { data, len } };
    sha256_pieces(pieces, 2, pool);
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
    mix(s, sizeof *s);
    mix(unique, len);
}

void entropy_add(const void *data, size_t len)
{
    mix(data, len);
}

void entropy_bytes(void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len > 0) {
        struct {
            uint64_t count, tsc, us;
            uint32_t hardware[8];
        } fresh = { .count = ++counter, .tsc = clock_tsc(), .us = clock_us() };
        if (has_rdrand || has_rdseed)
            for (unsigned i = 0; i < ARRAY_SIZE(fresh.hardware); i++)
                if (!hardware_word(&fresh.hardware[i]))
                    break;
        mix(&fresh, sizeof fresh);
        // What is given out must not tell the pool.
        uint8_t block[SHA256_SIZE];
        const struct digest_piece pieces[] = { { "out", 3 }, { pool, sizeof pool } };
        sha256_pieces(pieces, 2, block);
        size_t n = MIN(len, sizeof block);
        memcpy(out, block, n);
        out += n;
        len -= n;
    }
}
