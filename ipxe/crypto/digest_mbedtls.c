// SPDX-License-Identifier: MPL-2.0
// digest.h over Mbed TLS: for the firmware, and for every flavor of the tests. Padding and what is less than a block
// are always the library's; whole blocks are the processor's where sha256_accelerate() found that it can.
#include "crypto/digest.h"

#include <mbedtls/md5.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "crypto/digest_hw.h"

#define BLOCK 64
#define CHECK_BYTES 1000

// The one variable of the pure folders: a fact about the processor, learned once. Either value gives the same digests.
static bool use_hardware;

// The library's functions return an error only for hardware that fails; the C code used here cannot.
static mbedtls_sha256_context *inner(struct sha256 *ctx)
{
    _Static_assert(sizeof(mbedtls_sha256_context) <= sizeof ctx->opaque, "struct sha256 is too small");
    return (mbedtls_sha256_context *)ctx->opaque;
}

void sha256_init(struct sha256 *ctx)
{
    mbedtls_sha256_init(inner(ctx));
    mbedtls_sha256_starts(inner(ctx), 0);
}

// Whole blocks by the processor, counted as the library counts. Only when no block is begun.
static void update_blocks(mbedtls_sha256_context *ctx, const uint8_t *data, size_t count)
{
    uint64_t total = (uint64_t)ctx->MBEDTLS_PRIVATE(total)[1] << 32 | ctx->MBEDTLS_PRIVATE(total)[0];
    total += (uint64_t)count * BLOCK;
    ctx->MBEDTLS_PRIVATE(total)[0] = (uint32_t)total;
    ctx->MBEDTLS_PRIVATE(total)[1] = (uint32_t)(total >> 32);
    sha256_hw_blocks(ctx->MBEDTLS_PRIVATE(state), data, count);
}

void sha256_update(struct sha256 *ctx, const void *data, size_t len)
{
    const uint8_t *p = data;
    if (use_hardware) {
        size_t begun = inner(ctx)->MBEDTLS_PRIVATE(total)[0] % BLOCK;
        size_t rest = begun ? MIN(BLOCK - begun, len) : 0;
        mbedtls_sha256_update(inner(ctx), p, rest);
        p += rest;
        len -= rest;
        size_t count = len / BLOCK;
        if (count > 0)
            update_blocks(inner(ctx), p, count);
        p += count * BLOCK;
        len -= count * BLOCK;
    }
    mbedtls_sha256_update(inner(ctx), p, len);
}

void sha256_update_two(struct sha256 *a, const void *x, struct sha256 *b, const void *y, size_t len)
{
    sha256_update(a, x, len);
    sha256_update(b, y, len);
}

void sha256_final(struct sha256 *ctx, uint8_t digest[SHA256_SIZE])
{
    mbedtls_sha256_finish(inner(ctx), digest);
}

static bool same_digest(const uint8_t *data, size_t len)
{
    uint8_t library[SHA256_SIZE], hardware[SHA256_SIZE];
    use_hardware = false;
    sha256(data, len, library);
    use_hardware = true;
    sha256(data, len, hardware);
    return memcmp(library, hardware, SHA256_SIZE) == 0;
}

enum sha256_by sha256_accelerate(const char **ret_name)
{
    // SHA-256 of 1000 times "a".
    static const uint8_t known[SHA256_SIZE] = {
        0x41, 0xed, 0xec, 0xe4, 0x2d, 0x63, 0xe8, 0xd9, 0xbf, 0x51, 0x5a, 0x9b, 0xa6, 0x93, 0x2e, 0x1c,
        0x20, 0xcb, 0xc9, 0xf5, 0xa5, 0xd1, 0x34, 0x64, 0x5a, 0xdb, 0x5d, 0xb1, 0xb9, 0x73, 0x7e, 0xa3,
    };
    *ret_name = sha256_hw_name;
    use_hardware = false;
    if (!sha256_hw_present())
        return SHA256_BY_LIBRARY;
    uint8_t data[CHECK_BYTES], digest[SHA256_SIZE];
    use_hardware = true;
    memset(data, 'a', sizeof data);
    sha256(data, sizeof data, digest);
    bool right = memcmp(digest, known, sizeof known) == 0;
    // Then bytes without a pattern: at every alignment, and one to fifteen blocks at a time.
    for (size_t i = 0, x = 1; i < sizeof data; i++, x = x * 1103515245u + 12345)
        data[i] = (uint8_t)(x >> 16);
    for (size_t i = 0; right && i < 16; i++)
        right = same_digest(data + i, sizeof data - i * (BLOCK - 1));
    use_hardware = right;
    return right ? SHA256_BY_HARDWARE : SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG;
}

void md5_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[MD5_SIZE])
{
    mbedtls_md5_context ctx;
    mbedtls_md5_init(&ctx);
    mbedtls_md5_starts(&ctx);
    for (size_t i = 0; i < count; i++)
        mbedtls_md5_update(&ctx, pieces[i].data, pieces[i].len);
    mbedtls_md5_finish(&ctx, digest);
}

void sha384_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA384_SIZE])
{
    mbedtls_sha512_context ctx;
    mbedtls_sha512_init(&ctx);
    mbedtls_sha512_starts(&ctx, 1);
    for (size_t i = 0; i < count; i++)
        mbedtls_sha512_update(&ctx, pieces[i].data, pieces[i].len);
    mbedtls_sha512_finish(&ctx, digest);
}
