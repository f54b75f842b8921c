// SPDX-License-Identifier: MPL-2.0
// What a pool must do however poor the machine is: never the same bytes twice, and every bit of what was mixed in counts.
#include "crypto/pool.h"

#include "base/test.h"

static uint8_t news;
static unsigned asked;

static size_t no_news(uint8_t fresh[POOL_FRESH_MAX])
{
    asked++;
    return 0;
}
static size_t one_byte_of_news(uint8_t fresh[POOL_FRESH_MAX])
{
    fresh[0] = news;
    return 1;
}
static size_t most_news(uint8_t fresh[POOL_FRESH_MAX])
{
    memset(fresh, news, POOL_FRESH_MAX);
    return POOL_FRESH_MAX;
}

TEST(without_any_news_no_block_comes_again)
{
    static uint8_t blocks[200][SHA256_SIZE];
    struct pool pool = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        pool_bytes(&pool, no_news, blocks[i], SHA256_SIZE);
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(blocks[i], blocks[j], SHA256_SIZE) != 0);
        CHECK(memcmp(blocks[i], pool.state, SHA256_SIZE) != 0); // what goes out is not what stays
    }
}

TEST(every_length_and_fresh_for_every_block)
{
    for (size_t len = 0; len <= 100; len++) {
        struct pool pool = { 0 };
        uint8_t *bytes = malloc(len ? len : 1); // AddressSanitizer sees a byte too many
        asked = 0;
        pool_bytes(&pool, no_news, bytes, len);
        free(bytes);
        CHECK_EQ(asked, (len + SHA256_SIZE - 1) / SHA256_SIZE);
    }
}

// Two machines that differ in one bit, before or while they draw, share nothing.
TEST(every_bit_counts)
{
    uint8_t unique[8] = { 0 }, reference[SHA256_SIZE], bytes[SHA256_SIZE];
    struct pool first = { 0 };
    pool_mix(&first, unique, sizeof unique);
    pool_bytes(&first, no_news, reference, sizeof reference);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct pool pool = { 0 };
        unique[bit / 8] = (uint8_t)(1u << bit % 8);
        pool_mix(&pool, unique, sizeof unique);
        unique[bit / 8] = 0;
        pool_bytes(&pool, no_news, bytes, sizeof bytes);
        CHECK(memcmp(bytes, reference, sizeof bytes) != 0);
    }
    pool_fresh_fn *const sources[] = { one_byte_of_news, most_news };
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        struct pool a = first, b = first;
        news = 0;
        pool_bytes(&a, sources[i], reference, sizeof reference);
        news = 1;
        pool_bytes(&b, sources[i], bytes, sizeof bytes);
        CHECK(memcmp(bytes, reference, sizeof bytes) != 0);
    }
}

// Bytes without any surprise in them take nothing away.
TEST(poor_bytes_do_no_harm)
{
    struct pool a = { .state = { 1 } }, b = { .state = { 2 } };
    uint8_t from_a[SHA256_SIZE], from_b[SHA256_SIZE];
    for (int i = 0; i < 10; i++) {
        pool_mix(&a, "\0\0\0\0", 4);
        pool_mix(&b, "\0\0\0\0", 4);
    }
    pool_mix(&a, NULL, 0);
    pool_mix(&b, NULL, 0);
    pool_bytes(&a, no_news, from_a, sizeof from_a);
    pool_bytes(&b, no_news, from_b, sizeof from_b);
    CHECK(memcmp(from_a, from_b, sizeof from_a) != 0);
}

TEST_MAIN(T(without_any_news_no_block_comes_again), T(every_length_and_fresh_for_every_block), T(every_bit_counts),
          T(poor_bytes_do_no_harm))
