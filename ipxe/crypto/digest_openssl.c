// SPDX-License-Identifier: MPL-2.0
// digest.h over libcrypto, for the host tools: the same results, several times as fast.
//
// The context functions are used, not EVP, although OpenSSL 3 calls them deprecated: their context is plain
// memory, so that it can live in a caller's struct and be copied or dropped, as digest.h promises.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <openssl/sha.h>

static SHA256_CTX *inner(struct sha256 *ctx)
{
    _Static_assert(sizeof(SHA256_CTX) <= sizeof ctx->opaque, "struct sha256 is too small");
    return (SHA256_CTX *)ctx->opaque;
}

// libcrypto chooses the processor's instructions by itself.
enum sha256_by sha256_accelerate(const char **ret_name)
{
    *ret_name = "libcrypto";
    return SHA256_BY_LIBRARY;
}

void sha256_init(struct sha256 *ctx)
{
    SHA256_Init(inner(ctx));
}

void sha256_update(struct sha256 *ctx, const void *data, size_t len)
{
    SHA256_Update(inner(ctx), data, len);
}

void sha256_final(struct sha256 *ctx, uint8_t digest[SHA256_SIZE])
{
    SHA256_Final(digest, inner(ctx));
}

void sha384_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA384_SIZE])
{
    SHA512_CTX ctx;
    SHA384_Init(&ctx);
    for (size_t i = 0; i < count; i++)
        SHA384_Update(&ctx, pieces[i].data, pieces[i].len);
    SHA384_Final(digest, &ctx);
}
