// SPDX-License-Identifier: MPL-2.0
// The rules of the signed body. Bodies are put together byte by byte and parsed without a signature: whoever
// signs may make a mistake, and the firmware must not be hurt by it.
#include "phase2/seal.h"

#include "base/cursor.h"
#include "base/test.h"

#define PAYLOAD (64 * 1024)

static struct seal seal;

struct body {
    uint8_t bytes[8192];
    struct builder b;
};

static void start(struct body *body)
{
    memset(body->bytes, 0, sizeof body->bytes);
    body->b = builder_make(body->bytes, sizeof body->bytes);
}
static void field(struct body *body, uint16_t type, const void *data, uint32_t len)
{
    builder_u16_le(&body->b, type);
    builder_u16_le(&body->b, 0);
    builder_u32_le(&body->b, len);
    builder_bytes(&body->b, data, len);
    builder_zeros(&body->b, (uint32_t)-len & 7);
}
static void text(struct body *body, uint16_t type, const char *s)
{
    field(body, type, s, (uint32_t)strlen(s));
}
static void u32(struct body *body, uint16_t type, uint32_t v)
{
    uint8_t d[4];
    store32_le(d, v);
    field(body, type, d, 4);
}
static void u64(struct body *body, uint16_t type, uint64_t v)
{
    uint8_t d[8];
    store64_le(d, v);
    field(body, type, d, 8);
}
static void part(struct body *body, const struct seal_part *p, uint32_t flags)
{
    uint8_t d[PART_FIXED_SIZE + 128];
    struct builder b = builder_make(d, sizeof d);
    builder_u32_le(&b, p->kind);
    builder_u32_le(&b, flags);
    builder_u64_le(&b, p->offset);
    builder_u64_le(&b, p->size);
    builder_u64_le(&b, p->address);
    builder_u64_le(&b, p->memory);
    builder_u32_le(&b, p->align);
    builder_u32_le(&b, p->split);
    builder_bytes(&b, p->name, strlen(p->name));
    field(body, FIELD_PART, d, (uint32_t)b.len);
}

static int parse_n(const struct body *body, size_t len, uint64_t payload)
{
    // A copy of the exact length, so that ASan sees a byte read too many.
    uint8_t *copy = malloc(SEAL_HEAD_SIZE + len);
    memset(copy, 0, SEAL_HEAD_SIZE);
    memcpy(copy + SEAL_HEAD_SIZE, body->bytes, len);
    struct seal_view view = { .head = copy, .body = copy + SEAL_HEAD_SIZE, .body_size = (uint32_t)len,
                              .chunk_size = 4096, .chunk_count = (uint32_t)(payload / 4096), .payload_size = payload };
    int err = seal_parse_body(&view, &seal);
    free(copy);
    return err;
}
static int parse(const struct body *body)
{
    return parse_n(body, body->b.len, PAYLOAD);
}

// A sound Linux image: kernel in the first 32 KiB, initrd in the rest.
static const struct seal_part sound_kernel = { .kind = PART_KERNEL, .offset = 0, .size = 30000, .address = 0x1000000,
                                               .memory = 100000, .align = 0x200000, .split = 1024, .name = "vmlinuz" };
static const struct seal_part sound_initrd = { .kind = PART_INITRD, .offset = 32768, .size = 32000, .align = 4096,
                                               .name = "initrd.img" };
static void before_parts(struct body *body)
{
    start(body);
    text(body, FIELD_NAME, "build-1");
    u64(body, FIELD_COUNTER, 5);
    u32(body, FIELD_TARGET, TARGET_LINUX_X86);
}
static int parse_parts(const struct seal_part *a, const struct seal_part *b)
{
    struct body body;
    before_parts(&body);
    part(&body, a, 0);
    if (b)
        part(&body, b, 0);
    return parse(&body);
}
static void sound(struct body *body)
{
    before_parts(body);
    part(body, &sound_kernel, 0);
    part(body, &sound_initrd, 0);
}

TEST(sound_body)
{
    struct body body;
    sound(&body);
    CHECK_EQ(parse(&body), 0);
    CHECK_STR(seal.name, "build-1");
    CHECK_EQ(seal.counter, 5);
    CHECK_EQ(seal.part_count, 2);
    CHECK_EQ(seal.parts[0].split, 1024);
    CHECK_STR(seal.parts[1].name, "initrd.img");
    CHECK_STR(seal.cmdline, "");
    CHECK_STR(seal.product, "");
}

TEST(required_fields)
{
    struct body body;
    for (int missing = 0; missing <= 4; missing++) {
        start(&body);
        if (missing != 1)
            text(&body, FIELD_NAME, "n");
        if (missing != 2)
            u64(&body, FIELD_COUNTER, 5);
        if (missing != 3)
            u32(&body, FIELD_TARGET, TARGET_LINUX_X86);
        if (missing != 4) {
            part(&body, &sound_kernel, 0);
            part(&body, &sound_initrd, 0);
        }
        CHECK_EQ(parse(&body), missing == 0 ? 0 : ERR_SEAL_BODY);
    }
    CHECK_EQ(seal.name[0], 0); // emptied
}

TEST(every_truncation)
{
    struct body body;
    sound(&body);
    for (size_t len = 0; len < body.b.len; len++)
        CHECK_EQ(parse_n(&body, len, PAYLOAD), ERR_SEAL_BODY);
    for (size_t more = 1; more <= 64; more++)
        CHECK_EQ(parse_n(&body, body.b.len + more, PAYLOAD), ERR_SEAL_BODY);
}

// One byte of a sound body set to each value. What is still accepted has one spelling only: written again,
// it gives the same bytes, so that no two seals say the same.
TEST(every_byte_at_every_value)
{
    struct body body;
    uint8_t buf[4096];
    sound(&body);
    unsigned accepted = 0;
    for (size_t i = 0; i < body.b.len; i++) {
        uint8_t old = body.bytes[i];
        for (unsigned v = 0; v < 256; v++) {
            body.bytes[i] = (uint8_t)v;
            if (parse(&body) != 0)
                continue;
            accepted++;
            CHECK_EQ(seal_build(&seal, buf, sizeof buf), SEAL_HEAD_SIZE + (int)body.b.len);
            CHECK(memcmp(buf + SEAL_HEAD_SIZE, body.bytes, body.b.len) == 0);
        }
        body.bytes[i] = old;
    }
    CHECK(accepted > 256 * 8, accepted < 256 * body.b.len / 2); // the counter at least, by far not all
}

TEST(padding_is_zero)
{
    struct body body;
    sound(&body);
    body.bytes[15] = 1; // "build-1" has seven bytes and one of padding
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    sound(&body);
    body.bytes[2] = 1; // between type and length
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
}

TEST(field_lengths)
{
    static const uint32_t lengths[] = { 0, 6, 8, 9, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffff9, 0xffffffff };
    struct body body;
    for (size_t at = 0; at < 3; at++) { // the heads of NAME, COUNTER, TARGET, 16 bytes apart
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
            sound(&body);
            uint32_t old = load32_le(body.bytes + 16 * at + 4);
            // A name that is a byte shorter or longer leaves no zero padding, or takes it as text.
            if (lengths[i] == old)
                continue;
            store32_le(body.bytes + 16 * at + 4, lengths[i]);
            CHECK_EQ(parse(&body), ERR_SEAL_BODY);
        }
    }
}

TEST(order_and_repeats)
{
    struct body body;
    start(&body); // two names
    text(&body, FIELD_NAME, "a");
    text(&body, FIELD_NAME, "a");
    u64(&body, FIELD_COUNTER, 5);
    u32(&body, FIELD_TARGET, TARGET_LINUX_X86);
    part(&body, &sound_kernel, 0);
    part(&body, &sound_initrd, 0);
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    start(&body); // descending
    u64(&body, FIELD_COUNTER, 5);
    text(&body, FIELD_NAME, "a");
    u32(&body, FIELD_TARGET, TARGET_LINUX_X86);
    part(&body, &sound_kernel, 0);
    part(&body, &sound_initrd, 0);
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    sound(&body); // a command line after the parts
    text(&body, FIELD_CMDLINE, "quiet");
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    sound(&body); // type 0
    memmove(body.bytes + 8, body.bytes, body.b.len);
    memset(body.bytes, 0, 8);
    CHECK_EQ(parse_n(&body, body.b.len + 8, PAYLOAD), ERR_SEAL_BODY);
}

TEST(unknown_fields)
{
    struct body body;
    sound(&body);
    text(&body, 8, "new");
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    sound(&body);
    text(&body, 0x7fff, "new");
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    sound(&body);
    text(&body, SEAL_FIELD_OPTIONAL | 1, "new");
    field(&body, SEAL_FIELD_OPTIONAL | 2, NULL, 0);
    text(&body, 0xffff, "last of all");
    CHECK_EQ(parse(&body), 0);
    CHECK_STR(seal.name, "build-1");
    sound(&body); // optional ones do not repeat either
    text(&body, SEAL_FIELD_OPTIONAL | 1, "new");
    text(&body, SEAL_FIELD_OPTIONAL | 1, "new");
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
}

static int parse_text(uint16_t type, const char *s, uint32_t len)
{
    struct body body;
    start(&body);
    if (type != FIELD_NAME)
        text(&body, FIELD_NAME, "n");
    else
        field(&body, type, s, len);
    if (type == FIELD_PRODUCT)
        field(&body, type, s, len);
    u64(&body, FIELD_COUNTER, 5);
    u32(&body, FIELD_TARGET, TARGET_LINUX_X86);
    if (type == FIELD_CMDLINE)
        field(&body, type, s, len);
    part(&body, &sound_kernel, 0);
    part(&body, &sound_initrd, 0);
    if (type == FIELD_DATASET)
        field(&body, type, s, len);
    return parse(&body);
}

TEST(texts)
{
    static const struct {
        uint16_t type;
        uint32_t least, most;
    } kinds[] = {
        { FIELD_NAME, 1, 63 }, { FIELD_PRODUCT, 1, 63 }, { FIELD_CMDLINE, 0, 2047 }, { FIELD_DATASET, 1, 127 },
    };
    char s[2050];
    memset(s, 'x', sizeof s);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        uint16_t t = kinds[i].type;
        CHECK_EQ(parse_text(t, s, 0), kinds[i].least == 0 ? 0 : ERR_SEAL_BODY);
        CHECK_EQ(parse_text(t, s, 1), 0);
        CHECK_EQ(parse_text(t, s, kinds[i].most), 0);
        CHECK_EQ(parse_text(t, s, kinds[i].most + 1), ERR_SEAL_BODY);
        for (unsigned c = 0; c < 256; c++) {
            char one[3] = { 'a', (char)c, 'b' };
            bool good = (c > ' ' && c < 127) || (c == ' ' && t == FIELD_CMDLINE);
            CHECK_EQ(parse_text(t, one, 3), good ? 0 : ERR_SEAL_BODY);
        }
    }
}

TEST(part_places)
{
    struct seal_part k = sound_kernel, i = sound_initrd;
    CHECK_EQ(parse_parts(&k, &i), 0);
    k.size = 4096; // a gap before the initrd
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    k.size = 32769; // an overlap
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    k.size = 32768; // to the last byte
    CHECK_EQ(parse_parts(&k, &i), 0);
    k = sound_kernel;
    i.offset = 32769;
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    i.offset = 28672; // inside the kernel
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    i = sound_initrd;
    i.size = 32768; // the payload's last byte
    CHECK_EQ(parse_parts(&k, &i), 0);
    i.size = 32769;
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    i.size = 28672; // a page of the payload belongs to no part
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    CHECK_EQ(parse_parts(&k, NULL), ERR_SEAL_BODY);
    // The first part begins at 0.
    k.offset = 4096;
    CHECK_EQ(parse_parts(&k, &sound_initrd), ERR_SEAL_BODY);
}

TEST(part_sizes)
{
    static const uint64_t bad[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, (1ull << 63) - 1, 1ull << 63,
                                    UINT64_MAX - 4095, UINT64_MAX };
    for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
        struct seal_part k = sound_kernel, i = sound_initrd;
        k.size = bad[n];
        k.memory = 0;
        k.split = 0;
        CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
        k = sound_kernel;
        i.size = bad[n];
        CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
        i = sound_initrd;
        if (bad[n] != 0) {
            i.offset = bad[n];
            CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
            i = sound_initrd;
        }
    }
}

TEST(part_memory)
{
    struct seal_part k = sound_kernel;
    const struct seal_part *i = &sound_initrd;
    k.memory = k.size - k.split;
    CHECK_EQ(parse_parts(&k, i), 0);
    k.memory--; // less than is loaded
    CHECK_EQ(parse_parts(&k, i), ERR_SEAL_BODY);
    k.memory = 0; // as much as is loaded
    CHECK_EQ(parse_parts(&k, i), 0);
    // Address and memory stay below 2^64.
    k.address = UINT64_MAX - 8 * PAYLOAD_ALIGN + 1;
    CHECK_EQ(parse_parts(&k, i), 0);
    k.address = UINT64_MAX - 7 * PAYLOAD_ALIGN + 1;
    CHECK_EQ(parse_parts(&k, i), ERR_SEAL_BODY);
    k.address = PAYLOAD_ALIGN;
    k.memory = UINT64_MAX - PAYLOAD_ALIGN + 1;
    CHECK_EQ(parse_parts(&k, i), ERR_SEAL_BODY);
    k.memory = UINT64_MAX - PAYLOAD_ALIGN;
    CHECK_EQ(parse_parts(&k, i), 0);
    // An address is a page's.
    k.memory = 0;
    k.address = PAYLOAD_ALIGN + 1;
    CHECK_EQ(parse_parts(&k, i), ERR_SEAL_BODY);
}

TEST(part_split_and_align)
{
    struct seal_part k = sound_kernel, i = sound_initrd;
    k.split = (uint32_t)k.size - 1;
    CHECK_EQ(parse_parts(&k, &i), 0);
    k.split = (uint32_t)k.size;
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    k.split = UINT32_MAX;
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    k = sound_kernel;
    i.split = 1; // only a kernel has leading sectors
    CHECK_EQ(parse_parts(&k, &i), ERR_SEAL_BODY);
    i = sound_initrd;
    static const uint32_t aligns[] = { 0, 1, 2, 4096, 0x80000000, 3, 4095, 0xffffffff, 0x80000001 };
    for (size_t n = 0; n < ARRAY_SIZE(aligns); n++) {
        k.align = aligns[n];
        CHECK_EQ(parse_parts(&k, &i), n < 5 ? 0 : ERR_SEAL_BODY);
    }
}

TEST(part_flags_and_names)
{
    struct body body;
    before_parts(&body);
    part(&body, &sound_kernel, 1);
    part(&body, &sound_initrd, 0);
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
    struct seal_part k = sound_kernel;
    strcpy(k.name, "");
    CHECK_EQ(parse_parts(&k, &sound_initrd), ERR_SEAL_BODY);
    strcpy(k.name, "a b");
    CHECK_EQ(parse_parts(&k, &sound_initrd), ERR_SEAL_BODY);
    memset(k.name, 'x', sizeof k.name);
    k.name[63] = '\0';
    CHECK_EQ(parse_parts(&k, &sound_initrd), 0);
    // 64 characters do not fit a struct seal_part, but they fit the field.
    before_parts(&body);
    size_t head = body.b.len;
    part(&body, &k, 0);
    body.bytes[head + 8 + PART_FIXED_SIZE + 63] = 'x';
    store32_le(body.bytes + head + 4, PART_FIXED_SIZE + 64);
    part(&body, &sound_initrd, 0);
    CHECK_EQ(parse(&body), ERR_SEAL_BODY);
}

// `kinds` is a list of parts of one page each, k(ernel), i(nitrd), r(amdisk), m(odule), a(pplication), ? (not known).
static int parse_kinds(uint32_t target, const char *kinds)
{
    static const char letters[] = "?kirma";
    struct body body;
    start(&body);
    text(&body, FIELD_NAME, "n");
    u64(&body, FIELD_COUNTER, 5);
    u32(&body, FIELD_TARGET, target);
    for (size_t i = 0; kinds[i]; i++) {
        struct seal_part p = { .kind = (uint32_t)(strchr(letters, kinds[i]) - letters), .offset = i * 4096, .size = 99,
                               .name = "p" };
        part(&body, &p, 0);
    }
    return parse_n(&body, body.b.len, 4096 * MAX(strlen(kinds), (size_t)1));
}

TEST(targets_and_kinds)
{
    static const char *const linux_good[] = { "k", "ki", "kr", "kir", "kiiirrr", "kiiiiiiiiiiiiiii" };
    static const char *const linux_bad[] = { "", "i", "r", "kk", "ik", "kri", "km", "ka", "a", "k?", "?", "kiiiiiiiiiiiiiiii" };
    static const char *const data_good[] = { "r", "m", "rm", "rrmm" };
    static const char *const data_bad[] = { "", "k", "i", "mr", "rk", "ra", "a", "?", "r?" };
    for (size_t i = 0; i < ARRAY_SIZE(linux_good); i++)
        CHECK_EQ(parse_kinds(TARGET_LINUX_X86, linux_good[i]), 0);
    for (size_t i = 0; i < ARRAY_SIZE(linux_bad); i++)
        CHECK_EQ(parse_kinds(TARGET_LINUX_X86, linux_bad[i]), ERR_SEAL_BODY);
    for (size_t i = 0; i < ARRAY_SIZE(data_good); i++)
        CHECK_EQ(parse_kinds(TARGET_DATA, data_good[i]), 0);
    for (size_t i = 0; i < ARRAY_SIZE(data_bad); i++)
        CHECK_EQ(parse_kinds(TARGET_DATA, data_bad[i]), ERR_SEAL_BODY);
    CHECK_EQ(parse_kinds(0, "r"), ERR_SEAL_BODY);
    CHECK_EQ(parse_kinds(TARGET_LINUX_ARM64, "kir"), 0);
    CHECK_EQ(parse_kinds(TARGET_LINUX_ARM64, "r"), ERR_SEAL_BODY);
    static const char *const efi_bad[] = { "", "k", "aa", "ka", "ia", "ar", "ma", "?" };
    CHECK_EQ(parse_kinds(TARGET_EFI_X64, "a"), 0);
    CHECK_EQ(parse_kinds(TARGET_EFI_ARM64, "a"), 0);
    CHECK_EQ(parse_kinds(TARGET_NBP, "a"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(efi_bad); i++) {
        CHECK_EQ(parse_kinds(TARGET_EFI_X64, efi_bad[i]), ERR_SEAL_BODY);
        CHECK_EQ(parse_kinds(TARGET_NBP, efi_bad[i]), ERR_SEAL_BODY);
    }
    CHECK_EQ(parse_kinds(TARGET_END, "a"), ERR_SEAL_BODY);
    CHECK_EQ(parse_kinds(UINT32_MAX, "k"), ERR_SEAL_BODY);
}

static int parse_nbp(const struct seal_part *p, const char *cmdline)
{
    struct body body;
    start(&body);
    text(&body, FIELD_NAME, "n");
    u64(&body, FIELD_COUNTER, 5);
    u32(&body, FIELD_TARGET, TARGET_NBP);
    if (cmdline)
        text(&body, FIELD_CMDLINE, cmdline);
    part(&body, p, 0);
    return parse_n(&body, body.b.len, (p->size + 4095) & ~(uint64_t)4095);
}

TEST(bootstrap_programs)
{
    const struct seal_part sound_nbp = { .kind = PART_APPLICATION, .size = NBP_SIZE_MAX, .name = "pxelinux.0" };
    struct seal_part p = sound_nbp;
    CHECK_EQ(parse_nbp(&p, NULL), 0);
    CHECK_EQ(seal.target, TARGET_NBP);
    CHECK_EQ(parse_nbp(&p, ""), 0);
    CHECK_EQ(parse_nbp(&p, "x"), ERR_SEAL_BODY); // there is no one to give it to
    p.size++;
    CHECK_EQ(parse_nbp(&p, NULL), ERR_SEAL_BODY);
    p.size = 1;
    CHECK_EQ(parse_nbp(&p, NULL), 0);
    p.address = 4096; // its place is PXE's to say
    CHECK_EQ(parse_nbp(&p, NULL), ERR_SEAL_BODY);
    p = sound_nbp;
    p.align = 4096;
    CHECK_EQ(parse_nbp(&p, NULL), ERR_SEAL_BODY);
    p = sound_nbp;
    p.memory = p.size;
    CHECK_EQ(parse_nbp(&p, NULL), ERR_SEAL_BODY);
}

// What is built is what is parsed, and what parsing refuses is not built.
TEST(builder_and_parser_agree)
{
    uint8_t buf[4096];
    struct body body;
    sound(&body);
    CHECK_EQ(parse(&body), 0);
    struct seal copy = seal, broken;
    int n = seal_build(&copy, buf, sizeof buf);
    CHECK_EQ(n, SEAL_HEAD_SIZE + (int)body.b.len);
    CHECK(memcmp(buf + SEAL_HEAD_SIZE, body.bytes, body.b.len) == 0);
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        broken = copy;                                                                                                 \
        change;                                                                                                        \
        CHECK_EQ(seal_build(&broken, buf, sizeof buf), ERR_INVALID);                                                   \
    } while (0)
    REFUSED(broken.name[0] = '\0');
    REFUSED(broken.name[1] = ' ');
    REFUSED(memset(broken.name, 'x', sizeof broken.name));
    REFUSED(memset(broken.cmdline, 'x', sizeof broken.cmdline));
    REFUSED(broken.cmdline[0] = '\n');
    REFUSED(memset(broken.dataset, 'x', sizeof broken.dataset));
    REFUSED(memset(broken.product, 'x', sizeof broken.product));
    REFUSED(broken.target = 0);
    REFUSED(broken.target = TARGET_EFI_X64);
    REFUSED(broken.target = TARGET_END);
    REFUSED(broken.part_count = 0);
    REFUSED(broken.part_count = 1);
    REFUSED(broken.part_count = SEAL_PARTS_MAX + 1);
    REFUSED(broken.payload_size += 4096);
    REFUSED(broken.payload_size += 1);
    REFUSED(broken.chunk_count++);
    REFUSED(broken.chunk_size = 2048);
    REFUSED(broken.chunk_size = 12288);
    REFUSED(broken.parts[0].offset = 4096);
    REFUSED(broken.parts[1].size = 0);
    REFUSED(broken.parts[1].name[0] = '\0');
    REFUSED(memset(broken.parts[1].name, 'x', SEAL_NAME_MAX));
}

TEST_MAIN(T(sound_body), T(required_fields), T(every_truncation), T(every_byte_at_every_value), T(padding_is_zero),
          T(field_lengths), T(order_and_repeats), T(unknown_fields), T(texts), T(part_places), T(part_sizes),
          T(part_memory), T(part_split_and_align), T(part_flags_and_names), T(targets_and_kinds), T(bootstrap_programs),
          T(builder_and_parser_agree))
