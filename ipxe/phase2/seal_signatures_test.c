// SPDX-License-Identifier: MPL-2.0
// Who must have signed: anchors, thresholds, the table of signatures.
#include "phase2/testseal.h"

TEST(no_trust_no_boot)
{
    struct trust_store empty = { 0 };
    struct testimage im;
    make_small_a(&im);
    CHECK_EQ(open_exact(im.file, im.seal_len, &empty), ERR_SEAL_NO_TRUST);
    testimage_free(&im);
    make_small(&im, NULL, 0);
    CHECK_EQ(open_exact(im.file, im.seal_len, &empty), ERR_SEAL_NO_TRUST);
    struct trust_store trust = trust_a();
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_UNSIGNED);
    testimage_free(&im);
}

TEST(emptied_table)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    size_t n = message_length(&im);
    CHECK_EQ(seal_build_table(NULL, 0, im.file + n, SEAL_TABLE_HEAD_SIZE), SEAL_TABLE_HEAD_SIZE);
    CHECK_EQ(open_exact(im.file, n + SEAL_TABLE_HEAD_SIZE, &trust), ERR_SEAL_UNSIGNED);
    // The entries left in place behind an empty table are not "after the last entry".
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_LENGTH);
    testimage_free(&im);
    // The count alone emptied.
    make_small_a(&im);
    store32_le(im.file + n + 4, 0);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_TABLE);
    testimage_free(&im);
}

TEST(repeated_key)
{
    enum testkey_name keys[2] = { TESTKEY_P256_A, TESTKEY_P256_B };
    struct trust_store trust = trust_in(keys, 2, 2);
    struct testimage im;
    make_small(&im, keys, 2);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    // The second entry becomes a copy of the first: one signature may not count twice.
    uint8_t *entry = im.file + message_length(&im) + SEAL_TABLE_HEAD_SIZE;
    const size_t entry_size = SEAL_ENTRY_HEAD_SIZE + 64;
    memcpy(entry + entry_size, entry, entry_size);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_REPEATED);
    // Also when the two differ in all but the key.
    entry[entry_size + SEAL_ENTRY_HEAD_SIZE] ^= 1;
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_REPEATED);
    // And when no one trusts the key.
    trust = trust_in(keys + 1, 1, 1);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_REPEATED);
    testimage_free(&im);
    struct trust_key a = testkey_public(TESTKEY_P256_A);
    struct seal_signature twice[2] = { { a.id, 1, a.point, 64 }, { a.id, 2, a.point, 64 } };
    uint8_t table[400];
    CHECK_EQ(seal_build_table(twice, 2, table, sizeof table), ERR_INVALID);
}

TEST(algorithm_is_the_keys)
{
    static const uint32_t others[] = { 0, SIG_ECDSA_P384_SHA384, SIG_LMS_SHA256_M32_H10, SIG_ML_DSA_65,
                                       SIG_ML_DSA_87, 0x101, 0x80000001, UINT32_MAX };
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    uint8_t *algorithm = im.file + message_length(&im) + SEAL_TABLE_HEAD_SIZE + KEY_ID_SIZE;
    CHECK_EQ(load32_le(algorithm), SIG_ECDSA_P256_SHA256);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        store32_le(algorithm, others[i]);
        CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_ALGORITHM);
    }
    testimage_free(&im);
}

TEST(wrong_key)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    enum testkey_name b = TESTKEY_P256_B;
    make_small(&im, &b, 1);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_UNTRUSTED);
    // B's signature under A's name.
    struct trust_key a = testkey_public(TESTKEY_P256_A);
    memcpy(im.file + message_length(&im) + SEAL_TABLE_HEAD_SIZE, a.id, KEY_ID_SIZE);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_SIGNATURE);
    testimage_free(&im);
}

TEST(signature_of_another_image)
{
    struct testimage x, y;
    struct trust_store trust = trust_a();
    testimage_make(&x, "x", 5000, 1, TESTKEY_P256_A);
    testimage_make(&y, "y", 5000, 2, TESTKEY_P256_A);
    size_t n = message_length(&x);
    CHECK_EQ(n, message_length(&y));
    memcpy(x.file + n, y.file + n, y.seal_len - n);
    CHECK_EQ(open_exact(x.file, x.seal_len, &trust), ERR_SEAL_SIGNATURE);
    testimage_free(&x);
    testimage_free(&y);
}

// The domain string keeps a signature made for another purpose from passing.
TEST(signature_without_domain)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    size_t n = message_length(&im);
    uint8_t *signature = im.file + n + SEAL_TABLE_HEAD_SIZE + SEAL_ENTRY_HEAD_SIZE;
    struct digest_piece bare = { im.file, n };
    testkey_sign(TESTKEY_P256_A, &bare, 1, signature);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_SIGNATURE);
    struct digest_piece no_nul[2] = { { SEAL_DOMAIN, sizeof SEAL_DOMAIN - 1 }, { im.file, n } };
    testkey_sign(TESTKEY_P256_A, no_nul, 2, signature);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_SIGNATURE);
    testimage_free(&im);
}

TEST(thresholds)
{
    enum testkey_name all[4] = { TESTKEY_P256_A, TESTKEY_P384_A, TESTKEY_P256_B, TESTKEY_P256_C };
    struct testimage im;
    for (uint32_t signers = 1; signers <= 4; signers++) {
        make_small(&im, all, signers);
        for (uint32_t threshold = 0; threshold <= 5; threshold++) {
            struct trust_store trust = trust_in(all, 4, threshold);
            int expected = threshold <= signers ? 0 : ERR_SEAL_THRESHOLD;
            CHECK_EQ(open_exact(im.file, im.seal_len, &trust), expected);
        }
        // Only the first is trusted: the others do not count, and do no harm.
        struct trust_store one = trust_in(all, 1, 1), two = trust_in(all, 1, 2);
        CHECK_EQ(open_exact(im.file, im.seal_len, &one), 0);
        CHECK_EQ(open_exact(im.file, im.seal_len, &two), ERR_SEAL_THRESHOLD);
        testimage_free(&im);
    }
}

// One bad signature of a trusted key refuses the image, however many good ones there are.
TEST(one_bad_signature_among_good_ones)
{
    enum testkey_name keys[3] = { TESTKEY_P256_A, TESTKEY_P256_B, TESTKEY_P256_C };
    struct trust_store trust = trust_in(keys, 3, 1);
    struct testimage im;
    make_small(&im, keys, 3);
    for (int i = 0; i < 3; i++) {
        uint8_t *entry = im.file + message_length(&im) + SEAL_TABLE_HEAD_SIZE + i * (SEAL_ENTRY_HEAD_SIZE + 64);
        entry[SEAL_ENTRY_HEAD_SIZE + 5] ^= 4;
        CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_SIGNATURE);
        entry[SEAL_ENTRY_HEAD_SIZE + 5] ^= 4;
    }
    testimage_free(&im);
}

// An entry of an algorithm that is not known here (post-quantum, say) stands beside an ECDSA one.
TEST(unknown_algorithm_of_an_unknown_key)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    size_t n = message_length(&im);
    struct seal_view view;
    CHECK_EQ(seal_view(im.file, im.seal_len, &view), 0);
    struct seal_signature s[2] = { seal_signature_at(&view, 0) };
    uint8_t copy[64], id[KEY_ID_SIZE], other[KEY_ID_SIZE] = { 1 }, *big = calloc(1, 4627);
    memcpy(copy, s[0].bytes, 64);
    memcpy(id, s[0].key_id, KEY_ID_SIZE);
    s[0].bytes = copy;
    s[0].key_id = id;
    s[1] = (struct seal_signature){ other, SIG_ML_DSA_87, big, 4627 };
    int table = seal_build_table(s, 2, im.file + n, SEAL_MAX - n);
    CHECK_EQ(table, 16 + 40 + 64 + 40 + 4632);
    CHECK_EQ(open_exact(im.file, n + (size_t)table, &trust), 0);
    // Its padding is looked at all the same.
    im.file[n + (size_t)table - 1] = 1;
    CHECK_EQ(open_exact(im.file, n + (size_t)table, &trust), ERR_SEAL_TABLE);
    free(big);
    testimage_free(&im);
}

TEST_MAIN(T(no_trust_no_boot), T(emptied_table), T(repeated_key), T(algorithm_is_the_keys), T(wrong_key),
          T(signature_of_another_image), T(signature_without_domain), T(thresholds), T(one_bad_signature_among_good_ones),
          T(unknown_algorithm_of_an_unknown_key))
