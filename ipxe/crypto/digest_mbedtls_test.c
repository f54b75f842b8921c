// SPDX-License-Identifier: MPL-2.0
// sha256_accelerate() before instructions that are played here: right ones are used, wrong ones are found out.
#include <mbedtls/sha256.h>

#include "base/test.h"
#include "crypto/digest.h"
#include "crypto/digest_hw.h"

const char sha256_hw_name[] = "played";
static bool present;
static unsigned calls;
// Which calls give a wrong result.
static bool (*wrong)(const uint8_t *data, size_t count);

// Of Mbed TLS, for its own files.
int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char data[64]);

bool sha256_hw_present(void)
{
    return present;
}

void sha256_hw_blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    mbedtls_sha256_context ctx;
    calls++;
    memcpy(ctx.MBEDTLS_PRIVATE(state), state, sizeof ctx.MBEDTLS_PRIVATE(state));
    for (size_t i = 0; i < count; i++)
        mbedtls_internal_sha256_process(&ctx, data + i * 64);
    memcpy(state, ctx.MBEDTLS_PRIVATE(state), sizeof ctx.MBEDTLS_PRIVATE(state));
    state[7] ^= wrong(data, count);
}

static bool never(const uint8_t *data, size_t count)
{
    return false;
}
static bool always(const uint8_t *data, size_t count)
{
    return true;
}
static bool at_odd_addresses(const uint8_t *data, size_t count)
{
    return (uintptr_t)data % 2;
}
static bool with_one_block(const uint8_t *data, size_t count)
{
    return count == 1;
}
static bool with_many_blocks(const uint8_t *data, size_t count)
{
    return count > 8;
}

static enum sha256_by accelerate(bool is_present, bool (*is_wrong)(const uint8_t *, size_t))
{
    const char *name;
    present = is_present;
    wrong = is_wrong;
    return sha256_accelerate(&name);
}

// Calls of the instructions while a digest is made, and the digest is right.
static int calls_for_a_digest(void)
{
    static const uint8_t zeros[256];
    static const uint8_t known[4] = { 0x53, 0x41, 0xe6, 0xb2 }; // of SHA-256 of 256 zero bytes
    uint8_t digest[SHA256_SIZE];
    calls = 0;
    sha256(zeros, sizeof zeros, digest);
    return memcmp(digest, known, sizeof known) == 0 ? (int)calls : -1;
}

TEST(right_ones_are_used)
{
    CHECK_EQ(accelerate(true, never), SHA256_BY_HARDWARE);
    CHECK_EQ(calls_for_a_digest(), 1);
}

TEST(none_are_not)
{
    CHECK_EQ(accelerate(false, never), SHA256_BY_LIBRARY);
    CHECK_EQ(calls_for_a_digest(), 0);
}

TEST(wrong_ones_are_not)
{
    bool (*const faults[])(const uint8_t *, size_t) = { always, at_odd_addresses, with_one_block, with_many_blocks };
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        CHECK_EQ(accelerate(true, faults[i]), SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG);
        CHECK_EQ(calls_for_a_digest(), 0);
    }
}

TEST_MAIN(T(right_ones_are_used), T(none_are_not), T(wrong_ones_are_not))
