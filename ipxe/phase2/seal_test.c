// SPDX-License-Identifier: MPL-2.0
// What a seal accepts, and what of a whole file it must refuse. Signatures are seal_signatures_test.c's, the body's own rules
// seal_body_test.c's.
#include "phase2/testseal.h"

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
    CHECK(a.len == b.len, memcmp(a.file, b.file, a.len) == 0);
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
          T(image_id_is_of_the_signed_message), T(every_bit_counts), T(every_truncation), T(not_an_image), T(head_lengths),
          T(table_lengths), T(floor_and_product), T(chunk_list), T(part_of_another_image), T(chunk_lengths), T(build_limits),
          T(example_of_the_document))
