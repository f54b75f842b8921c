// SPDX-License-Identifier: MPL-2.0
#include "image/embed.h"

#include "base/bytes.h"
#include "base/test.h"
#include "crypto/testkeys.h"

static const char script[] = "#!ipxe\necho hello\nchain p2:///default\n";
static uint8_t blob[EMBED_BLOB_MAX + 64];
static struct embed embed;

static const struct digest_piece two_keys[2] = {
    { testkeys[TESTKEY_P256_A].spki, 91 },
    { testkeys[TESTKEY_P384_A].spki, 120 },
};

static struct embed_source source_of_two(void)
{
    return (struct embed_source){ .script = script, .script_len = sizeof script - 1, .spki = two_keys, .spki_count = 2,
                                  .threshold = 2, .counter_floor = 9, .product = "router" };
}

// Parses a copy of exactly this length, so that ASan sees a byte read too many.
static int parse_exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int err = embed_parse(copy, len, &embed);
    free(copy);
    return err;
}

// Makes the sum right again after a change.
static void resum(uint8_t *b, size_t len)
{
    sha256(b + EMBED_BLOB_HEAD_SIZE, len - EMBED_BLOB_HEAD_SIZE, b + 16);
}

TEST(round_trip)
{
    CHECK_EQ(testkeys[TESTKEY_P256_A].spki_len, 91);
    CHECK_EQ(testkeys[TESTKEY_P384_A].spki_len, 120);
    struct embed_source source = source_of_two();
    int len = embed_build(&source, blob, sizeof blob);
    CHECK(len > 0, len % 8 == 0);
    CHECK_EQ(embed_parse(blob, (size_t)len, &embed), 0);
    CHECK_EQ(embed.script_len, sizeof script - 1);
    CHECK(memcmp(embed.script, script, sizeof script - 1) == 0);
    CHECK((const uint8_t *)embed.script > blob, (const uint8_t *)embed.script < blob + len);
    CHECK_EQ(embed.trust.key_count, 2);
    CHECK_EQ(embed.trust.threshold, 2);
    CHECK_EQ(embed.trust.counter_floor, 9);
    CHECK_STR(embed.trust.product, "router");
    struct trust_key a = testkey_public(TESTKEY_P256_A);
    CHECK(memcmp(&embed.trust.keys[0], &a, sizeof a) == 0);
}

TEST(parts_alone)
{
    struct embed_source nothing = { 0 };
    int len = embed_build(&nothing, blob, sizeof blob);
    CHECK(len > 0);
    CHECK_EQ(embed_parse(blob, (size_t)len, &embed), 0);
    CHECK(embed.script == NULL, embed.script_len == 0, embed.trust.key_count == 0);
    struct embed_source empty_script = { .script = "", .script_len = 0 };
    len = embed_build(&empty_script, blob, sizeof blob);
    CHECK_EQ(embed_parse(blob, (size_t)len, &embed), 0);
    CHECK(embed.script != NULL, embed.script_len == 0);
    // A blob may consist of its head alone.
    memcpy(blob + 8, "\x30\0\0\0", 4);
    resum(blob, EMBED_BLOB_HEAD_SIZE);
    CHECK_EQ(parse_exact(blob, EMBED_BLOB_HEAD_SIZE), 0);
    CHECK_EQ(embed.trust.threshold, 0);
}

TEST(the_same_key_twice)
{
    const struct digest_piece keys[3] = { two_keys[0], two_keys[1], two_keys[0] };
    struct embed_source source = { .spki = keys, .spki_count = 3, .threshold = 2 };
    int len = embed_build(&source, blob, sizeof blob);
    CHECK_EQ(embed_parse(blob, (size_t)len, &embed), 0);
    CHECK_EQ(embed.trust.key_count, 2);
    source.threshold = 3; // of two different keys
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_INVALID);
}

TEST(every_bit_counts)
{
    struct embed_source source = source_of_two();
    int len = embed_build(&source, blob, sizeof blob);
    for (size_t bit = 0; bit < 8 * (size_t)len; bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(parse_exact(blob, (size_t)len), ERR_EMBED_DAMAGED);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < (size_t)len; n++)
        CHECK_EQ(parse_exact(blob, n), ERR_EMBED_DAMAGED);
    CHECK_EQ(parse_exact(blob, (size_t)len + 1), ERR_EMBED_DAMAGED);
    CHECK_EQ(embed.trust.key_count, 0);
}

// The structure is checked for itself, too: with the sum made right again no byte of an entry's head may
// change, and no padding.
TEST(structure_with_a_right_sum)
{
    struct embed_source source = source_of_two();
    int len = embed_build(&source, blob, sizeof blob);
    uint8_t *entry = blob + EMBED_BLOB_HEAD_SIZE; // the script's
    static const uint32_t lengths[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, EMBED_BLOB_MAX + 1 };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint32_t old = load32_le(entry + 4);
        store32_le(entry + 4, lengths[i]);
        resum(blob, (size_t)len);
        CHECK(parse_exact(blob, (size_t)len) != 0);
        store32_le(entry + 4, old);
    }
    for (unsigned type = 0; type < 300; type++) {
        store16_le(entry, (uint16_t)type);
        resum(blob, (size_t)len);
        CHECK((parse_exact(blob, (size_t)len) == 0) == (type == EMBED_SCRIPT));
    }
    store16_le(entry, EMBED_SCRIPT);
    entry[2] = 1;
    resum(blob, (size_t)len);
    CHECK_EQ(parse_exact(blob, (size_t)len), ERR_EMBED_DAMAGED);
    entry[2] = 0;
    size_t script_len = sizeof script - 1;
    CHECK(script_len % 8 != 0);
    entry[8 + script_len] = 1;
    resum(blob, (size_t)len);
    CHECK_EQ(parse_exact(blob, (size_t)len), ERR_EMBED_DAMAGED);
    entry[8 + script_len] = 0;
    resum(blob, (size_t)len);
    CHECK_EQ(parse_exact(blob, (size_t)len), 0);
}

TEST(bad_keys)
{
    uint8_t off_curve[91];
    memcpy(off_curve, two_keys[0].data, sizeof off_curve);
    off_curve[90] ^= 1;
    struct digest_piece key = { off_curve, sizeof off_curve };
    struct embed_source source = { .spki = &key, .spki_count = 1 };
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_KEY_FORMAT);
    key.data = two_keys[0].data;
    int len = embed_build(&source, blob, sizeof blob);
    CHECK(len > 0);
    blob[EMBED_BLOB_HEAD_SIZE + 8 + 90] ^= 1;
    resum(blob, (size_t)len);
    CHECK_EQ(parse_exact(blob, (size_t)len), ERR_KEY_FORMAT);
}

TEST(limits)
{
    static char big[EMBED_BLOB_MAX];
    memset(big, 'x', sizeof big);
    // Head, the script's own head and the policy's entry.
    const size_t room = EMBED_BLOB_MAX - EMBED_BLOB_HEAD_SIZE - 8 - 24;
    struct embed_source source = { .script = big, .script_len = room };
    int len = embed_build(&source, blob, sizeof blob);
    CHECK_EQ(len, EMBED_BLOB_MAX);
    CHECK_EQ(parse_exact(blob, (size_t)len), 0);
    source.script_len = room + 1;
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_TOO_LARGE);
    source.script_len = SIZE_MAX;
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_TOO_LARGE);
    source = source_of_two();
    len = embed_build(&source, blob, sizeof blob);
    for (size_t cap = 0; cap < (size_t)len; cap++)
        CHECK_EQ(embed_build(&source, blob, cap), ERR_TOO_LARGE);
    char product[TRUST_PRODUCT_MAX + 1];
    memset(product, 'p', sizeof product);
    product[TRUST_PRODUCT_MAX] = '\0';
    source.product = product;
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_INVALID);
    product[TRUST_PRODUCT_MAX - 1] = '\0';
    len = embed_build(&source, blob, sizeof blob);
    CHECK_EQ(parse_exact(blob, (size_t)len), 0);
    CHECK_STR(embed.trust.product, product);
    source.product = "two words";
    CHECK_EQ(embed_build(&source, blob, sizeof blob), ERR_INVALID);
}

static void put_slot(uint8_t *at, uint32_t base)
{
    memset(at, 0, EMBED_SLOT_SIZE);
    memcpy(at, EMBED_SLOT_MAGIC, sizeof EMBED_SLOT_MAGIC);
    store32_le(at + SLOT_KIND, EMBED_NBP);
    store32_le(at + SLOT_BASE, base);
}

TEST(finds_the_slot)
{
    uint8_t file[1024];
    size_t at = 7;
    memset(file, 0x90, sizeof file);
    CHECK_EQ(embed_find_slot(file, sizeof file, &at), ERR_NOT_FOUND);
    CHECK_EQ(embed_find_slot(NULL, 0, &at), ERR_NOT_FOUND);
    put_slot(file + 320, 512);
    CHECK_EQ(embed_find_slot(file, sizeof file, &at), 0);
    CHECK_EQ(at, 320);
    // A slot-like thing in the appended blob (a script that quotes one) is not the artefact's.
    put_slot(file + 640, 1024);
    CHECK_EQ(embed_find_slot(file, sizeof file, &at), 0);
    CHECK_EQ(at, 320);
    // Two in the artefact itself: which one the firmware reads cannot be told.
    put_slot(file + 400, 512);
    at = 7;
    CHECK_EQ(embed_find_slot(file, sizeof file, &at), ERR_NOT_FOUND);
    CHECK_EQ(at, 7);
    // What nobody knows yet is no slot of ours; a flag that is known stays one.
    put_slot(file + 400, 512);
    for (unsigned i = SLOT_FLAGS * 8; i < EMBED_SLOT_SIZE * 8; i++) {
        file[400 + i / 8] = (uint8_t)(1u << i % 8);
        bool known = i < SLOT_FLAGS * 8 + 32 && EMBED_FLAGS >> (i - SLOT_FLAGS * 8) & 1;
        CHECK_EQ(embed_find_slot(file, sizeof file, &at), known ? ERR_NOT_FOUND : 0); // beside the one at 320
        file[400 + i / 8] = 0;
    }
    // The bare magic as a string constant of the firmware is passed over.
    memset(file + 400, 0x90, 64);
    memcpy(file + 400, EMBED_SLOT_MAGIC, sizeof EMBED_SLOT_MAGIC);
    CHECK_EQ(embed_find_slot(file, sizeof file, &at), 0);
    CHECK_EQ(at, 320);
}

TEST(slot_at_the_edges)
{
    for (size_t len = 0; len < 200; len++) {
        uint8_t *file = calloc(1, len + 1), *exact;
        size_t at = 0;
        for (size_t pos = 0; pos + EMBED_SLOT_SIZE <= len; pos++) {
            memset(file, 0, len);
            put_slot(file + pos, (uint32_t)len);
            exact = malloc(len);
            memcpy(exact, file, len);
            bool aligned = pos % EMBED_SLOT_ALIGN == 0;
            CHECK_EQ(embed_find_slot(exact, len, &at), aligned ? 0 : ERR_NOT_FOUND);
            CHECK(!aligned || at == pos);
            // Cut off by a byte, or with a base beyond the file or before its own end.
            CHECK_EQ(embed_find_slot(exact, pos + EMBED_SLOT_SIZE - 1, &at), ERR_NOT_FOUND);
            store32_le(exact + pos + SLOT_BASE, (uint32_t)len + 1);
            CHECK_EQ(embed_find_slot(exact, len, &at), ERR_NOT_FOUND);
            store32_le(exact + pos + SLOT_BASE, (uint32_t)pos + EMBED_SLOT_SIZE - 1);
            CHECK_EQ(embed_find_slot(exact, len, &at), ERR_NOT_FOUND);
            free(exact);
        }
        free(file);
    }
}

TEST_MAIN(T(round_trip), T(parts_alone), T(the_same_key_twice), T(every_bit_counts), T(structure_with_a_right_sum),
          T(bad_keys), T(limits), T(finds_the_slot), T(slot_at_the_edges))
