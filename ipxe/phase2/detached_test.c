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
static void application_without_options(struct seal *s)
{
    s->target = TARGET_EFI_X64;
    s->part_count = 1;
    s->parts[0].kind = PART_APPLICATION;
    s->parts[0].split = 0;
    s->payload_size = seal_part_end(s, 0);
    s->chunk_count = (uint32_t)((s->payload_size + s->chunk_size - 1) / s->chunk_size);
    s->cmdline[0] = '\0';
}
static void application(struct seal *s)
{
    application_without_options(s);
    strcpy(s->cmdline, "quiet");
}
static void two_blanks(struct seal *s) { strcpy(s->arguments, "a  b"); }

TEST(rules)
{
    CHECK_EQ(build_with(nothing), 0);
    CHECK_EQ(build_with(application), 0);
    CHECK_EQ(build_with(application_without_options), ERR_INVALID);
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

// The second example of doc/phase2-format.md, section 10: the very file, and the signature that it prints.
TEST(example_of_the_document)
{
    static const uint8_t signature[64] = {
        0xd2, 0xbc, 0x02, 0x69, 0xdd, 0x01, 0x27, 0xb1, 0x5f, 0x2d, 0xa6, 0x06, 0x8f, 0xd2, 0x82, 0xce,
        0x76, 0x90, 0xfc, 0xb4, 0x07, 0xd5, 0x01, 0x4f, 0x79, 0x8b, 0x58, 0x99, 0x53, 0x9e, 0x7c, 0xba,
        0x66, 0xd3, 0xea, 0x24, 0x34, 0x03, 0xa8, 0xf3, 0x43, 0xe4, 0x72, 0x41, 0xe1, 0xfc, 0xb9, 0x7b,
        0x94, 0x9d, 0x9b, 0xf7, 0x6f, 0xc6, 0x8b, 0x0a, 0x4d, 0x12, 0x7a, 0xc2, 0x1e, 0xcc, 0xdd, 0x1f,
    };
    static const uint8_t front[120] = "070701" "00000000" "000081ed" "00000000" "00000000" "00000001" "00000000" "00000004" "00000000" "00000000"
                                      "00000000" "00000000" "00000009" "00000000" "opt/tool";
    static uint8_t file[SEAL_MAX], payload[8192];
    enum testkey_name key = TESTKEY_P256_A;
    struct seal fields = { .name = "example-2", .counter = 7, .target = TARGET_LINUX_X86, .cmdline = "quiet", .arguments = "ip=*", .part_count = 2,
                           .detached = true, .bytes = front, .chunk_size = 4096, .chunk_count = 2, .payload_size = sizeof payload };
    fields.parts[0] = (struct seal_part){ PART_KERNEL, 0, 6, 0x1000000, 0x2000, 0x200000, 2, 0, 0, "vmlinuz" };
    fields.parts[1] = (struct seal_part){ PART_INITRD, 4096, 124, .front_len = sizeof front, .name = "tool.bin" };
    memcpy(payload, "KERNEL", 6);
    memcpy(payload + 4096, front, sizeof front);
    memcpy(payload + 4096 + sizeof front, "TOOL", 4);
    sha256("KERNEL", 6, fields.files[0]);
    sha256("TOOL", 4, fields.files[1]);
    uint8_t list[2 * SHA256_SIZE], digest[SHA256_SIZE];
    for (int i = 0; i < 2; i++)
        sha256(payload + 4096 * i, 4096, list + SHA256_SIZE * i);
    sha256(list, sizeof list, fields.list_digest);
    int message = seal_build(&fields, file, sizeof file);
    CHECK_EQ(message, 0x1e8);
    CHECK_EQ(testimage_sign(file, (size_t)message, &key, 1, sizeof file), 0x260);
    memcpy(file + 0x220, signature, sizeof signature); // whatever nonces the library chooses today
    memcpy(file + 0x260, list, sizeof list);
    CHECK_EQ(open_it(&(struct testdetached){ .file = file, .seal_len = 0x260 }, true), 0);
    char text[2 * SHA256_SIZE + 1];
    sha256(file, 672, digest);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    CHECK_STR(text, "60db18ae5dd7802c927a456955c99c18d69b886b459c97446abdec07b034fc58");
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", seal.image_id[i]);
    CHECK_STR(text, "8c3a34a86efb014e9e90b0668f1495706a1626180cf6046df9347499f5820528");
}

TEST_MAIN(T(example_of_the_document), T(sound), T(an_image_is_none), T(rules), T(every_byte_of_the_body))
