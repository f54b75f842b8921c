// SPDX-License-Identifier: MPL-2.0
// What a machine with UEFI has to offer to a pool of randomness (crypto/pool.h).
#include "efi/entropy.h"

#include "crypto/pool.h"
#include "efi/clock.h"
#include "efi/efi.h"

#define JITTER_ROUNDS 128
#define JITTER_STALLS 16
#define RDRAND_TRIES 10

static struct pool pool;
static bool has_rdrand;

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
    pool_mix(&pool, &s, sizeof s);
    pool_mix(&pool, unique, len);
}

static size_t fresh(uint8_t out[POOL_FRESH_MAX])
{
    struct {
        uint64_t ticks, hardware[4];
    } news = { .ticks = clock_counter() };
    _Static_assert(sizeof news <= POOL_FRESH_MAX, "fits");
    for (unsigned i = 0; has_rdrand && i < ARRAY_SIZE(news.hardware); i++)
        if (!hardware_word(&news.hardware[i]))
            break;
    memcpy(out, &news, sizeof news);
    return sizeof news;
}

void entropy_bytes(void *buf, size_t len)
{
    pool_bytes(&pool, fresh, buf, len);
}
