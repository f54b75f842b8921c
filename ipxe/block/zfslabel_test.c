// SPDX-License-Identifier: MPL-2.0
// Labels made here, byte by byte; ci/check/install reads those of real pools.
#include "block/zfslabel.h"

#include "base/cursor.h"
#include "base/test.h"
#include "crypto/digest.h"

static uint8_t label[ZFSLABEL_SIZE];
static struct zfslabel got;

// ---- a writer of lists and trailers --------------------------------------------------------------------

static void put_text(struct builder *b, const char *text)
{
    size_t len = strlen(text);
    builder_u32_be(b, (uint32_t)len);
    builder_bytes(b, text, len);
    builder_zeros(b, (4 - len % 4) % 4);
}

// Begins a pair; put_end sets its length.
static size_t put_pair(struct builder *b, const char *name, uint32_t type, uint32_t count)
{
    size_t at = b->len;
    builder_u32_be(b, 0);
    builder_u32_be(b, 64); // size in memory; nobody cares, but it is not zero
    put_text(b, name);
    builder_u32_be(b, type);
    builder_u32_be(b, count);
    return at;
}
static void put_end(struct builder *b, size_t at)
{
    store32_be(b->data + at, (uint32_t)(b->len - at));
}
static void put_number(struct builder *b, const char *name, uint64_t value)
{
    size_t at = put_pair(b, name, 8, 1);
    builder_u64_be(b, value);
    put_end(b, at);
}
static void put_string(struct builder *b, const char *name, const char *value)
{
    size_t at = put_pair(b, name, 9, 1);
    put_text(b, value);
    put_end(b, at);
}
static void put_head(struct builder *b)
{
    builder_u32_be(b, 0);
    builder_u32_be(b, 1);
}
static void put_stop(struct builder *b)
{
    builder_zeros(b, 8);
}

static void seal_at(uint8_t *block, size_t len, uint64_t offset, bool big)
{
    uint8_t sum[SHA256_SIZE], *t = block + len - 40;
    memset(t, 0, 40);
    (big ? store64_be : store64_le)(t, 0x0210da7ab10c7a11u);
    (big ? store64_be : store64_le)(t + 8, offset);
    sha256(block, len, sum);
    for (unsigned i = 0; i < 4; i++)
        (big ? store64_be : store64_le)(t + 8 + 8 * i, load64_be(sum + 8 * i));
}

// depth children below each other, then `leaves` disks.
static void put_tree(struct builder *b, unsigned depth, unsigned leaves)
{
    size_t at = put_pair(b, "children", 20, depth ? 1 : leaves);
    for (unsigned i = 0; i < (depth ? 1 : leaves); i++) {
        put_head(b);
        put_string(b, "type", "disk");
        put_number(b, "guid", 100 + i);
        put_number(b, "ashift", 13); // of a leaf: not the one that counts
        if (depth)
            put_tree(b, depth - 1, leaves);
        put_stop(b);
    }
    put_end(b, at);
}

struct wanted {
    const char *pool;
    unsigned leaves, depth;
    bool expanding;
    uint64_t state;
};

static size_t make_list(const struct wanted *w, uint64_t offset)
{
    struct builder b = builder_make(label + ZFSLABEL_LIST_OFFSET, ZFSLABEL_LIST_SIZE - 40);
    memset(label, 0, sizeof label);
    builder_bytes(&b, "\1\1\0\0", 4);
    put_head(&b);
    put_number(&b, "version", 5000);
    if (w->pool)
        put_string(&b, "name", w->pool);
    put_number(&b, "state", w->state);
    put_number(&b, "txg", 77);
    put_number(&b, "pool_guid", 0x1122334455667788);
    put_number(&b, "top_guid", 55);
    put_number(&b, "guid", 66);
    put_number(&b, "vdev_children", 2);
    size_t tree = put_pair(&b, "vdev_tree", 19, 1);
    put_head(&b);
    put_string(&b, "type", "raidz");
    put_number(&b, "nparity", 1);
    put_number(&b, "ashift", 12);
    put_number(&b, "guid", 55);
    if (w->expanding)
        put_end(&b, put_pair(&b, "raidz_expanding", 1, 0));
    put_tree(&b, w->depth, w->leaves);
    put_stop(&b);
    put_end(&b, tree);
    size_t features = put_pair(&b, "features_for_read", 19, 1);
    put_head(&b);
    put_stop(&b);
    put_end(&b, features);
    put_stop(&b);
    seal_at(label + ZFSLABEL_LIST_OFFSET, ZFSLABEL_LIST_SIZE, offset + ZFSLABEL_LIST_OFFSET, false);
    return b.len;
}

// ---- the list ------------------------------------------------------------------------------------------

TEST(list_is_read)
{
    const struct wanted w = { .pool = "zones", .leaves = 3, .expanding = true, .state = ZFSLABEL_EXPORTED };
    make_list(&w, 0x40000);
    CHECK_EQ(zfslabel_parse(label, 0x40000, &got), 0);
    CHECK_STR(got.pool, "zones");
    CHECK_STR(got.top_type, "raidz");
    CHECK_EQ(got.pool_guid, 0x1122334455667788);
    CHECK_EQ(got.guid, 66);
    CHECK_EQ(got.top_guid, 55);
    CHECK_EQ(got.version, 5000);
    CHECK_EQ(got.state, ZFSLABEL_EXPORTED);
    CHECK_EQ(got.txg, 77);
    CHECK_EQ(got.top_count, 2);
    CHECK_EQ(got.parity, 1);
    CHECK_EQ(got.ashift, 12);
    CHECK_EQ(got.leaf_count, 3);
    CHECK_EQ(got.leaves[2], 102);
    CHECK(got.expanding, !got.expanded);
}

TEST(many_leaves_and_deep_trees)
{
    struct wanted w = { .pool = "p", .leaves = 200 };
    make_list(&w, 0);
    CHECK_EQ(zfslabel_parse(label, 0, &got), 0);
    CHECK_EQ(got.leaf_count, 200);
    CHECK_EQ(got.leaves[ZFSLABEL_LEAVES_MAX - 1], 100 + ZFSLABEL_LEAVES_MAX - 1);
    w.leaves = 1;
    w.depth = ZFSLABEL_DEPTH_MAX - 2;
    make_list(&w, 0);
    CHECK_EQ(zfslabel_parse(label, 0, &got), 0);
    CHECK_EQ(got.leaf_count, 1);
    w.depth++;
    make_list(&w, 0);
    CHECK_EQ(zfslabel_parse(label, 0, &got), ERR_INVALID);
}

TEST(what_is_no_label)
{
    const struct wanted good = { .pool = "p", .leaves = 1 }, nameless = { .leaves = 1 },
                        spare = { .leaves = 1, .state = ZFSLABEL_SPARE };
    memset(label, 0, sizeof label);
    CHECK_EQ(zfslabel_parse(label, 0, &got), ERR_NOT_FOUND);
    make_list(&good, 0);
    CHECK_EQ(zfslabel_parse(label, 0x40000, &got), ERR_INVALID); // a copy at another place
    label[ZFSLABEL_LIST_OFFSET + 60000] ^= 1;
    CHECK_EQ(zfslabel_parse(label, 0, &got), ERR_INVALID);
    make_list(&good, 0);
    label[ZFSLABEL_LIST_OFFSET] = 0; // the native encoding
    seal_at(label + ZFSLABEL_LIST_OFFSET, ZFSLABEL_LIST_SIZE, ZFSLABEL_LIST_OFFSET, false);
    CHECK_EQ(zfslabel_parse(label, 0, &got), ERR_UNSUPPORTED);
    make_list(&nameless, 0);
    CHECK_EQ(zfslabel_parse(label, 0, &got), ERR_INVALID);
    make_list(&spare, 0);
    CHECK_EQ(zfslabel_parse(label, 0, &got), 0);
    CHECK_EQ(got.state, ZFSLABEL_SPARE);
    CHECK_STR(got.pool, "");
}

// Every word of the list set to values that lengths go wrong with: never more than an error (the sanitizers watch).
TEST(hostile_words)
{
    static const uint32_t bad[] = { 0, 1, 7, 8, 0x7fffffff, 0xffffffff, 0x80000000, 0xfffffffc };
    const struct wanted w = { .pool = "pool", .leaves = 2 };
    unsigned refused = 0;
    size_t len = make_list(&w, 0);
    uint8_t *list = label + ZFSLABEL_LIST_OFFSET;
    for (size_t at = 4; at + 4 <= len; at += 4) {
        uint32_t was = load32_be(list + at);
        for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
            store32_be(list + at, bad[i]);
            seal_at(list, ZFSLABEL_LIST_SIZE, ZFSLABEL_LIST_OFFSET, false);
            memset(&got, 0, sizeof got);
            int r = zfslabel_parse(label, 0, &got);
            CHECK(r == 0 || r == ERR_INVALID);
            CHECK(r == 0 || got.pool[0] == 0); // set on success only
            refused += r != 0;
        }
        store32_be(list + at, was);
    }
    CHECK(refused > 100);
}

// ---- uberblocks ----------------------------------------------------------------------------------------

static void put_uberblock(unsigned slot, size_t step, uint64_t offset, uint64_t txg, uint64_t time, uint64_t reflow, bool big)
{
    uint8_t *p = label + ZFSLABEL_UBERBLOCKS_OFFSET + slot * step;
    memset(p, 0, step);
    void (*store)(void *, uint64_t) = big ? store64_be : store64_le;
    store(p, 0x00bab10c);
    store(p + 8, 5000);
    store(p + 16, txg);
    store(p + 32, time);
    store(p + 208, reflow);
    seal_at(p, step, offset + ZFSLABEL_UBERBLOCKS_OFFSET + slot * step, big);
}

TEST(newest_uberblock)
{
    struct zfslabel_uberblock ub;
    memset(label, 0, sizeof label);
    CHECK_EQ(zfslabel_uberblock(label, 0, 12, &ub), ERR_NOT_FOUND);
    put_uberblock(0, 4096, 0, 100, 5, 0, false);
    put_uberblock(1, 4096, 0, 102, 5, (uint64_t)1 << 55 | 0x1000, true);
    put_uberblock(2, 4096, 0, 102, 4, 0, false);
    put_uberblock(31, 4096, 0, 103, 9, 0, false);
    label[ZFSLABEL_UBERBLOCKS_OFFSET + 31 * 4096 + 300] ^= 1; // the newest one is torn
    CHECK_EQ(zfslabel_uberblock(label, 0, 12, &ub), 0);
    CHECK_EQ(ub.txg, 102);
    CHECK_EQ(ub.timestamp, 5);
    CHECK_EQ(ub.reflow_state, ZFSLABEL_REFLOW_SCRATCH);
    CHECK_EQ(ub.reflow_offset, 0x1000 * 512);
    CHECK_EQ(zfslabel_uberblock(label, 0x40000, 12, &ub), ERR_NOT_FOUND); // another label's
}

TEST(slot_sizes)
{
    struct zfslabel_uberblock ub;
    for (unsigned ashift = 0; ashift <= 40; ashift++) {
        size_t step = (size_t)1 << (ashift < 10 ? 10 : ashift > 13 ? 13 : ashift);
        memset(label, 0, sizeof label);
        put_uberblock((unsigned)(ZFSLABEL_UBERBLOCKS_SIZE / step - 1), step, 0, 7, 7, 0, false);
        CHECK_EQ(zfslabel_uberblock(label, 0, ashift, &ub), 0);
        CHECK_EQ(ub.txg, 7);
    }
}

TEST(places_of_labels)
{
    CHECK_EQ(zfslabel_offset(100 * MIB + 12345, 0), 0);
    CHECK_EQ(zfslabel_offset(100 * MIB + 12345, 1), 256 * 1024);
    CHECK_EQ(zfslabel_offset(100 * MIB + 12345, 2), 100 * MIB - 512 * 1024);
    CHECK_EQ(zfslabel_offset(100 * MIB + 262143, 3), 100 * MIB - 256 * 1024);
}

TEST_MAIN(T(list_is_read), T(many_leaves_and_deep_trees), T(what_is_no_label), T(hostile_words), T(newest_uberblock),
          T(slot_sizes), T(places_of_labels))
