// SPDX-License-Identifier: MPL-2.0
// What digest.h offers on top of the library's SHA-2, the same for every library.
#include "crypto/digest.h"

#define SHA256_BLOCK 64

void sha256(const void *data, size_t len, uint8_t digest[SHA256_SIZE])
{
    struct sha256 ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, data, len);
    sha256_final(&ctx, digest);
}

void sha256_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA256_SIZE])
{
    struct sha256 ctx;
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++)
        sha256_update(&ctx, pieces[i].data, pieces[i].len);
    sha256_final(&ctx, digest);
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t mac[SHA256_SIZE])
{
    uint8_t block[SHA256_BLOCK] = { 0 };
    uint8_t inner_digest[SHA256_SIZE];
    // RFC 2104: a key longer than a block is replaced by its digest.
    if (key_len > SHA256_BLOCK)
        sha256(key, key_len, block);
    else if (key_len > 0)
        memcpy(block, key, key_len);

    struct sha256 ctx;
    for (size_t i = 0; i < SHA256_BLOCK; i++)
        block[i] ^= 0x36;
    sha256_init(&ctx);
    sha256_update(&ctx, block, SHA256_BLOCK);
    sha256_update(&ctx, data, len);
    sha256_final(&ctx, inner_digest);

    for (size_t i = 0; i < SHA256_BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    sha256_init(&ctx);
    sha256_update(&ctx, block, SHA256_BLOCK);
    sha256_update(&ctx, inner_digest, SHA256_SIZE);
    sha256_final(&ctx, mac);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= (uint8_t)(x[i] ^ y[i]);
    return difference == 0;
}
