// SPDX-License-Identifier: MPL-2.0
// digest.h over libcrypto, for the host tools: the same results, several times as fast.
//
// The context functions are used, not EVP, although OpenSSL 3 calls them deprecated: their context is plain
// memory, so that it can live in a caller's struct and be copied or dropped, as digest.h promises.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "crypto/digest_hw.h"

static SHA256_CTX *inner(struct sha256 *ctx)
{
    _Static_assert(sizeof(SHA256_CTX) <= sizeof ctx->opaque, "struct sha256 is too small");
    return (SHA256_CTX *)ctx->opaque;
}

#if defined(__x86_64__)
#define BLOCK 64
#define CHECK_BLOCKS 24

// A fact about the processor, learned once. Either value gives the same digests.
static bool two_at_once;

// Whole blocks of both, counted as libcrypto counts. Only when neither has begun a block.
static void update_blocks_two(SHA256_CTX *a, const uint8_t *x, SHA256_CTX *b, const uint8_t *y, size_t count)
{
    SHA256_CTX *const both[] = { a, b };
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        uint64_t bits = ((uint64_t)both[i]->Nh << 32 | both[i]->Nl) + (uint64_t)count * BLOCK * 8;
        both[i]->Nl = (uint32_t)bits;
        both[i]->Nh = (uint32_t)(bits >> 32);
    }
    sha256_hw_blocks_two(a->h, x, b->h, y, count);
}

void sha256_update_two(struct sha256 *a, const void *x, struct sha256 *b, const void *y, size_t len)
{
    size_t count = two_at_once && inner(a)->num == 0 && inner(b)->num == 0 ? len / BLOCK : 0, done = count * BLOCK;
    if (count > 0)
        update_blocks_two(inner(a), x, inner(b), y, count);
    sha256_update(a, (const uint8_t *)x + done, len - done);
    sha256_update(b, (const uint8_t *)y + done, len - done);
}

// Bytes without a pattern, at every alignment, one and more blocks at a time, against the library.
static bool two_are_right(void)
{
    uint8_t data[CHECK_BLOCKS * BLOCK], library[SHA256_SIZE], ours[SHA256_SIZE];
    for (size_t i = 0, n = 1; i < sizeof data; i++, n = n * 1103515245u + 12345)
        data[i] = (uint8_t)(n >> 16);
    for (size_t i = 0; i < 16; i++) {
        size_t len = (i + 1) * BLOCK;
        const uint8_t *const from[] = { data + i, data + sizeof data - len - i };
        struct sha256 both[2];
        sha256_init(&both[0]);
        sha256_init(&both[1]);
        sha256_update_two(&both[0], from[0], &both[1], from[1], len);
        for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
            sha256(from[k], len, library);
            sha256_final(&both[k], ours);
            if (memcmp(library, ours, sizeof ours) != 0)
                return false;
        }
    }
    return true;
}

// One message is libcrypto's business, which chooses the processor's instructions by itself; it has nothing for two.
enum sha256_by sha256_accelerate(const char **ret_name)
{
    two_at_once = sha256_hw_present();
    *ret_name = two_at_once ? sha256_hw_name : "libcrypto";
    if (!two_at_once)
        return SHA256_BY_LIBRARY;
    two_at_once = two_are_right();
    return two_at_once ? SHA256_BY_HARDWARE : SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG;
}
#else
void sha256_update_two(struct sha256 *a, const void *x, struct sha256 *b, const void *y, size_t len)
{
    sha256_update(a, x, len);
    sha256_update(b, y, len);
}

enum sha256_by sha256_accelerate(const char **ret_name)
{
    *ret_name = "libcrypto";
    return SHA256_BY_LIBRARY;
}
#endif

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

void md5_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[MD5_SIZE])
{
    MD5_CTX ctx;
    MD5_Init(&ctx);
    for (size_t i = 0; i < count; i++)
        MD5_Update(&ctx, pieces[i].data, pieces[i].len);
    MD5_Final(digest, &ctx);
}

void sha384_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA384_SIZE])
{
    SHA512_CTX ctx;
    SHA384_Init(&ctx);
    for (size_t i = 0; i < count; i++)
        SHA384_Update(&ctx, pieces[i].data, pieces[i].len);
    SHA384_Final(digest, &ctx);
}
