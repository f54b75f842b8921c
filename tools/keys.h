// SPDX-License-Identifier: MPL-2.0
// Signing keys and trust anchors, through OpenSSL. Everything that libcrypto knows about keys stays in
// keys.c; what comes out are DER public keys, as the firmware reads them, and raw r || s signatures.
#pragma once
#include "crypto/digest.h"
#include "crypto/trust.h"
#include "phase2/seal.h"
#include "tool.h"

#define KEY_FILE_MAX (64 * 1024)

struct signing_key; // a private key

// A public key, and what the firmware makes of it.
struct public_key {
    uint8_t der[SPKI_DER_MAX]; // SubjectPublicKeyInfo
    size_t der_len;
    struct trust_key trust;
};

// Short name of an algorithm for people ("ecdsa-p256"), "algorithm N" is left to the caller: NULL then.
const char *key_algorithm_name(uint32_t algorithm);

// Makes a key. type: "ecdsa-p256" or "ecdsa-p384". NULL when the type is not known or libcrypto fails.
struct signing_key *key_generate(const char *type);

// Reads a private key in PEM: PKCS#8 or SEC 1 ("EC PRIVATE KEY"); for one with a passphrase the terminal is
// asked. NULL after a message that says what is wrong with the file.
struct signing_key *key_load(const char *path);

// The key's PEM texts, allocated (the private one: clear it with key_text_free).
char *key_private_pem(const struct signing_key *key, size_t *ret_len);
char *key_public_pem(const struct signing_key *key, size_t *ret_len);
void key_text_free(char *text, size_t len);

// The public half. 0, or a negative error: also when the firmware could not read the key.
int key_public(const struct signing_key *key, struct public_key *ret);

// Signs the pieces; signature holds sig_size(algorithm) <= SIG_SIZE_MAX bytes, r || s. Checked with the
// firmware's own verification before it is given out. The length, or a negative error.
int key_sign(const struct signing_key *key, const struct digest_piece *pieces, size_t count,
             uint8_t signature[SIG_SIZE_MAX]);
void key_free(struct signing_key *key);

// Reads a public key (PEM or DER SubjectPublicKeyInfo). 0, or -1 after a message.
int public_key_load(const char *path, struct public_key *ret);

// The public key that a trust store's entry was read from. 0, or ERR_KEY_FORMAT.
int public_key_from_trust(const struct trust_key *key, struct public_key *ret);

// Adds the keys of the files to a store. 0, or -1 after a message.
int trust_load(struct trust_store *store, const char *const *paths, size_t count);
