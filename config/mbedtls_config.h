// SPDX-License-Identifier: MPL-2.0
// Mbed TLS, cut down to what verifying a seal needs: SHA-2, ECDSA on P-256 and P-384, ASN.1 reading.
#pragma once
#define MBEDTLS_MD5_C // HTTP Digest authentication alone
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#ifdef ECP_TABLES // 0: without multiples of the curves' base points, 4.4 KB that no packer makes smaller (config/targets/bios.mk)
#define MBEDTLS_ECP_FIXED_POINT_OPTIM ECP_TABLES
#endif
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C // asked for by MBEDTLS_ECDSA_C; nothing of it is linked
#define MBEDTLS_NO_UDBL_DIVISION
#define MBEDTLS_HAVE_ASM

// Memory comes from calloc and free under their own names: libc's on the host, the core's in the firmware,
// which has no stdlib.h to declare them.
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO calloc
#define MBEDTLS_PLATFORM_FREE_MACRO free
#include <stddef.h>
void *calloc(size_t count, size_t size);
void free(void *memory);
