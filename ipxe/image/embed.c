// SPDX-License-Identifier: MPL-2.0
// See embed.h; doc/embed-format.md is normative.
#include "image/embed.h"

#include "base/cursor.h"

#define ENTRY_HEAD_SIZE 8
#define ENTRY_ALIGN 8
#define BLOB_MAGIC_SIZE 8
#define BLOB_DIGEST 16 // offset of the sum in the blob's head
#define SLOT_USED 40   // the rest of the slot is zero
#define POLICY_FIXED_SIZE 16

_Static_assert(sizeof EMBED_SLOT_MAGIC == SLOT_KIND, "the slot's magic is 16 bytes with its NUL");
_Static_assert(sizeof EMBED_BLOB_MAGIC == BLOB_MAGIC_SIZE + 1, "the blob's magic is 8 bytes without its NUL");
_Static_assert(BLOB_DIGEST + SHA256_SIZE == EMBED_BLOB_HEAD_SIZE, "blob head layout");

static uint32_t padding_of(uint32_t len)
{
    return (uint32_t)-len & (ENTRY_ALIGN - 1);
}

// --- the blob, read ---

static int read_policy(struct cursor data, struct trust_store *trust)
{
    trust->threshold = cursor_u32_le(&data);
    uint32_t zero = cursor_u32_le(&data);
    trust->counter_floor = cursor_u64_le(&data);
    size_t len = data.len;
    const uint8_t *product = cursor_bytes(&data, len);
    if (!product || zero != 0 || len >= sizeof trust->product)
        return ERR_EMBED_DAMAGED;
    for (size_t i = 0; i < len; i++)
        if (product[i] < '!' || product[i] > '~')
            return ERR_EMBED_DAMAGED;
    memcpy(trust->product, product, len);
    trust->product[len] = '\0';
    return 0;
}

static int read_entry(uint16_t type, const uint8_t *data, uint32_t len, struct embed *embed)
{
    struct trust_key key;
    int err;
    switch (type) {
    case EMBED_SCRIPT:
        embed->script = (const char *)data;
        embed->script_len = len;
        return 0;
    case EMBED_TRUST_KEY:
        err = trust_key_from_spki(data, len, &key);
        return err ? err : trust_add(&embed->trust, &key);
    case EMBED_POLICY:
        return read_policy(cursor_make(data, len), &embed->trust);
    default:
        return ERR_EMBED_DAMAGED;
    }
}

static int read_entries(struct cursor c, struct embed *embed)
{
    uint16_t last = 0;
    while (c.len > 0) {
        uint16_t type = cursor_u16_le(&c);
        uint16_t zero = cursor_u16_le(&c);
        uint32_t len = cursor_u32_le(&c);
        // The bound keeps the padding's arithmetic from wrapping.
        if (!cursor_ok(&c) || len > EMBED_BLOB_MAX || zero != 0)
            return ERR_EMBED_DAMAGED;
        if (type < last || (type == last && type != EMBED_TRUST_KEY))
            return ERR_EMBED_DAMAGED;
        const uint8_t *data = cursor_bytes(&c, len);
        const uint8_t *padding = cursor_bytes(&c, padding_of(len));
        if (!data || !padding)
            return ERR_EMBED_DAMAGED;
        for (uint32_t i = 0; i < padding_of(len); i++)
            if (padding[i] != 0)
                return ERR_EMBED_DAMAGED;
        int err = read_entry(type, data, len, embed);
        if (err)
            return err;
        last = type;
    }
    return cursor_ok(&c) ? 0 : ERR_EMBED_DAMAGED;
}

int embed_parse(const uint8_t *blob, size_t len, struct embed *ret)
{
    // Filled in place, because a trust store is big for a small stack; emptied again on an error.
    memset(ret, 0, sizeof *ret);
    if (len < EMBED_BLOB_HEAD_SIZE || len > EMBED_BLOB_MAX)
        return ERR_EMBED_DAMAGED;
    if (memcmp(blob, EMBED_BLOB_MAGIC, BLOB_MAGIC_SIZE) != 0 || load32_le(blob + 8) != len ||
        load32_le(blob + 12) != 0)
        return ERR_EMBED_DAMAGED;
    uint8_t digest[SHA256_SIZE];
    sha256(blob + EMBED_BLOB_HEAD_SIZE, len - EMBED_BLOB_HEAD_SIZE, digest);
    if (!digest_equal(digest, blob + BLOB_DIGEST, SHA256_SIZE))
        return ERR_EMBED_DAMAGED;

    int err = read_entries(cursor_make(blob + EMBED_BLOB_HEAD_SIZE, len - EMBED_BLOB_HEAD_SIZE), ret);
    if (err)
        memset(ret, 0, sizeof *ret);
    return err;
}

// --- the slot ---

uint32_t embed_slot_base(const uint8_t *slot, size_t offset)
{
    uint32_t base = load32_le(slot + SLOT_BASE);
    if (base == 0 && load32_le(slot + SLOT_KIND) == EMBED_EFI && offset <= UINT32_MAX - EMBED_SLOT_SIZE)
        base = (uint32_t)offset + EMBED_SLOT_SIZE;
    return base;
}

static bool is_slot(const uint8_t *slot, size_t offset, size_t file_len)
{
    if (memcmp(slot + SLOT_MAGIC, EMBED_SLOT_MAGIC, sizeof EMBED_SLOT_MAGIC) != 0)
        return false;
    // A copy of the magic elsewhere (a string constant, a text) is told from a slot by what follows it.
    uint32_t base = embed_slot_base(slot, offset);
    if (load32_le(slot + SLOT_KIND) == 0 || base > file_len || base < offset + EMBED_SLOT_SIZE)
        return false;
    if (load32_le(slot + SLOT_FLAGS) & ~EMBED_FLAGS)
        return false;
    for (unsigned i = SLOT_USED; i < EMBED_SLOT_SIZE; i++)
        if (slot[i] != 0)
            return false;
    return true;
}

int embed_find_slot(const uint8_t *file, size_t len, size_t *ret_offset)
{
    size_t found = 0, end = len;
    bool any = false;
    for (size_t at = 0; at + EMBED_SLOT_SIZE <= end; at += EMBED_SLOT_ALIGN) {
        if (!is_slot(file + at, at, len))
            continue;
        if (any)
            return ERR_NOT_FOUND;
        any = true;
        found = at;
        // What lies behind the bare artefact is a blob, and its script may quote whatever it likes.
        end = embed_slot_base(file + at, at);
    }
    if (!any)
        return ERR_NOT_FOUND;
    *ret_offset = found;
    return 0;
}

// --- the blob, written ---

static void write_entry_head(struct builder *b, uint16_t type, size_t len)
{
    builder_u16_le(b, type);
    builder_u16_le(b, 0);
    builder_u32_le(b, (uint32_t)len);
}

static void write_entry(struct builder *b, uint16_t type, const void *data, size_t len)
{
    if (len > EMBED_BLOB_MAX) {
        b->bad = true;
        return;
    }
    write_entry_head(b, type, len);
    builder_bytes(b, data, len);
    builder_zeros(b, padding_of((uint32_t)len));
}

// Writes each key once. Returns how many, or the error of a key that is none.
static int write_keys(struct builder *b, const struct digest_piece *spki, size_t count)
{
    int written = 0;
    for (size_t i = 0; i < count; i++) {
        struct trust_key key;
        int err = trust_key_from_spki(spki[i].data, spki[i].len, &key);
        if (err)
            return err;
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= spki[k].len == spki[i].len && memcmp(spki[k].data, spki[i].data, spki[i].len) == 0;
        if (again)
            continue;
        if (written == TRUST_KEYS_MAX)
            return ERR_TRUST_FULL;
        write_entry(b, EMBED_TRUST_KEY, spki[i].data, spki[i].len);
        written++;
    }
    return written;
}

static int write_policy(struct builder *b, const struct embed_source *source)
{
    const char *product = source->product ? source->product : "";
    size_t len = strlen(product);
    if (len >= TRUST_PRODUCT_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < len; i++)
        if (product[i] < '!' || product[i] > '~')
            return ERR_INVALID;
    write_entry_head(b, EMBED_POLICY, POLICY_FIXED_SIZE + len);
    builder_u32_le(b, source->threshold);
    builder_u32_le(b, 0);
    builder_u64_le(b, source->counter_floor);
    builder_bytes(b, product, len);
    builder_zeros(b, padding_of((uint32_t)(POLICY_FIXED_SIZE + len)));
    return 0;
}

int embed_build(const struct embed_source *source, uint8_t *buf, size_t cap)
{
    struct builder b = builder_make(buf, MIN(cap, (size_t)EMBED_BLOB_MAX));
    uint8_t *head = builder_room(&b, EMBED_BLOB_HEAD_SIZE);
    if (source->script)
        write_entry(&b, EMBED_SCRIPT, source->script, source->script_len);
    int keys = write_keys(&b, source->spki, source->spki_count);
    if (keys < 0)
        return keys;
    // More signatures than there are keys can never come together: a slip, not a policy.
    if (source->threshold > (uint32_t)keys && source->threshold > 1)
        return ERR_INVALID;
    int err = write_policy(&b, source);
    if (err)
        return err;
    if (b.bad)
        return ERR_TOO_LARGE;
    memcpy(head, EMBED_BLOB_MAGIC, BLOB_MAGIC_SIZE);
    store32_le(head + 8, (uint32_t)b.len);
    store32_le(head + 12, 0);
    sha256(buf + EMBED_BLOB_HEAD_SIZE, b.len - EMBED_BLOB_HEAD_SIZE, head + BLOB_DIGEST);
    return (int)b.len;
}
