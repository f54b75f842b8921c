// SPDX-License-Identifier: MPL-2.0
// A pool of one SHA-256 state: every draw hashes the pool, a counter and fresh timer values. That is enough for nonces
// against spoofing; no key is made here.
#include "efi/entropy.h"

#include "crypto/digest.h"
#include "efi/clock.h"
#include "efi/efi.h"

#define JITTER_ROUNDS 128
#define JITTER_STALLS 16
#define RDRAND_TRIES 10

static uint8_t pool[SHA256_SIZE];
static uint64_t counter;
static bool has_rdrand;

static void mix(const void *data, size_t len)
{
    const struct digest_piece pieces[] = { { pool, sizeof pool }, { data, len } };
    sha256_pieces(pieces, 2, pool);
}

#if defined(__x86_64__)
static bool find_rdrand(void)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (c & 1u << 30) != 0;
}

static bool hardware_word(uint64_t *ret)
{
    for (int i = 0; i < RDRAND_TRIES; i++) {
        uint64_t v;
        uint8_t ok;
        __asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
        // Some processors return all ones for ever after a resume and still say that all is well.
        if (ok && v != UINT64_MAX && v != 0) {
            *ret = v;
            return true;
        }
    }
    return false;
}
#else
static bool find_rdrand(void)
{
    return false;
}

static bool hardware_word(uint64_t *ret)
{
    return false;
}
#endif

void entropy_init(const void *unique, size_t len)
{
    static const struct efi_guid rng_guid = EFI_RNG_GUID;
    has_rdrand = find_rdrand();
    struct {
        uint64_t jitter[JITTER_ROUNDS];
        uint8_t rng[SHA256_SIZE];
    } s = { 0 };
    struct efi_rng *rng;
    if (!efi_failed(efi_boot->locate_protocol(&rng_guid, NULL, (void **)&rng)))
        (void)rng->get(rng, NULL, sizeof s.rng, s.rng); // without it jitter and RDRAND remain
    // How long a call into the firmware takes differs a little each time.
    for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
        if (i < JITTER_STALLS)
            (void)efi_boot->stall(10);
        s.jitter[i] = clock_counter();
    }
    mix(&s, sizeof s);
    mix(unique, len);
}

void entropy_bytes(void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len > 0) {
        struct {
            uint64_t count, ticks, hardware[4];
        } fresh = { .count = ++counter, .ticks = clock_counter() };
        for (unsigned i = 0; has_rdrand && i < ARRAY_SIZE(fresh.hardware); i++)
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
