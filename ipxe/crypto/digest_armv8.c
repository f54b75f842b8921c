// SPDX-License-Identifier: MPL-2.0
// digest_hw.h by the SHA-2 instructions of ARMv8: the library's own code for them. It is asked for in place of the
// portable code, so its file is compiled here once more, under other names and with nothing else of it linked.
#include "crypto/digest_hw.h"

#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_ONLY
#define mbedtls_internal_sha256_process sha256_armv8_process
#define mbedtls_sha256 sha256_armv8
#define mbedtls_sha256_clone sha256_armv8_clone
#define mbedtls_sha256_finish sha256_armv8_finish
#define mbedtls_sha256_free sha256_armv8_free
#define mbedtls_sha256_init sha256_armv8_init
#define mbedtls_sha256_starts sha256_armv8_starts
#define mbedtls_sha256_update sha256_armv8_update
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything" // third-party code is compiled without warnings everywhere
#include <sha256.c>
#pragma clang diagnostic pop

#define ISAR0_SHA2_SHIFT 12 // ID_AA64ISAR0_EL1.SHA2, four bits: 1 = SHA-256, 2 = SHA-512 as well

const char sha256_hw_name[] = "ARMv8 SHA2";

bool sha256_hw_present(void)
{
    uint64_t features;
    __asm__("mrs %0, id_aa64isar0_el1" : "=r"(features));
    return (features >> ISAR0_SHA2_SHIFT & 0xf) != 0;
}

void sha256_hw_blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    mbedtls_sha256_context ctx;
    memcpy(ctx.state, state, sizeof ctx.state);
    (void)mbedtls_internal_sha256_process_many(&ctx, data, count * SHA256_BLOCK_SIZE);
    memcpy(state, ctx.state, sizeof ctx.state);
}
