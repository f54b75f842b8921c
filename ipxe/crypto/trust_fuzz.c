// SPDX-License-Identifier: MPL-2.0
// Any bytes as a public key, and as a signature.
#include "base/fuzz.h"
#include "crypto/testkeys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct digest_piece message = { "nobody ever signed this", 23 };
    struct trust_key key = { 0 };
    // Nobody did, so no bytes may pass; a key that was read is good for a (futile) verification.
    if (trust_key_from_spki(data, size, &key) == 0) {
        uint8_t signature[SIG_SIZE_MAX] = { 1 };
        if (sig_verify(&key, &message, 1, signature, sig_size(key.algorithm)) != ERR_SEAL_SIGNATURE)
            __builtin_trap();
    } else if (key.point_len != 0) {
        __builtin_trap();
    }
    static const enum testkey_name names[2] = { TESTKEY_P256_A, TESTKEY_P384_A };
    for (int i = 0; i < 2; i++) {
        key = testkey_public(names[i]);
        if (sig_verify(&key, &message, 1, data, size) == 0)
            __builtin_trap();
    }
    return 0;
}
