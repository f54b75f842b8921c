// SPDX-License-Identifier: MPL-2.0
// Published vectors: FIPS 180-4 examples and RFC 4231. tools/digest_openssl_test.c runs the same file
// against the digests of the host tools.
#include "crypto/digest.h"

#include "base/test.h"

static const char *hex(const uint8_t *bytes, size_t len)
{
    static char text[2 * DIGEST_MAX + 1];
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
static const char two_long_blocks[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                                      "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

static const char *sha256_hex(const void *data, size_t len)
{
    uint8_t digest[SHA256_SIZE];
    sha256(data, len, digest);
    return hex(digest, sizeof digest);
}

TEST(sha256_vectors)
{
    CHECK_STR(sha256_hex(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_STR(sha256_hex("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(sha256_hex(two_blocks, strlen(two_blocks)),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(sha256_million)
{
    struct sha256 ctx;
    uint8_t digest[SHA256_SIZE], block[1000];
    memset(block, 'a', sizeof block);
    sha256_init(&ctx);
    for (int i = 0; i < 1000; i++)
        sha256_update(&ctx, block, sizeof block);
    sha256_final(&ctx, digest);
    CHECK_STR(hex(digest, sizeof digest), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Every way to cut 200 bytes in two gives the same digest, across both block boundaries.
TEST(sha256_cut_anywhere)
{
    uint8_t data[200], whole[SHA256_SIZE], cut[SHA256_SIZE];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    sha256(data, sizeof data, whole);
    for (size_t i = 0; i <= sizeof data; i++) {
        struct sha256 ctx;
        sha256_init(&ctx);
        sha256_update(&ctx, data, i);
        sha256_update(&ctx, data + i, sizeof data - i);
        sha256_final(&ctx, cut);
        CHECK(memcmp(whole, cut, sizeof cut) == 0);
    }
}

// The protocol keeps one context a chunk and copies it: a copy goes on as the original would have.
TEST(sha256_copied)
{
    struct sha256 a, b;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&a);
    sha256_update(&a, two_blocks, 10);
    b = a;
    sha256_update(&a, "something else", 14);
    sha256_update(&b, two_blocks + 10, strlen(two_blocks) - 10);
    sha256_final(&b, digest);
    CHECK_STR(hex(digest, sizeof digest), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(sha384_vectors)
{
    uint8_t digest[SHA384_SIZE];
    sha384_pieces(NULL, 0, digest);
    CHECK_STR(hex(digest, sizeof digest), "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
                                          "274edebfe76f65fbd51ad2f14898b95b");
    struct digest_piece abc = { "abc", 3 };
    sha384_pieces(&abc, 1, digest);
    CHECK_STR(hex(digest, sizeof digest), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                          "8086072ba1e7cc2358baeca134c825a7");
    struct digest_piece pieces[3] = { { two_long_blocks, 60 },
                                      { NULL, 0 },
                                      { two_long_blocks + 60, sizeof two_long_blocks - 1 - 60 } };
    sha384_pieces(pieces, 3, digest);
    CHECK_STR(hex(digest, sizeof digest), "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
                                          "fcc7c71a557e2db966c3e9fa91746039");
}

TEST(sha256_of_pieces)
{
    struct digest_piece pieces[3] = { { two_blocks, 1 }, { NULL, 0 }, { two_blocks + 1, sizeof two_blocks - 2 } };
    uint8_t digest[SHA256_SIZE];
    sha256_pieces(pieces, 3, digest);
    CHECK_STR(hex(digest, sizeof digest), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// RFC 1321, A.5.
TEST(md5_of_pieces)
{
    struct digest_piece pieces[3] = { { "abcdefghijklm", 13 }, { NULL, 0 }, { "nopqrstuvwxyz", 13 } };
    uint8_t digest[MD5_SIZE];
    md5_pieces(pieces, 3, digest);
    CHECK_STR(hex(digest, sizeof digest), "c3fcd3d76192e4007dfb496cca67e13b");
    md5_pieces(NULL, 0, digest);
    CHECK_STR(hex(digest, sizeof digest), "d41d8cd98f00b204e9800998ecf8427e");
}

static const char *hmac_hex(const void *key, size_t key_len, const char *data, size_t len)
{
    uint8_t mac[SHA256_SIZE];
    hmac_sha256(key, key_len, data, len, mac);
    return hex(mac, sizeof mac);
}

TEST(hmac_rfc4231)
{
    static const char long_data[] = "This is a test using a larger than block-size key and a larger than block-size "
                                    "data. The key needs to be hashed before being used by the HMAC algorithm.";
    uint8_t key[131], data[50];
    memset(key, 0x0b, 20);
    CHECK_STR(hmac_hex(key, 20, "Hi There", 8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK_STR(hmac_hex("Jefe", 4, "what do ya want for nothing?", 28),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    CHECK_STR(hmac_hex(key, 20, (char *)data, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK_STR(hmac_hex(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK_STR(hmac_hex(key, 131, long_data, sizeof long_data - 1),
              "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    for (uint8_t i = 0; i < 25; i++)
        key[i] = (uint8_t)(i + 1);
    memset(data, 0xcd, sizeof data);
    CHECK_STR(hmac_hex(key, 25, (char *)data, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    memset(key, 0x0c, 20);
    // RFC 4231 prints the first 16 bytes of this one.
    CHECK(strncmp(hmac_hex(key, 20, "Test With Truncation", 20), "a3b6167473100ee06e0c796c2955552b", 32) == 0);
}

TEST(equal_sees_every_bit)
{
    uint8_t a[SHA256_SIZE] = { 0 }, b[SHA256_SIZE] = { 0 };
    CHECK(digest_equal(a, b, sizeof a));
    for (unsigned bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!digest_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

// Any length of two messages, of which one or both have begun a block, and what comes behind.
static unsigned wrong_together(size_t before, size_t other_before)
{
    static uint8_t data[1500];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    unsigned wrong = 0;
    for (size_t len = 0; len <= 400; len++) {
        struct sha256 both[2];
        uint8_t *const from[] = { data, data + 700 + len % 16 }, digest[SHA256_SIZE], expected[SHA256_SIZE];
        const size_t begun[] = { before, other_before };
        for (size_t i = 0; i < 2; i++) {
            sha256_init(&both[i]);
            sha256_update(&both[i], from[i], begun[i]);
        }
        sha256_update_two(&both[0], from[0] + before, &both[1], from[1] + other_before, len);
        for (size_t i = 0; i < 2; i++) {
            sha256_update(&both[i], from[i] + begun[i] + len, 99);
            sha256_final(&both[i], digest);
            sha256(from[i], begun[i] + len + 99, expected);
            wrong += memcmp(digest, expected, sizeof digest) != 0;
        }
    }
    return wrong;
}

TEST(two_messages_together)
{
    static const size_t begun[] = { 0, 1, 63, 64, 100, 128 };
    const char *name = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(begun); i++)
        for (size_t j = 0; j < ARRAY_SIZE(begun); j++)
            CHECK_EQ(wrong_together(begun[i], begun[j]), 0);
    CHECK(sha256_accelerate(&name) != SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG, name);
    for (size_t i = 0; i < ARRAY_SIZE(begun); i++)
        for (size_t j = 0; j < ARRAY_SIZE(begun); j++)
            CHECK_EQ(wrong_together(begun[i], begun[j]), 0);
}

TEST_MAIN(T(sha256_vectors), T(sha256_million), T(sha256_cut_anywhere), T(sha256_copied), T(sha384_vectors),
          T(sha256_of_pieces), T(md5_of_pieces), T(hmac_rfc4231), T(equal_sees_every_bit),
          T(two_messages_together))
