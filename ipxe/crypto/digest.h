// SPDX-License-Identifier: MPL-2.0
// SHA-256, SHA-384, HMAC-SHA-256, and MD5 for old web servers. The firmware links digest_mbedtls.c, the host tools digest_openssl.c;
// the Makefile chooses, and digest_test.c runs against both.
#pragma once
#include "base/base.h"

#define MD5_SIZE 16
#define SHA256_SIZE 32
#define SHA384_SIZE 48
#define DIGEST_MAX SHA384_SIZE

// Room for either library's context, so that callers own it and no header of a library leaks out.
struct sha256 {
    uint64_t opaque[32];
};

// What computes SHA-256.
enum sha256_by {
    SHA256_BY_LIBRARY,  // portable code, or whatever the host's library chooses
    SHA256_BY_HARDWARE, // the processor's own instructions, whole blocks of them
    SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG,
};
// Looks for instructions of the processor, compares what they give with the library's results, and uses them from here
// on when there is no difference. Called once at the start, with the vector registers switched on and nobody else
// hashing. *ret_name is what the instructions are called.
enum sha256_by sha256_accelerate(const char **ret_name);

// Incremental SHA-256 (FIPS 180-4). A context may be abandoned or copied by assignment at any time.
void sha256_init(struct sha256 *ctx);
void sha256_update(struct sha256 *ctx, const void *data, size_t len);
void sha256_final(struct sha256 *ctx, uint8_t digest[SHA256_SIZE]);
// `len` bytes of each of two messages: on hosts where sha256_accelerate found the instructions, in less than the time of two
// updates.
void sha256_update_two(struct sha256 *a, const void *x, struct sha256 *b, const void *y, size_t len);

void sha256(const void *data, size_t len, uint8_t digest[SHA256_SIZE]);

// SHA-384 over up to three pieces in order (a piece may be NULL with length 0).
struct digest_piece {
    const void *data;
    size_t len;
};
void sha384_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA384_SIZE]);
void sha256_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[SHA256_SIZE]);

// MD5 (RFC 1321), which proves nothing: for passwords of HTTP (RFC 7616), and nothing that is trusted.
void md5_pieces(const struct digest_piece *pieces, size_t count, uint8_t digest[MD5_SIZE]);

// HMAC-SHA-256 (RFC 2104).
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t mac[SHA256_SIZE]);

// Equal, in time that depends on len only.
bool digest_equal(const void *a, const void *b, size_t len);
