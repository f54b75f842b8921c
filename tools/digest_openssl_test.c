// SPDX-License-Identifier: MPL-2.0
// The digests of the host tools (libcrypto) against the same vectors as the firmware's. This file brings
// digest_openssl.c itself, so that the test library's digest_mbedtls.c is not linked.
#include "crypto/digest_openssl.c"
#include "crypto/digest_test.c"
