// SPDX-License-Identifier: MPL-2.0
// Reader of ZFS vdev labels: zfslabel.h.
#include "block/zfslabel.h"
#include "base/cursor.h"
#include "crypto/digest.h"

// ---- trailers ------------------------------------------------------------------------------------------

#define TRAILER_SIZE 40 // magic, four 64-bit words
#define TRAILER_MAGIC 0x0210da7ab10c7a11u

static uint64_t load64(const uint8_t *p, bool big)
{
    return big ? load64_be(p) : load64_le(p);
}

bool zfslabel_sum_ok(const uint8_t *block, size_t len, uint64_t offset)
{
    if (len < TRAILER_SIZE)
        return false;
    const uint8_t *trailer = block + len - TRAILER_SIZE;
    bool big = load64_be(trailer) == TRAILER_MAGIC;
    if (!big && load64_le(trailer) != TRAILER_MAGIC)
        return false;
    // The sum runs over the block with its own field set to where the block lies, in the writer's byte order; the words
    // of the result are stored in that order, too.
    uint8_t seed[32] = { 0 }, sum[SHA256_SIZE];
    if (big)
        store64_be(seed, offset);
    else
        store64_le(seed, offset);
    const struct digest_piece pieces[] = { { block, len - sizeof seed }, { seed, sizeof seed } };
    sha256_pieces(pieces, ARRAY_SIZE(pieces), sum);
    for (unsigned i = 0; i < 4; i++)
        if (load64(trailer + 8 + 8 * i, big) != load64_be(sum + 8 * i))
            return false;
    return true;
}

uint64_t zfslabel_offset(uint64_t size, unsigned index)
{
    uint64_t end = size & ~(uint64_t)(ZFSLABEL_SIZE - 1);
    return index < 2 ? (uint64_t)index * ZFSLABEL_SIZE : end - (uint64_t)(ZFSLABEL_COUNT - index) * ZFSLABEL_SIZE;
}

// ---- name-value lists in XDR ---------------------------------------------------------------------------

enum { // the types that are looked at
    TYPE_BOOLEAN = 1,
    TYPE_UINT64 = 8,
    TYPE_STRING = 9,
    TYPE_LIST = 19,
    TYPE_LIST_ARRAY = 20,
};

struct pair {
    const char *name; // not terminated
    uint32_t name_len;
    uint32_t type, count;
    struct cursor value; // exactly the value's bytes
};

// A counted string: 32-bit length, bytes, padding to four.
static const char *read_text(struct cursor *c, uint32_t *ret_len)
{
    uint32_t len = cursor_u32_be(c);
    if (len > c->len) {
        cursor_fail(c);
        return NULL;
    }
    const uint8_t *p = cursor_bytes(c, len);
    cursor_bytes(c, (4 - (len & 3)) & 3);
    if (!cursor_ok(c))
        return NULL;
    *ret_len = len;
    return (const char *)p;
}

// The next pair of a list. False at the list's end (the cursor stays good) and for a bad one.
static bool next_pair(struct cursor *list, struct pair *pair)
{
    uint32_t size = cursor_u32_be(list);
    uint32_t decoded = cursor_u32_be(list);
    if (!cursor_ok(list) || (size == 0 && decoded == 0))
        return false;
    const uint8_t *body = size >= 8 ? cursor_bytes(list, size - 8) : NULL;
    if (!body) {
        cursor_fail(list);
        return false;
    }
    struct cursor c = cursor_make(body, size - 8);
    pair->name = read_text(&c, &pair->name_len);
    pair->type = cursor_u32_be(&c);
    pair->count = cursor_u32_be(&c);
    pair->value = c;
    if (!cursor_ok(&c))
        cursor_fail(list);
    return cursor_ok(list);
}

static bool is(const struct pair *pair, const char *name, uint32_t type)
{
    size_t len = strlen(name);
    return pair->type == type && pair->name_len == len && memcmp(pair->name, name, len) == 0;
}

// The head of a list that lies within another one (or behind the packed list's own first four bytes).
static bool list_head(struct cursor *c)
{
    cursor_u32_be(c); // version
    cursor_u32_be(c); // flags
    return cursor_ok(c);
}

static bool take_number(struct pair *pair, const char *name, uint64_t *ret)
{
    if (!is(pair, name, TYPE_UINT64) || pair->value.len < 8)
        return false;
    *ret = cursor_u64_be(&pair->value);
    return true;
}

static bool take_text(struct pair *pair, const char *name, char *ret, size_t size)
{
    uint32_t len;
    if (!is(pair, name, TYPE_STRING))
        return false;
    struct cursor c = pair->value;
    const char *text = read_text(&c, &len);
    if (!text || len >= size || memchr(text, 0, len))
        return false;
    memcpy(ret, text, len);
    ret[len] = '\0';
    return true;
}

// ---- the vdev tree -------------------------------------------------------------------------------------

// One vdev of the tree and all below it; consumes its list from the cursor. depth 0 is the top-level vdev.
static void read_vdev(struct cursor *list, struct zfslabel *label, unsigned depth)
{
    struct pair pair;
    uint64_t guid = 0, ashift;
    bool children = false;
    if (depth >= ZFSLABEL_DEPTH_MAX || !list_head(list)) {
        cursor_fail(list);
        return;
    }
    while (next_pair(list, &pair)) {
        take_number(&pair, "guid", &guid);
        if (depth == 0) {
            take_text(&pair, "type", label->top_type, sizeof label->top_type);
            take_number(&pair, "nparity", &label->parity);
            if (take_number(&pair, "ashift", &ashift))
                label->ashift = ashift < 64 ? (uint32_t)ashift : 0;
        }
        if (is(&pair, "raidz_expanding", pair.type))
            label->expanding = true;
        if (is(&pair, "raidz_expand_txgs", pair.type))
            label->expanded = true;
        if (is(&pair, "children", TYPE_LIST_ARRAY)) {
            children = true;
            // An element has 16 bytes at least, so the count cannot make this loop longer than the input.
            for (uint32_t i = 0; i < pair.count && cursor_ok(&pair.value); i++)
                read_vdev(&pair.value, label, depth + 1);
            if (!cursor_ok(&pair.value))
                cursor_fail(list);
        }
    }
    if (cursor_ok(list) && !children) {
        if (label->leaf_count < ZFSLABEL_LEAVES_MAX)
            label->leaves[label->leaf_count] = guid;
        label->leaf_count++;
    }
}

static int read_list(struct cursor *c, struct zfslabel *label)
{
    struct pair pair;
    bool tree = false, guid = false;
    if (!list_head(c))
        return ERR_INVALID;
    while (next_pair(c, &pair)) {
        take_text(&pair, "name", label->pool, sizeof label->pool);
        take_number(&pair, "version", &label->version);
        take_number(&pair, "state", &label->state);
        take_number(&pair, "txg", &label->txg);
        take_number(&pair, "pool_guid", &label->pool_guid);
        take_number(&pair, "top_guid", &label->top_guid);
        take_number(&pair, "vdev_children", &label->top_count);
        guid |= take_number(&pair, "guid", &label->guid);
        if (is(&pair, "vdev_tree", TYPE_LIST)) {
            read_vdev(&pair.value, label, 0);
            if (!cursor_ok(&pair.value))
                return ERR_INVALID;
            tree = true;
        }
    }
    if (!cursor_ok(c) || !guid)
        return ERR_INVALID;
    // Spares and cache devices have a short list: what they are, and nothing of a pool.
    bool member = label->state != ZFSLABEL_SPARE && label->state != ZFSLABEL_CACHE;
    if (member && (!tree || label->pool[0] == '\0' || label->pool_guid == 0))
        return ERR_INVALID;
    return 0;
}

int zfslabel_parse(const uint8_t *label, uint64_t offset, struct zfslabel *ret)
{
    const uint8_t *list = label + ZFSLABEL_LIST_OFFSET;
    const uint8_t *trailer = list + ZFSLABEL_LIST_SIZE - TRAILER_SIZE;
    if (load64_le(trailer) != TRAILER_MAGIC && load64_be(trailer) != TRAILER_MAGIC)
        return ERR_NOT_FOUND;
    if (!zfslabel_sum_ok(list, ZFSLABEL_LIST_SIZE, offset + ZFSLABEL_LIST_OFFSET))
        return ERR_INVALID;
    struct cursor c = cursor_make(list, ZFSLABEL_LIST_SIZE - TRAILER_SIZE);
    const uint8_t *head = cursor_bytes(&c, 4); // encoding, byte order of the writer, two unused
    if (head[0] != 1)
        return ERR_UNSUPPORTED;
    struct zfslabel found;
    memset(&found, 0, sizeof found);
    int err = read_list(&c, &found);
    if (err == 0)
        *ret = found;
    return err;
}

// ---- uberblocks ----------------------------------------------------------------------------------------

#define UBERBLOCK_MAGIC 0x00bab10cu
// Offsets of its 64-bit words, in the byte order of the writer.
enum {
    UB_MAGIC = 0,
    UB_VERSION = 8,
    UB_TXG = 16,
    UB_TIMESTAMP = 32,
    UB_RAIDZ_REFLOW = 208,
};
#define REFLOW_STATE_SHIFT 55 // below it: offset in units of 512 bytes

bool zfslabel_newer(const struct zfslabel_uberblock *a, const struct zfslabel_uberblock *b)
{
    return a->txg != b->txg ? a->txg > b->txg : a->timestamp > b->timestamp;
}

int zfslabel_uberblock(const uint8_t *label, uint64_t offset, uint32_t ashift, struct zfslabel_uberblock *ret)
{
    struct zfslabel_uberblock best;
    size_t step = (size_t)1 << (ashift < 10 ? 10 : ashift > 13 ? 13 : ashift);
    bool any = false;
    for (size_t at = ZFSLABEL_UBERBLOCKS_OFFSET; at < ZFSLABEL_SIZE; at += step) {
        const uint8_t *p = label + at;
        bool big = load64_be(p + UB_MAGIC) == UBERBLOCK_MAGIC;
        if (!big && load64_le(p + UB_MAGIC) != UBERBLOCK_MAGIC)
            continue;
        uint64_t reflow = load64(p + UB_RAIDZ_REFLOW, big);
        struct zfslabel_uberblock ub = {
            .version = load64(p + UB_VERSION, big),
            .txg = load64(p + UB_TXG, big),
            .timestamp = load64(p + UB_TIMESTAMP, big),
            .reflow_state = reflow >> REFLOW_STATE_SHIFT,
            .reflow_offset = (reflow & (((uint64_t)1 << REFLOW_STATE_SHIFT) - 1)) << 9,
        };
        // The sum is the dear part, so only a candidate is summed.
        if ((!any || zfslabel_newer(&ub, &best)) && zfslabel_sum_ok(p, step, offset + at)) {
            best = ub;
            any = true;
        }
    }
    if (!any)
        return ERR_NOT_FOUND;
    *ret = best;
    return 0;
}
