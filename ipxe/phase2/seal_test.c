// SPDX-License-Identifier: MPL-2.0
// What a seal accepts, and everything it must refuse. The body's own rules are in seal_body_test.c.
#include "phase2/seal.h"

#include "base/test.h"
#include "phase2/testimage.h"

static struct seal opened;

static struct trust_store trust_in(const enum testkey_name *keys, unsigned count, uint32_t threshold)
{
    struct trust_store trust = { .threshold = threshold };
    for (unsigned i = 0; i < count; i++)
        testkey_trust(&trust, keys[i]);
    return trust;
}
static struct trust_store trust_a(void)
{
    enum testkey_name a = TESTKEY_P256_A;
    return trust_in(&a, 1, 1);
}

// Opens a copy in a heap block of exactly `len` bytes, so that ASan sees a byte read too many.
static int open_exact(const uint8_t *data, size_t len, const struct trust_store *trust)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int err = seal_open(copy, len, trust, &opened);
    free(copy);
    return err;
}
static int view_exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    struct seal_view view;
    int err = seal_view(copy, len, &view);
    free(copy);
    return err;
}

// The smallest image there is: one part, short texts.
static void make_small(struct testimage *im, const enum testkey_name *keys, uint32_t key_count)
{
    struct seal fields = { .name = "a", .chunk_size = CHUNK_SIZE_MIN, .counter = 3, .target = TARGET_DATA };
    struct testpart part = { .kind = PART_RAMDISK, .name = "r", .data = "ramdisk", .size = 7 };
    if (!testimage_build(im, &fields, &part, 1, keys, key_count))
        abort();
}
static void make_small_a(struct testimage *im)
{
    enum testkey_name a = TESTKEY_P256_A;
    make_small(im, &a, 1);
}
static size_t message_length(const struct testimage *im)
{
    return SEAL_HEAD_SIZE + load32_le(im->file + HEAD_BODY_SIZE);
}

TEST(opens_what_was_signed)
{
    for (int i = 0; i < TESTKEY_COUNT; i++) {
        enum testkey_name key = (enum testkey_name)i;
        struct testimage im;
        testimage_make(&im, "build-1", 100000, 7, key);
        struct trust_store trust = trust_in(&key, 1, 0);
        CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
        CHECK(memcmp(&opened, &im.seal, sizeof opened) == 0);
        CHECK_STR(opened.name, "build-1");
        CHECK_EQ(opened.counter, 7);
        CHECK_EQ(opened.part_count, 2);
        CHECK_EQ(opened.parts[1].offset, 102400);
        testimage_free(&im);
    }
}

TEST(all_fields_go_through)
{
    struct seal fields = testimage_fields("name-63-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    CHECK_EQ(strlen(fields.name), 63);
    strcpy(fields.product, "product!~");
    strcpy(fields.dataset, "rpool/ROOT/ramdisk");
    memset(fields.cmdline, ' ', SEAL_CMDLINE_MAX - 1);
    fields.counter = UINT64_MAX;
    fields.chunk_size = CHUNK_SIZE_MAX;
    struct testpart parts[SEAL_PARTS_MAX];
    for (unsigned i = 0; i < SEAL_PARTS_MAX; i++)
        parts[i] = (struct testpart){ .kind = i == 0 ? PART_KERNEL : i < 12 ? PART_INITRD : PART_RAMDISK,
                                      .name = "part", .data = "0123456789", .size = 1 + i % 10,
                                      .address = 0x100000000ull * i, .memory = i % 3 ? 0 : 1ull << 40,
                                      .align = 1u << (i + 16), .split = 0 };
    // Of the initrds the first one says where all of them are.
    for (unsigned i = 1; i < 12; i++) {
        parts[i].memory = i == 11 ? 1ull << 40 : 0;
        parts[i].address = i == 1 ? parts[i].address : 0;
        parts[i].align = i == 1 ? parts[i].align : 2048;
    }
    enum testkey_name keys[2] = { TESTKEY_P384_A, TESTKEY_P256_B };
    struct testimage im;
    CHECK(testimage_build(&im, &fields, parts, SEAL_PARTS_MAX, keys, 2));
    struct trust_store trust = trust_in(keys, 2, 2);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    CHECK(memcmp(&opened, &im.seal, sizeof opened) == 0);
    testimage_free(&im);
}

TEST(same_input_same_bytes)
{
    struct testimage a, b;
    testimage_make(&a, "same", 5000, 1, TESTKEY_P256_A);
    testimage_make(&b, "same", 5000, 1, TESTKEY_P256_A);
    CHECK(a.len == b.len && memcmp(a.file, b.file, a.len) == 0);
    testimage_free(&a);
    testimage_free(&b);
}

TEST(view_of_a_whole_file)
{
    struct testimage im;
    testimage_make(&im, "whole", 9000, 1, TESTKEY_P256_A);
    struct seal_view view;
    CHECK_EQ(seal_view(im.file, im.len, &view), 0);
    CHECK_EQ(seal_size(&view), im.seal_len);
    CHECK_EQ(seal_list_offset(&view), im.seal_len);
    CHECK_EQ(seal_list_size(&view), 32 * im.seal.chunk_count);
    CHECK_EQ(seal_payload_offset(&view) % PAYLOAD_ALIGN, 0);
    CHECK(seal_payload_offset(&view) - seal_list_offset(&view) - seal_list_size(&view) < PAYLOAD_ALIGN);
    CHECK_EQ(seal_payload_offset(&view) + view.payload_size, im.len);
    // A file is not a seal: seal_open wants the seal alone.
    struct trust_store trust = trust_a();
    CHECK_EQ(seal_open(im.file, im.len, &trust, &opened), ERR_SEAL_LENGTH);
    CHECK_EQ(seal_open(im.file, im.seal_len + 1, &trust, &opened), ERR_SEAL_LENGTH);
    testimage_free(&im);
}

TEST(image_id_is_of_the_signed_message)
{
    struct testimage im;
    make_small_a(&im);
    size_t n = message_length(&im);
    uint8_t *message = malloc(23 + n), id[SHA256_SIZE];
    memcpy(message, "signet phase-2 seal v1\0", 23);
    memcpy(message + 23, im.file, n);
    sha256(message, 23 + n, id);
    free(message);
    CHECK(memcmp(id, im.seal.image_id, sizeof id) == 0);
    testimage_free(&im);
}

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

// The promise of the format in one loop: no bit of a seal can be another and the image still be accepted.
TEST(every_bit_counts)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    // Exhaustive where it is quick enough; the 32-bit build takes every seventh.
    size_t step = sizeof(void *) == 4 ? 7 : 1;
    for (size_t bit = 0; bit < 8 * im.seal_len; bit += step) {
        im.file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (open_exact(im.file, im.seal_len, &trust) == 0) {
            printf("  bit %zu of byte %zu made no difference\n", bit % 8, bit / 8);
            CHECK(false);
        }
        im.file[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    testimage_free(&im);
}

TEST(every_truncation)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    for (size_t len = 0; len < im.seal_len; len++)
        CHECK_EQ(open_exact(im.file, len, &trust), ERR_TRUNCATED);
    CHECK_EQ(seal_open(NULL, 0, &trust, &opened), ERR_TRUNCATED);
    testimage_free(&im);
}

TEST(not_an_image)
{
    struct trust_store trust = trust_a();
    CHECK_EQ(open_exact((const uint8_t *)"#!ipxe\necho hello\n", 18, &trust), ERR_SEAL_MAGIC);
    struct testimage im;
    make_small_a(&im);
    store16_le(im.file + HEAD_VERSION, 2);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_VERSION);
    store16_le(im.file + HEAD_VERSION, SEAL_VERSION);
    store16_le(im.file + HEAD_SIZE, 72);
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_LENGTH);
    testimage_free(&im);
}

// Sets a length in the head and looks whether the image is refused, both with the old signature and signed
// again, as a careless signer would, so that the bounds alone must hold. True, too, for the value it had.
static bool head_length_refused(size_t at, unsigned width, uint64_t value, bool relative)
{
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    size_t message = message_length(&im);
    uint64_t old = width == 4 ? load32_le(im.file + at) : load64_le(im.file + at);
    value += relative ? old : 0;
    if (width == 4) {
        value = (uint32_t)value;
        store32_le(im.file + at, (uint32_t)value);
    } else {
        store64_le(im.file + at, value);
    }
    int old_signature = open_exact(im.file, im.seal_len, &trust);
    enum testkey_name key = TESTKEY_P256_A;
    size_t len = testimage_sign(im.file, message, &key, 1, SEAL_MAX);
    int signed_again = open_exact(im.file, len, &trust);
    testimage_free(&im);
    if (value == old)
        return old_signature == 0 && signed_again == 0;
    return old_signature != 0 && signed_again != 0 && signed_again != ERR_SEAL_SIGNATURE;
}

TEST(head_lengths)
{
    static const uint64_t absolute[] = { 0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                         0x8000000000000000, UINT64_MAX };
    static const int relative[] = { 1, -1, 8, -8, 4096, -4096 };
    static const struct {
        size_t at;
        unsigned width;
    } fields[] = { { HEAD_BODY_SIZE, 4 }, { HEAD_CHUNK_SIZE, 4 }, { HEAD_CHUNK_COUNT, 4 }, { HEAD_PAYLOAD_SIZE, 8 } };
    for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
        for (size_t i = 0; i < ARRAY_SIZE(absolute); i++)
            CHECK(head_length_refused(fields[f].at, fields[f].width, absolute[i], false));
        for (size_t i = 0; i < ARRAY_SIZE(relative); i++) {
            // chunk_size 8192 with one chunk of 4096 payload bytes is another sound image, if someone signs it.
            if (fields[f].at == HEAD_CHUNK_SIZE && relative[i] == 4096)
                continue;
            CHECK(head_length_refused(fields[f].at, fields[f].width, (uint64_t)(int64_t)relative[i], true));
        }
    }
}

TEST(table_lengths)
{
    static const uint32_t values[] = { 0, 1, 8, 15, 16, 17, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
    struct testimage im;
    struct trust_store trust = trust_a();
    make_small_a(&im);
    uint8_t *table = im.file + message_length(&im), *entry = table + SEAL_TABLE_HEAD_SIZE;
    uint8_t *fields[3] = { table + 4, table + 8, entry + 36 };
    for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
        uint32_t old = load32_le(fields[f]);
        for (size_t i = 0; i < ARRAY_SIZE(values) + 4; i++) {
            static const int32_t relative[4] = { 1, -1, 8, -8 };
            uint32_t v = i < ARRAY_SIZE(values) ? values[i] : old + (uint32_t)relative[i - ARRAY_SIZE(values)];
            if (v == old)
                continue;
            store32_le(fields[f], v);
            CHECK(view_exact(im.file, im.seal_len) != 0);
            CHECK(open_exact(im.file, im.seal_len, &trust) != 0);
        }
        store32_le(fields[f], old);
    }
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    // The limit of the number of entries itself.
    store32_le(table + 4, SEAL_SIGNATURES_MAX + 1);
    CHECK_EQ(view_exact(im.file, im.seal_len), ERR_SEAL_TABLE);
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

TEST(floor_and_product)
{
    struct seal fields = testimage_fields("p");
    strcpy(fields.product, "router");
    fields.counter = 7;
    struct testpart part = { .kind = PART_KERNEL, .name = "k", .data = "kernel", .size = 6 };
    enum testkey_name a = TESTKEY_P256_A;
    struct testimage im;
    CHECK(testimage_build(&im, &fields, &part, 1, &a, 1));
    struct trust_store trust = trust_a();
    trust.counter_floor = 7;
    strcpy(trust.product, "router");
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    trust.counter_floor = 8;
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_COUNTER);
    CHECK_EQ(opened.part_count, 0); // a refused seal is emptied
    trust.counter_floor = UINT64_MAX;
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_COUNTER);
    trust.counter_floor = 0;
    strcpy(trust.product, "route");
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_PRODUCT);
    strcpy(trust.product, "router2");
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_PRODUCT);
    testimage_free(&im);
    // An image that names no product is not for "router" either.
    make_small_a(&im);
    strcpy(trust.product, "router");
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), ERR_SEAL_PRODUCT);
    testimage_free(&im);
}

TEST(chunk_list)
{
    struct testimage im, other;
    testimage_make(&im, "list", 20000, 1, TESTKEY_P256_A);
    testimage_make(&other, "other", 20000, 1, TESTKEY_P256_A);
    size_t n = (size_t)im.seal.chunk_count * SHA256_SIZE;
    CHECK_EQ(im.seal.chunk_count, 7);
    CHECK_EQ(seal_check_list(&im.seal, im.list, n), 0);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        im.list[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(seal_check_list(&im.seal, im.list, n), ERR_SEAL_LIST);
        im.list[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(seal_check_list(&im.seal, im.list, n - 32), ERR_SEAL_LIST);
    CHECK_EQ(seal_check_list(&im.seal, im.list, n + 32), ERR_SEAL_LIST);
    CHECK_EQ(seal_check_list(&im.seal, im.list, 0), ERR_SEAL_LIST);
    // Another signed image's list is no better than a forged one, nor are two digests that changed places.
    CHECK_EQ(seal_check_list(&im.seal, other.list, n), ERR_SEAL_LIST);
    uint8_t first[SHA256_SIZE];
    memcpy(first, im.list, sizeof first);
    memcpy(im.list, im.list + SHA256_SIZE, SHA256_SIZE);
    memcpy(im.list + SHA256_SIZE, first, SHA256_SIZE);
    CHECK_EQ(seal_check_list(&im.seal, im.list, n), ERR_SEAL_LIST);
    testimage_free(&im);
    testimage_free(&other);
}

// The initrd of another image by the same signer: its chunks are not this image's.
TEST(part_of_another_image)
{
    struct testimage im, other;
    testimage_make(&im, "im", 20000, 1, TESTKEY_P256_A);
    testimage_make(&other, "other", 20000, 1, TESTKEY_P256_A);
    CHECK_EQ(im.seal.parts[1].offset, other.seal.parts[1].offset);
    memcpy(im.payload + im.seal.parts[1].offset, other.payload + other.seal.parts[1].offset, im.seal.parts[1].size);
    for (uint32_t i = 0; i < im.seal.chunk_count; i++) {
        uint8_t digest[SHA256_SIZE];
        sha256(im.payload + (size_t)i * im.seal.chunk_size, seal_chunk_length(&im.seal, i), digest);
        bool swapped = (uint64_t)i * im.seal.chunk_size >= im.seal.parts[1].offset;
        CHECK(digest_equal(digest, im.list + (size_t)i * SHA256_SIZE, SHA256_SIZE) == !swapped);
    }
    testimage_free(&im);
    testimage_free(&other);
}

TEST(chunk_lengths)
{
    struct seal seal = { .chunk_size = 8192, .payload_size = 20480, .chunk_count = 3 };
    CHECK_EQ(seal_chunk_length(&seal, 0), 8192);
    CHECK_EQ(seal_chunk_length(&seal, 1), 8192);
    CHECK_EQ(seal_chunk_length(&seal, 2), 4096);
    CHECK_EQ(seal_chunk_length(&seal, 3), 0);
    CHECK_EQ(seal_chunk_length(&seal, UINT32_MAX), 0);
    seal.payload_size = 16384;
    CHECK_EQ(seal_chunk_length(&seal, 1), 8192);
    // Beyond 4 GiB.
    seal = (struct seal){ .chunk_size = CHUNK_SIZE_MAX, .payload_size = (5ull << 30) + 4096, .chunk_count = 1281 };
    CHECK_EQ(seal_chunk_length(&seal, 1279), CHUNK_SIZE_MAX);
    CHECK_EQ(seal_chunk_length(&seal, 1280), 4096);
}

TEST(build_limits)
{
    struct testimage im;
    make_small_a(&im);
    size_t n = message_length(&im);
    uint8_t *buf = malloc(n);
    CHECK_EQ(seal_build(&im.seal, buf, n), (int)n);
    CHECK(memcmp(buf, im.file, n) == 0);
    for (size_t cap = 0; cap < n; cap++)
        CHECK_EQ(seal_build(&im.seal, buf, cap), ERR_TOO_LARGE);
    free(buf);
    uint8_t table[16 + 40 + 64];
    struct trust_key a = testkey_public(TESTKEY_P256_A);
    struct seal_signature s = { a.id, 1, a.point, 64 };
    CHECK_EQ(seal_build_table(&s, 1, table, sizeof table), (int)sizeof table);
    for (size_t cap = 0; cap < sizeof table; cap++)
        CHECK_EQ(seal_build_table(&s, 1, table, cap), ERR_TOO_LARGE);
    s.size = 0;
    CHECK_EQ(seal_build_table(&s, 1, table, sizeof table), ERR_INVALID);
    s.size = 64;
    CHECK_EQ(seal_build_table(&s, SEAL_SIGNATURES_MAX + 1, table, sizeof table), ERR_TOO_LARGE);
    testimage_free(&im);
}

// The example of doc/phase2-format.md, section 10: the very file, the ids and the signature that it prints.
TEST(example_of_the_document)
{
    static const uint8_t signature[64] = {
        0x43, 0x76, 0xef, 0x5f, 0x6c, 0x74, 0x2f, 0x10, 0x62, 0x60, 0x60, 0x30, 0xe4, 0x3e, 0xcb, 0x87,
        0x68, 0x7a, 0x43, 0x6f, 0x1c, 0xdf, 0xd7, 0xf3, 0xb1, 0xc6, 0xce, 0xf0, 0xf6, 0x83, 0x38, 0x20,
        0x7a, 0x07, 0x01, 0xb2, 0x9c, 0x5a, 0x52, 0x8b, 0xfe, 0xff, 0x3c, 0x0a, 0x9c, 0x87, 0xcf, 0x3a,
        0x72, 0x54, 0xf5, 0xd3, 0xcf, 0x8d, 0x93, 0x70, 0x47, 0x19, 0xed, 0x8a, 0x27, 0x4f, 0x15, 0xbf,
    };
    struct seal fields = { .name = "example-1", .product = "demo", .counter = 7, .target = TARGET_LINUX_X86,
                           .cmdline = "console=ttyS0", .chunk_size = 4096 };
    struct testpart parts[2] = { { .kind = PART_KERNEL, .name = "vmlinuz", .data = "KERNEL", .size = 6,
                                   .address = 0x1000000, .memory = 0x2000, .align = 0x200000, .split = 2 },
                                 { .kind = PART_INITRD, .name = "initrd.img", .data = "INITRD", .size = 6,
                                   .align = 4096 } };
    enum testkey_name a = TESTKEY_P256_A;
    struct testimage im;
    CHECK(testimage_build(&im, &fields, parts, 2, &a, 1));
    CHECK_EQ(im.len, 12288);
    CHECK_EQ(im.seal_len, 0x1a0);
    // Whatever nonces the library chooses today, the printed signature is one of this message.
    memcpy(im.file + 0x160, signature, sizeof signature);
    struct trust_store trust = trust_a();
    CHECK_EQ(open_exact(im.file, im.seal_len, &trust), 0);
    uint8_t file[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    sha256(im.file, im.len, file);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", file[i]);
    CHECK_STR(text, "fabfac5328720dbc5f361849d6f2be7cca55ae7b0fb1b3f49d7b1b412af8a918");
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", im.seal.image_id[i]);
    CHECK_STR(text, "7239e5c3e4edf080e2b7cf73d533c791773004d5c647f809ebf721abaca25a23");
    testimage_free(&im);
}

TEST_MAIN(T(opens_what_was_signed), T(all_fields_go_through), T(same_input_same_bytes), T(view_of_a_whole_file),
          T(image_id_is_of_the_signed_message), T(no_trust_no_boot), T(emptied_table), T(repeated_key),
          T(algorithm_is_the_keys), T(wrong_key), T(signature_of_another_image), T(signature_without_domain),
          T(every_bit_counts), T(every_truncation), T(not_an_image), T(head_lengths), T(table_lengths),
          T(thresholds), T(one_bad_signature_among_good_ones), T(unknown_algorithm_of_an_unknown_key),
          T(floor_and_product), T(chunk_list), T(part_of_another_image), T(chunk_lengths), T(build_limits),
          T(example_of_the_document))
