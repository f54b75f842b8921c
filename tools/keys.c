// SPDX-License-Identifier: MPL-2.0
// Keys through OpenSSL 3's EVP interface.
#include "keys.h"
#include "file.h"
#include "keys_name.h"
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct signing_key {
    EVP_PKEY *pkey;
    const struct key_type *type;
    struct trust_key trust;
};

static const struct key_type {
    const char *name, *curve;
    uint32_t algorithm;
    const char *digest;
} key_types[] = {
    { "ecdsa-p256", "prime256v1", SIG_ECDSA_P256_SHA256, "SHA256" },
    { "ecdsa-p384", "secp384r1", SIG_ECDSA_P384_SHA384, "SHA384" },
};

const char *key_algorithm_name(uint32_t algorithm)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (key_types[i].algorithm == algorithm)
            return key_types[i].name;
    return NULL;
}

// ---- what a key file holds -----------------------------------------------------------------------------

static const struct key_type *type_of(EVP_PKEY *pkey)
{
    char curve[64];
    size_t len;
    if (!EVP_PKEY_is_a(pkey, "EC") || !EVP_PKEY_get_group_name(pkey, curve, sizeof curve, &len))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (strcmp(curve, key_types[i].curve) == 0)
            return &key_types[i];
    return NULL;
}

// "an RSA key", "an EC key on secp521r1": for the message that refuses it.
static void describe(EVP_PKEY *pkey, char *text, size_t cap)
{
    char curve[64];
    size_t len;
    const char *name = EVP_PKEY_get0_type_name(pkey);
    if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, curve, sizeof curve, &len))
        snprintf(text, cap, "EC key on %s", curve);
    else
        snprintf(text, cap, "%s key", name ? name : "unknown");
}

static int refuse_type(const char *path, EVP_PKEY *pkey)
{
    char text[96];
    describe(pkey, text, sizeof text);
    return tool_error(path, "is of the wrong kind (%s): ecdsa-p256 or ecdsa-p384 is wanted", text);
}

// DER of the public half in the one form that the firmware reads: named curve, uncompressed point.
static int public_from(EVP_PKEY *pkey, struct public_key *ret)
{
    EVP_PKEY *copy = EVP_PKEY_dup(pkey);
    uint8_t *der = NULL;
    int len = -1, r = ERR_KEY_FORMAT;
    if (copy &&
        EVP_PKEY_set_utf8_string_param(copy, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") > 0 &&
        EVP_PKEY_set_utf8_string_param(copy, OSSL_PKEY_PARAM_EC_ENCODING, "named_curve") > 0)
        len = i2d_PUBKEY(copy, &der);
    if (len > 0 && (size_t)len <= sizeof ret->der) {
        struct public_key key = { .der_len = (size_t)len };
        memcpy(key.der, der, (size_t)len);
        r = trust_key_from_spki(key.der, key.der_len, &key.trust);
        if (r == 0)
            *ret = key;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(copy);
    ERR_clear_error();
    return r;
}

static struct signing_key *wrap(EVP_PKEY *pkey)
{
    struct public_key pub;
    const struct key_type *type = type_of(pkey);
    if (!type || public_from(pkey, &pub) != 0)
        return NULL;
    struct signing_key *key = tool_alloc(sizeof *key);
    *key = (struct signing_key){ .pkey = pkey, .type = type, .trust = pub.trust };
    return key;
}

struct signing_key *key_generate(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++) {
        if (strcmp(type, key_types[i].name) != 0)
            continue;
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", key_types[i].curve);
        struct signing_key *key = pkey ? wrap(pkey) : NULL;
        if (!key)
            EVP_PKEY_free(pkey);
        return key;
    }
    return NULL;
}

// How many blocks of PEM have a label that ends so.
static size_t count_blocks(const uint8_t *text, size_t len, const char *label_end)
{
    static const char begin[] = "-----BEGIN ";
    size_t count = 0;
    for (const uint8_t *at = text, *end = text + len; (at = memmem(at, (size_t)(end - at), begin, sizeof begin - 1)) != NULL; at++) {
        const char *label = (const char *)at + sizeof begin - 1; // a NUL stands behind the text
        size_t n = strcspn(label, "-\r\n");
        count += n >= strlen(label_end) && strncmp(label + n - strlen(label_end), label_end, strlen(label_end)) == 0;
    }
    return count;
}

// The public half of a file need not be that of its private one.
static bool halves_fit(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool fit = ctx && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return fit;
}

static int passphrase(char *buf, int size, int rwflag, void *ctx)
{
    if (isatty(STDIN_FILENO))
        return PEM_def_callback(buf, size, rwflag, NULL);
    *(bool *)ctx = true;
    return -1;
}

struct signing_key *key_load(const char *path)
{
    size_t len;
    bool no_terminal = false;
    uint8_t *text = file_read(path, KEY_FILE_MAX, &len);
    if (!text)
        return NULL;
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase, &no_terminal) : NULL;
    ERR_clear_error();
    struct signing_key *key = NULL;
    size_t blocks = count_blocks(text, len, "PRIVATE KEY");
    if (blocks > 1)
        tool_error(path, "holds %zu private keys: each --key names a file with one", blocks);
    else if (pkey && type_of(pkey) == NULL)
        refuse_type(path, pkey);
    else if (pkey && !halves_fit(pkey))
        tool_error(path, "is damaged: its private and its public half do not belong together");
    else if (pkey && !(key = wrap(pkey)))
        tool_error(path, "is damaged: its point is not on the curve");
    else if (!pkey && no_terminal)
        tool_error(path, "has a passphrase, and there is no terminal to ask for it");
    else if (!pkey && !key_name(path, text, len, true))
        tool_error(path, blocks ? "cannot be read: damaged key or wrong passphrase"
                                : "is not a private key in PEM");
    if (!key)
        EVP_PKEY_free(pkey);
    BIO_free(bio);
    OPENSSL_cleanse(text, len);
    free(text);
    return key;
}

void key_free(struct signing_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

// ---- writing keys --------------------------------------------------------------------------------------

static char *pem(const struct signing_key *key, bool private_half, size_t *ret_len)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text = NULL;
    if (bio && (private_half ? PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL)
                             : PEM_write_bio_PUBKEY(bio, key->pkey)) == 1) {
        long len = BIO_get_mem_data(bio, &data);
        text = tool_alloc((size_t)len + 1);
        memcpy(text, data, (size_t)len);
        OPENSSL_cleanse(data, (size_t)len);
        *ret_len = (size_t)len;
    }
    BIO_free(bio);
    return text;
}

char *key_private_pem(const struct signing_key *key, size_t *ret_len)
{
    return pem(key, true, ret_len);
}

char *key_public_pem(const struct signing_key *key, size_t *ret_len)
{
    return pem(key, false, ret_len);
}

void key_text_free(char *text, size_t len)
{
    if (text)
        OPENSSL_cleanse(text, len);
    free(text);
}

int key_public(const struct signing_key *key, struct public_key *ret)
{
    return public_from(key->pkey, ret);
}

// ---- signing -------------------------------------------------------------------------------------------

// ECDSA-Sig-Value in DER to r || s of fixed width.
static int raw_signature(const uint8_t *der, size_t len, uint8_t *raw, size_t raw_len)
{
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    int r = ERR_INTERNAL;
    if (sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)(raw_len / 2)) > 0 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + raw_len / 2, (int)(raw_len / 2)) > 0)
        r = 0;
    ECDSA_SIG_free(sig);
    return r;
}

static int der_signature(const struct signing_key *key, const struct digest_piece *pieces, size_t count, uint8_t *der,
                         size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ok = ctx && EVP_DigestSignInit_ex(ctx, &pctx, key->type->digest, NULL, NULL, key->pkey, NULL) == 1;
#ifdef OSSL_SIGNATURE_PARAM_NONCE_TYPE
    // RFC 6979, so that the same image and key give the same bytes. From OpenSSL 3.2 on; ignored by others.
    unsigned deterministic = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &deterministic),
                            OSSL_PARAM_construct_end() };
    if (ok)
        (void)EVP_PKEY_CTX_set_params(pctx, params);
#endif
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestSignUpdate(ctx, pieces[i].data, pieces[i].len) == 1;
    ok = ok && EVP_DigestSignFinal(ctx, der, len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? 0 : ERR_INTERNAL;
}

int key_sign(const struct signing_key *key, const struct digest_piece *pieces, size_t count,
             uint8_t signature[SIG_SIZE_MAX])
{
    uint8_t der[SIG_SIZE_MAX + 32];
    size_t der_len = sizeof der, raw_len = sig_size(key->type->algorithm);
    int r = der_signature(key, pieces, count, der, &der_len);
    if (r == 0)
        r = raw_signature(der, der_len, signature, raw_len);
    if (r == 0)
        r = sig_verify(&key->trust, pieces, count, signature, raw_len);
    return r == 0 ? (int)raw_len : r;
}

// ---- public keys and trust -----------------------------------------------------------------------------

// OpenSSL would ask for the passphrase of a private key here, too.
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf, (void)size, (void)rwflag, (void)ctx;
    return -1;
}

int public_key_load(const char *path, struct public_key *ret)
{
    size_t len;
    uint8_t *text = file_read(path, KEY_FILE_MAX, &len);
    if (!text)
        return -1;
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
    if (!pkey && bio) {
        BIO_reset(bio);
        pkey = d2i_PUBKEY_bio(bio, NULL);
    }
    size_t blocks = count_blocks(text, len, "PUBLIC KEY");
    EVP_PKEY *second = pkey && blocks == 0 ? d2i_PUBKEY_bio(bio, NULL) : NULL;
    ERR_clear_error();
    int r = -1;
    if (blocks > 1 || second)
        tool_error(path, "holds several public keys: each --trust names a file with one");
    else if (pkey && !type_of(pkey))
        refuse_type(path, pkey);
    else if (pkey && public_from(pkey, ret) != 0)
        tool_error(path, "is damaged: its point is not on the curve");
    else if (pkey)
        r = 0;
    else if (!key_name(path, text, len, false))
        tool_error(path, blocks ? "cannot be read: damaged public key" : "is not a public key (PEM or DER SubjectPublicKeyInfo)");
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(second);
    BIO_free(bio);
    OPENSSL_cleanse(text, len);
    free(text);
    return r;
}

int public_key_from_trust(const struct trust_key *key, struct public_key *ret)
{
    // RFC 5480: everything of a SubjectPublicKeyInfo that comes before the point is fixed for a curve.
    static const uint8_t p256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
    static const uint8_t p384[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 };
    bool is_p384 = key->algorithm == SIG_ECDSA_P384_SHA384;
    const uint8_t *head = is_p384 ? p384 : p256;
    size_t head_len = is_p384 ? sizeof p384 : sizeof p256;
    struct public_key made = { .der_len = head_len + key->point_len };
    memcpy(made.der, head, head_len);
    memcpy(made.der + head_len, key->point, key->point_len);
    if (trust_key_from_spki(made.der, made.der_len, &made.trust) != 0 ||
        memcmp(made.trust.id, key->id, KEY_ID_SIZE) != 0)
        return ERR_KEY_FORMAT;
    *ret = made;
    return 0;
}

int trust_load(struct trust_store *store, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct public_key key;
        if (public_key_load(paths[i], &key) != 0)
            return -1;
        int r = trust_add(store, &key.trust);
        if (r < 0) {
            tool_error(paths[i], "%s", err_text(r));
            return -1;
        }
    }
    return 0;
}
