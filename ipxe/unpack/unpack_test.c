// SPDX-License-Identifier: MPL-2.0
#include "unpack/unpack.h"

#include "base/test.h"
#include "unpack/testpacked.h"

// Every buffer is one of its own, so that AddressSanitizer sees each byte beyond it.
static int run(const uint8_t *packed, size_t len, size_t cap, uint8_t *ret)
{
    uint8_t *in = malloc(len ? len : 1), *out = malloc(cap ? cap : 1);
    struct unpack_work *work = malloc(sizeof *work);
    memcpy(in, packed, len);
    memset(work, 0xa5, sizeof *work);
    size_t got = 0;
    int err = unpack(in, len, out, cap, work, &got);
    if (!err && ret)
        memcpy(ret, out, got);
    free(in);
    free(out);
    free(work);
    return err ? err : (int)got;
}

TEST(unpacks)
{
    uint8_t plain[TESTPACKED_LENGTH], got[TESTPACKED_LENGTH + 1];
    testpacked_plain(plain);
    CHECK_EQ(run(testpacked, sizeof testpacked, sizeof got, got), TESTPACKED_LENGTH);
    CHECK(memcmp(plain, got, sizeof plain) == 0);
}

TEST(every_cut)
{
    for (size_t len = 0; len < sizeof testpacked; len++)
        CHECK_EQ(run(testpacked, len, TESTPACKED_LENGTH + 1, NULL), ERR_TRUNCATED);
    // The same with a head that does not tell.
    uint8_t cut[sizeof testpacked];
    for (size_t len = UNPACK_HEAD_SIZE; len < sizeof testpacked; len++) {
        memcpy(cut, testpacked, sizeof cut);
        store32_le(cut + UNPACK_AT_STREAM, (uint32_t)(len - UNPACK_HEAD_SIZE));
        CHECK_EQ(run(cut, len, TESTPACKED_LENGTH + 1, NULL), ERR_INVALID);
    }
}

TEST(every_bit)
{
    uint8_t bad[sizeof testpacked];
    for (size_t bit = 0; bit < 8 * sizeof bad; bit++) {
        memcpy(bad, testpacked, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(run(bad, sizeof bad, TESTPACKED_LENGTH + 1, NULL) < 0);
    }
}

TEST(bytes_behind_it)
{
    uint8_t longer[sizeof testpacked + 1] = { 0 };
    memcpy(longer, testpacked, sizeof testpacked);
    CHECK_EQ(run(longer, sizeof longer, TESTPACKED_LENGTH + 1, NULL), ERR_INVALID);
    // They count as part of the stream, which has its end mark in front of them.
    store32_le(longer + UNPACK_AT_STREAM, sizeof longer - UNPACK_HEAD_SIZE);
    CHECK_EQ(run(longer, sizeof longer, TESTPACKED_LENGTH + 1, NULL), ERR_INVALID);
}

TEST(lengths)
{
    uint8_t bad[sizeof testpacked];
    memcpy(bad, testpacked, sizeof bad);
    static const struct {
        uint32_t length, cap;
        int err;
    } rows[] = {
        { TESTPACKED_LENGTH, TESTPACKED_LENGTH, ERR_TOO_LARGE },   { TESTPACKED_LENGTH, 0, ERR_TOO_LARGE },
        { TESTPACKED_LENGTH - 1, TESTPACKED_LENGTH, ERR_INVALID }, { TESTPACKED_LENGTH + 1, TESTPACKED_LENGTH + 2, ERR_INVALID },
        { UNPACK_MAX, UNPACK_MAX + 1, ERR_INVALID },               { UNPACK_MAX + 1, UNPACK_MAX + 2, ERR_TOO_LARGE },
        { UINT32_MAX, TESTPACKED_LENGTH, ERR_TOO_LARGE },            { 0, TESTPACKED_LENGTH, ERR_INVALID },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        store32_le(bad + UNPACK_AT_LENGTH, rows[i].length);
        CHECK_EQ(run(bad, sizeof bad, rows[i].cap, NULL), rows[i].err);
    }
}

// All that a head can ask for and the decoder has no memory for is refused before it is asked.
TEST(methods)
{
    uint8_t bad[sizeof testpacked];
    for (unsigned at = UNPACK_AT_METHOD; at < UNPACK_HEAD_SIZE; at++) {
        for (unsigned value = 0; value < 256; value++) {
            memcpy(bad, testpacked, sizeof bad);
            bad[at] = (uint8_t)value;
            int err = run(bad, sizeof bad, TESTPACKED_LENGTH + 1, NULL);
            if (value == testpacked[at])
                CHECK_EQ(err, TESTPACKED_LENGTH);
            else if (at == UNPACK_AT_FILTER && value == UNPACK_PLAIN)
                CHECK_EQ(err, ERR_INVALID);
            else if (at == UNPACK_AT_PROPERTIES && value < 225 && value % 9 + value / 9 % 5 <= UNPACK_BITS)
                CHECK_EQ(err, ERR_INVALID);
            else
                CHECK_EQ(err, ERR_UNSUPPORTED);
        }
    }
}

TEST_MAIN(T(unpacks), T(every_cut), T(every_bit), T(bytes_behind_it), T(lengths), T(methods))
