// SPDX-License-Identifier: MPL-2.0
// See trust.h. Only the low layers of Mbed TLS are used: ASN.1 reading, curves, ECDSA.
#include "crypto/trust.h"

#include <mbedtls/asn1.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>

struct curve {
    uint32_t algorithm;
    mbedtls_ecp_group_id group;
    uint16_t field_size; // bytes of a coordinate and of r and s
    // What stands before the point in the one DER form that is accepted: SEQUENCE { SEQUENCE {
    // OID id-ecPublicKey, OID curve }, BIT STRING of 0 unused bits }.
    uint8_t prefix_len;
    uint8_t prefix[26];
};

static const struct curve curves[] = {
    { SIG_ECDSA_P256_SHA256, MBEDTLS_ECP_DP_SECP256R1, 32, 26,
      { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 } },
    { SIG_ECDSA_P384_SHA384, MBEDTLS_ECP_DP_SECP384R1, 48, 23,
      { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 } },
};

static const struct curve *curve_of(uint32_t algorithm)
{
    for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
        if (curves[i].algorithm == algorithm)
            return &curves[i];
    return NULL;
}

static uint16_t point_size(const struct curve *curve)
{
    return (uint16_t)(1 + 2 * curve->field_size);
}

// An error of the library: its memory ran out, or it did not like the input.
static int library_error(int err, int otherwise)
{
    return err == MBEDTLS_ERR_MPI_ALLOC_FAILED || err == MBEDTLS_ERR_ECP_ALLOC_FAILED ? ERR_NO_MEMORY : otherwise;
}

// True when the bytes are, as far as their outline goes, a SubjectPublicKeyInfo of any kind. Only used to
// tell "a key of another kind" from "not a key".
static bool looks_like_spki(const uint8_t *der, size_t len)
{
    unsigned char *p = (unsigned char *)der, *end = p + len;
    size_t inner = 0;
    mbedtls_asn1_buf oid, parameters;
    mbedtls_asn1_bitstring bits = { 0 };
    if (mbedtls_asn1_get_tag(&p, end, &inner, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0 ||
        p + inner != end)
        return false;
    if (mbedtls_asn1_get_alg(&p, end, &oid, &parameters) != 0 || oid.len == 0)
        return false;
    return mbedtls_asn1_get_bitstring(&p, end, &bits) == 0 && p == end && bits.unused_bits == 0;
}

// Loads the group and the point, and makes sure that it lies on the curve (SEC 1 3.2.2.1).
static int load_point(const struct curve *curve, const uint8_t *point, mbedtls_ecp_group *group, mbedtls_ecp_point *q)
{
    int err = mbedtls_ecp_group_load(group, curve->group);
    if (err == 0)
        err = mbedtls_ecp_point_read_binary(group, q, point, point_size(curve));
    if (err == 0)
        err = mbedtls_ecp_check_pubkey(group, q);
    return err == 0 ? 0 : library_error(err, ERR_KEY_FORMAT);
}

int trust_key_from_spki(const uint8_t *der, size_t len, struct trust_key *ret)
{
    // DER has one form for each key. Anything else is refused, so that one key cannot have two ids and be
    // counted twice against a threshold.
    const struct curve *curve = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
        if (len == (size_t)curves[i].prefix_len + point_size(&curves[i]) &&
            memcmp(der, curves[i].prefix, curves[i].prefix_len) == 0)
            curve = &curves[i];
    if (!curve)
        return len > 0 && looks_like_spki(der, len) ? ERR_KEY_KIND : ERR_KEY_FORMAT;

    const uint8_t *point = der + curve->prefix_len;
    mbedtls_ecp_group group;
    mbedtls_ecp_point q;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&q);
    int err = point[0] == 0x04 ? load_point(curve, point, &group, &q) : ERR_KEY_FORMAT;
    mbedtls_ecp_point_free(&q);
    mbedtls_ecp_group_free(&group);
    if (err)
        return err;

    *ret = (struct trust_key){ .algorithm = curve->algorithm, .point_len = point_size(curve) };
    memcpy(ret->point, point, ret->point_len);
    sha256(der, len, ret->id);
    return 0;
}

const struct trust_key *trust_find(const struct trust_store *store, const uint8_t id[KEY_ID_SIZE])
{
    for (uint32_t i = 0; i < store->key_count; i++)
        if (memcmp(store->keys[i].id, id, KEY_ID_SIZE) == 0)
            return &store->keys[i];
    return NULL;
}

int trust_add(struct trust_store *store, const struct trust_key *key)
{
    if (trust_find(store, key->id))
        return 0;
    if (store->key_count >= TRUST_KEYS_MAX)
        return ERR_TRUST_FULL;
    store->keys[store->key_count++] = *key;
    return 0;
}

size_t sig_size(uint32_t algorithm)
{
    const struct curve *curve = curve_of(algorithm);
    return curve ? (size_t)2 * curve->field_size : 0;
}

static int verify_ecdsa(const struct curve *curve, const struct trust_key *key, const uint8_t *digest,
                        size_t digest_len, const uint8_t *signature)
{
    mbedtls_ecp_group group;
    mbedtls_ecp_point q;
    mbedtls_mpi r, s;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&q);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);

    // Checked when the store was filled, but a store is plain memory: a second look costs little next to the
    // verification itself.
    int err = load_point(curve, key->point, &group, &q);
    if (err)
        goto out;
    int library = mbedtls_mpi_read_binary(&r, signature, curve->field_size);
    if (library == 0)
        library = mbedtls_mpi_read_binary(&s, signature + curve->field_size, curve->field_size);
    // Refuses r and s outside [1, n-1] (SEC 1 4.1.4).
    if (library == 0)
        library = mbedtls_ecdsa_verify(&group, digest, digest_len, &q, &r, &s);
    err = library == 0 ? 0 : library_error(library, ERR_SEAL_SIGNATURE);
out:
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&q);
    mbedtls_ecp_group_free(&group);
    return err;
}

int sig_verify(const struct trust_key *key, const struct digest_piece *message, size_t pieces,
               const uint8_t *signature, size_t signature_len)
{
    const struct curve *curve = curve_of(key->algorithm);
    if (!curve)
        return ERR_KEY_KIND;
    if (key->point_len != point_size(curve))
        return ERR_KEY_FORMAT;
    if (signature_len != sig_size(key->algorithm))
        return ERR_SEAL_SIGNATURE;

    uint8_t digest[DIGEST_MAX];
    size_t digest_len = SHA256_SIZE;
    if (key->algorithm == SIG_ECDSA_P384_SHA384) {
        sha384_pieces(message, pieces, digest);
        digest_len = SHA384_SIZE;
    } else {
        sha256_pieces(message, pieces, digest);
    }
    return verify_ecdsa(curve, key, digest, digest_len, signature);
}
