// SPDX-License-Identifier: MPL-2.0
// Detached seals: what their bodies must keep, and what is read from them.
#include "phase2/seal.h"

#include "base/test.h"
#include "phase2/testdetached.h"

static struct seal seal;

static int open_it(const struct testdetached *d, bool detached)
{
    struct trust_store trust = { .threshold = 1 };
    testkey_trust(&trust, TESTKEY_P256_A);
    return (detached ? seal_open_detached : seal_open)(d->file, d->seal_len, &trust, &seal);
}

TEST(sound)
{
    struct testdetached d;
    testdetached_make(&d);
    CHECK_EQ(open_it(&d, true), 0);
    CHECK(seal.detached);
    CHECK_EQ(seal.part_count, 3);
    CHECK_EQ(seal.parts[1].offset % seal.chunk_size, 0);
    CHECK_EQ(seal_file_size(&seal.parts[2]), d.file_len[2]);
    CHECK_EQ(memcmp(seal.bytes + seal.parts[2].front_at, TESTDETACHED_FRONT, seal.parts[2].front_len), 0);
    CHECK_STR(seal.arguments, "console=* single");
    CHECK_EQ(seal_part_end(&seal, 0), seal.parts[1].offset);
    CHECK_EQ(seal_part_end(&seal, 2), seal.payload_size);
    uint8_t digest[SHA256_SIZE];
    sha256(d.files[1], d.file_len[1], digest);
    CHECK_EQ(memcmp(digest, seal.files[1], SHA256_SIZE), 0);
    CHECK_EQ(open_it(&d, false), ERR_SEAL_DETACHED);
    testdetached_free(&d);
}

TEST(an_image_is_none)
{
    struct testimage im;
    struct trust_store trust = { .threshold = 1 };
    testkey_trust(&trust, TESTKEY_P256_A);
    testimage_make(&im, "web", 10000, 1, TESTKEY_P256_A);
    CHECK_EQ(seal_open_detached(im.file, im.seal_len, &trust, &seal), ERR_SEAL_ATTACHED);
    CHECK_EQ(seal.part_count, 0); // emptied
    testimage_free(&im);
}

// Each is one change to sound fields that the builder, by the same rules as the reader, must refuse.
static int build_with(void (*change)(struct seal *s))
{
    static uint8_t buf[SEAL_MAX];
    struct testdetached d;
    testdetached_make(&d);
    seal = d.seal;
    change(&seal);
    int r = seal_build(&seal, buf, sizeof buf);
    testdetached_free(&d);
    return MIN(r, 0);
}
static void nothing(struct seal *s) { (void)s; }
static void packed_parts(struct seal *s) { s->parts[1].offset -= PAYLOAD_ALIGN; }
static void attached(struct seal *s) { s->detached = false; }
static void front_of_the_kernel(struct seal *s) { s->parts[0].front_len = 4; }
static void nothing_but_front(struct seal *s) { s->parts[2].front_len = (uint32_t)s->parts[2].size; }
static void no_room_for_arguments(struct seal *s) { memset(s->arguments, 'a', sizeof s->arguments); }
static void wild_name(struct seal *s) { strcpy(s->arguments, "con*=x"); }
static void quote(struct seal *s) { strcpy(s->arguments, "a=\"x"); }
static void two_blanks(struct seal *s) { strcpy(s->arguments, "a  b"); }

TEST(rules)
{
    CHECK_EQ(build_with(nothing), 0);
    CHECK_EQ(build_with(packed_parts), ERR_INVALID);
    CHECK_EQ(build_with(attached), ERR_INVALID);
    CHECK_EQ(build_with(front_of_the_kernel), ERR_INVALID);
    CHECK_EQ(build_with(nothing_but_front), ERR_INVALID);
    CHECK_EQ(build_with(no_room_for_arguments), ERR_INVALID);
    CHECK_EQ(build_with(wild_name), ERR_INVALID);
    CHECK_EQ(build_with(quote), ERR_INVALID);
    CHECK_EQ(build_with(two_blanks), ERR_INVALID);
}

// The body, changed byte by byte in its new fields and signed again: never more than a refusal.
TEST(every_byte_of_the_body)
{
    struct testdetached d;
    testdetached_make(&d);
    size_t message = SEAL_HEAD_SIZE + load32_le(d.file + HEAD_BODY_SIZE);
    unsigned refused = 0;
    uint8_t *copy = malloc(d.seal_len);
    struct seal_view view;
    for (size_t at = SEAL_HEAD_SIZE; at < message; at++) {
        memcpy(copy, d.file, d.seal_len);
        copy[at] ^= 0x41;
        if (seal_view(copy, d.seal_len, &view) == 0)
            refused += seal_parse_body(&view, &seal) != 0;
    }
    CHECK(refused > 100);
    free(copy);
    testdetached_free(&d);
}

TEST_MAIN(T(sound), T(an_image_is_none), T(rules), T(every_byte_of_the_body))
