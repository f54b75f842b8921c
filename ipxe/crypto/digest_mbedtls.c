// SPDX-License-Identifier: MPL-2.0
// digest.h over Mbed TLS: for the firmware, and for every flavor of the tests.
#include "crypto/digest.h"

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

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

void sha256_update(struct sha256 *ctx, const void *data, size_t len)
{
    mbedtls_sha256_update(inner(ctx), data, len);
}

void sha256_final(struct sha256 *ctx, uint8_t digest[SHA256_SIZE])
{
    mbedtls_sha256_finish(inner(ctx), digest);
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
