// SPDX-License-Identifier: MPL-2.0
#include "image/oxide.h"

#include "base/bytes.h"
#include "base/test.h"

static uint8_t buf[OXIDE_HEADER_SIZE];
static struct oxide_header h;

// The header that the README of the Oxide tools shows.
static struct oxide_header readme(void)
{
    struct oxide_header r = { .data_size = 838860800, .image_size = 838860800, .target_size = 4294967296,
                              .dataset = "rpool/ROOT/ramdisk", .name = "testing-tar" };
    for (unsigned i = 0; i < sizeof r.sha256; i++)
        r.sha256[i] = (uint8_t)(0xc1 + 7 * i);
    return r;
}

static int parse_exact(size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, buf, len);
    int err = oxide_parse(copy, len, &h);
    free(copy);
    return err;
}

TEST(bytes_in_their_places)
{
    struct oxide_header r = readme();
    memset(buf, 0xee, sizeof buf);
    CHECK_EQ(oxide_build(&r, buf), 0);
    // Spelled out byte by byte: this is what other programs read.
    CHECK(memcmp(buf, "\x75\x00\xeb\x1d\x02\0\0\0", 8) == 0);
    CHECK(memcmp(buf + 8, "\0\0\0\0\0\0\0\0", 8) == 0);
    CHECK(memcmp(buf + 16, "\0\0\0\x32\0\0\0\0", 8) == 0);
    CHECK(memcmp(buf + 24, "\0\0\0\x32\0\0\0\0", 8) == 0);
    CHECK(memcmp(buf + 32, "\0\0\0\0\1\0\0\0", 8) == 0);
    CHECK(memcmp(buf + 40, r.sha256, 32) == 0);
    CHECK_STR((char *)buf + 72, "rpool/ROOT/ramdisk");
    CHECK_STR((char *)buf + 200, "testing-tar");
    for (size_t i = 200 + 11; i < sizeof buf; i++)
        CHECK(buf[i] == 0);
}

TEST(round_trip)
{
    struct oxide_header r = readme();
    CHECK_EQ(oxide_build(&r, buf), 0);
    CHECK(oxide_is_header(buf, sizeof buf));
    CHECK_EQ(parse_exact(sizeof buf), 0);
    CHECK(memcmp(&h, &r, sizeof r) == 0);
    r.flags = OXIDE_FLAG_COMPRESSED;
    r.data_size = 12345;
    r.target_size = UINT64_MAX;
    memset(r.dataset, 'd', OXIDE_TEXT_MAX - 1);
    memset(r.name, ' ', OXIDE_TEXT_MAX - 1);
    CHECK_EQ(oxide_build(&r, buf), 0);
    CHECK_EQ(parse_exact(sizeof buf), 0);
    CHECK(memcmp(&h, &r, sizeof r) == 0);
    // Written before there were image names, and whatever comes after the fields that are known.
    r = readme();
    memset(r.name, 0, sizeof r.name);
    CHECK_EQ(oxide_build(&r, buf), 0);
    buf[OXIDE_AT_REST] = 1;
    buf[OXIDE_AT_DATASET + 19] = 'x'; // behind the NUL
    CHECK_EQ(parse_exact(sizeof buf), 0);
    CHECK(memcmp(&h, &r, sizeof r) == 0);
}

TEST(other_files)
{
    struct oxide_header r = readme();
    CHECK_EQ(oxide_build(&r, buf), 0);
    for (size_t len = 0; len < sizeof buf; len += len < 400 ? 1 : 100)
        CHECK_EQ(parse_exact(len), ERR_TRUNCATED);
    for (unsigned bit = 0; bit < 32; bit++) {
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(parse_exact(sizeof buf), ERR_OXIDE_MAGIC);
        CHECK_EQ(parse_exact(4), ERR_OXIDE_MAGIC);
        CHECK(!oxide_is_header(buf, sizeof buf));
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(!oxide_is_header(buf, 3));
    store32_le(buf + 4, 1);
    CHECK_EQ(parse_exact(sizeof buf), ERR_SEAL_VERSION);
    store32_le(buf + 4, 3);
    CHECK_EQ(parse_exact(sizeof buf), ERR_SEAL_VERSION);
}

TEST(sizes_must_agree)
{
    static const uint64_t v[] = { 0, 1, 2, 0x80000000, 0x100000000, 1ull << 63, UINT64_MAX - 4096, UINT64_MAX - 4095,
                                  UINT64_MAX };
    struct oxide_header r = readme();
    for (size_t a = 0; a < ARRAY_SIZE(v); a++)
        for (size_t b = 0; b < ARRAY_SIZE(v); b++)
            for (size_t c = 0; c < ARRAY_SIZE(v); c++)
                for (uint64_t flags = 0; flags < 4; flags++) {
                    bool good = flags < 2 && v[a] > 0 && v[a] <= v[b] && v[b] <= v[c] &&
                                (flags == OXIDE_FLAG_COMPRESSED || v[a] == v[b]) && v[a] <= UINT64_MAX - 4096;
                    CHECK_EQ(oxide_build(&(struct oxide_header){ .flags = flags, .data_size = v[a], .image_size = v[b],
                                                                 .target_size = v[c] },
                                         buf),
                             good ? 0 : ERR_INVALID);
                    CHECK_EQ(oxide_build(&r, buf), 0);
                    store64_le(buf + 8, flags);
                    store64_le(buf + 16, v[a]);
                    store64_le(buf + 24, v[b]);
                    store64_le(buf + 32, v[c]);
                    CHECK_EQ(parse_exact(sizeof buf), good ? 0 : ERR_OXIDE_FIELD);
                }
    for (unsigned bit = 1; bit < 64; bit++) {
        CHECK_EQ(oxide_build(&r, buf), 0);
        store64_le(buf + 8, 1ull << bit);
        CHECK_EQ(parse_exact(sizeof buf), ERR_OXIDE_FIELD);
    }
}

TEST(texts)
{
    struct oxide_header r = readme();
    static const size_t at[2] = { OXIDE_AT_DATASET, OXIDE_AT_NAME };
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(oxide_build(&r, buf), 0);
        memset(buf + at[i], 'x', OXIDE_TEXT_MAX); // no NUL
        CHECK_EQ(parse_exact(sizeof buf), ERR_OXIDE_FIELD);
        for (unsigned c = 1; c < 256; c++) {
            CHECK_EQ(oxide_build(&r, buf), 0);
            buf[at[i]] = (uint8_t)c;
            CHECK_EQ(parse_exact(sizeof buf), c >= ' ' && c <= '~' ? 0 : ERR_OXIDE_FIELD);
        }
    }
    memset(r.name, 'x', sizeof r.name);
    CHECK_EQ(oxide_build(&r, buf), ERR_INVALID);
}

TEST_MAIN(T(bytes_in_their_places), T(round_trip), T(other_files), T(sizes_must_agree), T(texts))
