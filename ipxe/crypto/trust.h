// SPDX-License-Identifier: MPL-2.0
// Trust anchors: the public keys, the threshold and the policy against which a seal is judged, and the
// verification of one signature by one key (over Mbed TLS).
#pragma once
#include "base/err.h"
#include "crypto/digest.h"

#define TRUST_KEYS_MAX 16
#define TRUST_PRODUCT_MAX 64 // with NUL
#define KEY_ID_SIZE SHA256_SIZE
#define SPKI_DER_MAX 256

// Signature algorithms, as the seal's signature table spells them (doc/phase2-format.md). The numbers from
// 16 on are set aside for post-quantum algorithms; an image may carry such entries beside ECDSA ones.
enum sig_algorithm {
    SIG_ECDSA_P256_SHA256 = 1, // r || s, 64 bytes, over SHA-256 of the signed message
    SIG_ECDSA_P384_SHA384 = 2, // r || s, 96 bytes, over SHA-384 of the signed message
    SIG_LMS_SHA256_M32_H10 = 16,
    SIG_ML_DSA_65 = 17,
    SIG_ML_DSA_87 = 18,
};
#define SIG_SIZE_MAX 96 // of the algorithms that can be verified today

struct trust_key {
    uint8_t id[KEY_ID_SIZE]; // SHA-256 of the SubjectPublicKeyInfo in DER
    uint32_t algorithm;      // enum sig_algorithm: belongs to the key, never to the image
    uint16_t point_len;
    uint8_t point[97];       // uncompressed point (SEC 1 2.3.3): 04 || X || Y
};

struct trust_store {
    uint32_t key_count;
    uint32_t threshold;      // distinct keys that must have signed; 0 counts as 1
    uint64_t counter_floor;  // smallest security counter that may boot
    char product[TRUST_PRODUCT_MAX]; // "" = any product
    struct trust_key keys[TRUST_KEYS_MAX];
};

// Reads a SubjectPublicKeyInfo (RFC 5480) in DER into a key. ERR_KEY_FORMAT when it is not one (or has
// trailing bytes, or the point is not on the curve), ERR_KEY_KIND for another algorithm or curve.
int trust_key_from_spki(const uint8_t *der, size_t len, struct trust_key *ret);

// Adds a key; the same key twice is added once. ERR_TRUST_FULL.
int trust_add(struct trust_store *store, const struct trust_key *key);

// The key with this id, or NULL.
const struct trust_key *trust_find(const struct trust_store *store, const uint8_t id[KEY_ID_SIZE]);

// Size in bytes of a signature by this algorithm, 0 when it cannot be verified here.
size_t sig_size(uint32_t algorithm);

// Verifies one signature over the concatenation of the pieces. 0, or ERR_SEAL_SIGNATURE (also for a wrong
// length or out-of-range r, s), ERR_KEY_KIND for an algorithm not known here.
int sig_verify(const struct trust_key *key, const struct digest_piece *message, size_t pieces,
               const uint8_t *signature, size_t signature_len);
