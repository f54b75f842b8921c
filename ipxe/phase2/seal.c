// SPDX-License-Identifier: MPL-2.0
// Reading and judging a seal: see seal.h and doc/phase2-format.md, whose order of checks is kept here.
//
// Until the signatures hold, only fixed offsets are read: the head's numbers and the signature table.
#include "phase2/seal.h"

#include "base/cursor.h"
#include "base/range.h"
#include "phase2/seal_fields.h"

bool seal_geometry_ok(uint32_t chunk_size, uint32_t chunk_count, uint64_t payload_size)
{
    if (!is_power_of_two(chunk_size) || chunk_size < CHUNK_SIZE_MIN || chunk_size > CHUNK_SIZE_MAX)
        return false;
    // Bounds the payload before it is rounded, so that nothing below can wrap.
    if (payload_size == 0 || payload_size > (uint64_t)CHUNK_COUNT_MAX * chunk_size)
        return false;
    if ((payload_size & (PAYLOAD_ALIGN - 1)) != 0)
        return false;
    // A shift, since i686 firmware has no 64-bit division.
    return (payload_size + chunk_size - 1) >> __builtin_ctz(chunk_size) == chunk_count;
}

static int view_head(const uint8_t *head, size_t len, struct seal_view *view)
{
    if (len < HEAD_VERSION)
        return ERR_TRUNCATED;
    if (memcmp(head + HEAD_MAGIC, SEAL_MAGIC, HEAD_VERSION) != 0)
        return ERR_SEAL_MAGIC;
    // Magic and version are what every version has at these offsets: nothing else is looked at before them.
    if (len < HEAD_SIZE)
        return ERR_TRUNCATED;
    if (load16_le(head + HEAD_VERSION) != SEAL_VERSION)
        return ERR_SEAL_VERSION;
    if (len < SEAL_HEAD_SIZE)
        return ERR_TRUNCATED;
    if (load16_le(head + HEAD_SIZE) != SEAL_HEAD_SIZE)
        return ERR_SEAL_LENGTH;
    view->head = head;
    view->body_size = load32_le(head + HEAD_BODY_SIZE);
    view->chunk_size = load32_le(head + HEAD_CHUNK_SIZE);
    view->chunk_count = load32_le(head + HEAD_CHUNK_COUNT);
    view->payload_size = load64_le(head + HEAD_PAYLOAD_SIZE);
    if (view->body_size == 0 || view->body_size > SEAL_BODY_MAX || view->body_size % SEAL_ALIGN != 0)
        return ERR_SEAL_LENGTH;
    if (!seal_geometry_ok(view->chunk_size, view->chunk_count, view->payload_size))
        return ERR_SEAL_LENGTH;
    return 0;
}

// Reads one entry. The pointers are NULL and the cursor bad when it does not fit.
static struct seal_signature read_entry(struct cursor *c)
{
    struct seal_signature s = { .key_id = cursor_bytes(c, KEY_ID_SIZE) };
    s.algorithm = cursor_u32_le(c);
    s.size = cursor_u32_le(c);
    // Refused before the padding is added, which could wrap.
    if (s.size == 0 || s.size > SEAL_TABLE_MAX)
        cursor_fail(c);
    s.bytes = cursor_bytes(c, s.size);
    const uint8_t *padding = cursor_bytes(c, seal_padding(s.size));
    if (padding && !all_zero(padding, seal_padding(s.size)))
        cursor_fail(c);
    return s;
}

static struct cursor table_entries(const struct seal_view *view)
{
    return cursor_make(view->table + SEAL_TABLE_HEAD_SIZE, view->table_size - SEAL_TABLE_HEAD_SIZE);
}

// Walks the table once; each entry is compared with those before it.
static int check_entries(const struct seal_view *view)
{
    const uint8_t *ids[SEAL_SIGNATURES_MAX];
    struct cursor c = table_entries(view);
    for (uint32_t i = 0; i < view->signature_count; i++) {
        struct seal_signature s = read_entry(&c);
        if (!cursor_ok(&c))
            return ERR_SEAL_TABLE;
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(ids[k], s.key_id, KEY_ID_SIZE) == 0)
                return ERR_SEAL_REPEATED;
        ids[i] = s.key_id;
    }
    return c.len == 0 ? 0 : ERR_SEAL_TABLE;
}

static int view_table(const uint8_t *table, size_t len, struct seal_view *view)
{
    if (len < SEAL_TABLE_HEAD_SIZE)
        return ERR_TRUNCATED;
    struct cursor c = cursor_make(table, SEAL_TABLE_HEAD_SIZE);
    uint32_t magic = cursor_u32_le(&c);
    view->signature_count = cursor_u32_le(&c);
    view->table_size = cursor_u32_le(&c);
    uint32_t zero = cursor_u32_le(&c);
    if (magic != SEAL_TABLE_MAGIC || zero != 0)
        return ERR_SEAL_TABLE;
    if (view->table_size < SEAL_TABLE_HEAD_SIZE || view->table_size > SEAL_TABLE_MAX ||
        view->table_size % SEAL_ALIGN != 0)
        return ERR_SEAL_LENGTH;
    if (view->signature_count > SEAL_SIGNATURES_MAX)
        return ERR_SEAL_TABLE;
    if (view->table_size > len)
        return ERR_TRUNCATED;
    view->table = table;
    return check_entries(view);
}

int seal_view(const uint8_t *data, size_t len, struct seal_view *ret)
{
    struct seal_view view = { 0 };
    int err = view_head(data, len, &view);
    if (err)
        return err;
    if (!range_fits(SEAL_HEAD_SIZE, view.body_size, len))
        return ERR_TRUNCATED;
    view.body = data + SEAL_HEAD_SIZE;
    size_t table = SEAL_HEAD_SIZE + (size_t)view.body_size;
    err = view_table(data + table, len - table, &view);
    if (err)
        return err;
    *ret = view;
    return 0;
}

int seal_wants(const uint8_t *data, size_t len, size_t *ret)
{
    struct seal_view view;
    int err = seal_view(data, len, &view);
    if (err == 0)
        *ret = seal_size(&view);
    if (err != ERR_TRUNCATED)
        return err;
    // What seal_view has judged already may be relied on: it gives up where the bytes end.
    size_t table = len < SEAL_HEAD_SIZE ? 0 : SEAL_HEAD_SIZE + (size_t)load32_le(data + HEAD_BODY_SIZE);
    if (len < SEAL_HEAD_SIZE)
        *ret = SEAL_HEAD_SIZE;
    else if (len < table + SEAL_TABLE_HEAD_SIZE)
        *ret = table + SEAL_TABLE_HEAD_SIZE;
    else
        *ret = table + load32_le(data + table + TABLE_SIZE);
    return 0;
}

struct seal_signature seal_signature_at(const struct seal_view *view, uint32_t i)
{
    struct cursor c = table_entries(view);
    struct seal_signature s = read_entry(&c);
    while (i-- > 0)
        s = read_entry(&c);
    return s;
}

uint32_t seal_size(const struct seal_view *view)
{
    return SEAL_HEAD_SIZE + view->body_size + view->table_size;
}

uint64_t seal_list_offset(const struct seal_view *view)
{
    return seal_size(view);
}

uint64_t seal_list_size(const struct seal_view *view)
{
    return (uint64_t)view->chunk_count * SHA256_SIZE;
}

uint64_t seal_payload_offset(const struct seal_view *view)
{
    uint64_t end = seal_list_offset(view) + seal_list_size(view);
    return (end + PAYLOAD_ALIGN - 1) & ~(uint64_t)(PAYLOAD_ALIGN - 1);
}

// The signed message, as the pieces it lies in.
#define MESSAGE_PIECES 2
static void signed_message(const struct seal_view *view, struct digest_piece pieces[MESSAGE_PIECES])
{
    pieces[0] = (struct digest_piece){ SEAL_DOMAIN, DOMAIN_SIZE };
    // Head and body lie end to end.
    pieces[1] = (struct digest_piece){ view->head, (size_t)SEAL_HEAD_SIZE + view->body_size };
}

void seal_image_id(const struct seal_view *view, uint8_t id[SHA256_SIZE])
{
    struct digest_piece message[MESSAGE_PIECES];
    signed_message(view, message);
    sha256_pieces(message, MESSAGE_PIECES, id);
}

int seal_verify_signatures(const struct seal_view *view, const struct trust_store *trust)
{
    if (trust->key_count == 0)
        return ERR_SEAL_NO_TRUST;
    if (view->signature_count == 0)
        return ERR_SEAL_UNSIGNED;

    struct digest_piece message[MESSAGE_PIECES];
    signed_message(view, message);
    uint32_t valid = 0; // of distinct keys: seal_view refused a key named twice
    struct cursor c = table_entries(view);
    for (uint32_t i = 0; i < view->signature_count; i++) {
        struct seal_signature s = read_entry(&c);
        const struct trust_key *key = cursor_ok(&c) ? trust_find(trust, s.key_id) : NULL;
        if (!key)
            continue;
        if (s.algorithm != key->algorithm)
            return ERR_SEAL_ALGORITHM;
        int err = sig_verify(key, message, MESSAGE_PIECES, s.bytes, s.size);
        if (err)
            return err;
        valid++;
    }
    if (valid == 0)
        return ERR_SEAL_UNTRUSTED;
    return valid >= MAX(trust->threshold, 1u) ? 0 : ERR_SEAL_THRESHOLD;
}

static int judge(const struct seal_view *view, const struct trust_store *trust, bool detached, struct seal *seal)
{
    int err = seal_verify_signatures(view, trust);
    if (!err)
        err = seal_parse_body(view, seal);
    if (!err && seal->detached != detached)
        err = detached ? ERR_SEAL_ATTACHED : ERR_SEAL_DETACHED;
    if (err)
        return err;
    if (trust->product[0] != '\0' && strcmp(trust->product, seal->product) != 0)
        return ERR_SEAL_PRODUCT;
    return seal->counter >= trust->counter_floor ? 0 : ERR_SEAL_COUNTER;
}

static int open_seal(const uint8_t *data, size_t len, const struct trust_store *trust, bool detached, struct seal *ret)
{
    struct seal_view view;
    int err = seal_view(data, len, &view);
    if (err)
        return err;
    if (len != seal_size(&view))
        return ERR_SEAL_LENGTH;
    err = judge(&view, trust, detached, ret);
    // A struct seal takes kilobytes, so it is filled where the caller has it; a refused one is emptied.
    if (err)
        memset(ret, 0, sizeof *ret);
    return err;
}

int seal_open(const uint8_t *data, size_t len, const struct trust_store *trust, struct seal *ret)
{
    return open_seal(data, len, trust, false, ret);
}

int seal_open_detached(const uint8_t *data, size_t len, const struct trust_store *trust, struct seal *ret)
{
    return open_seal(data, len, trust, true, ret);
}

int seal_check_list(const struct seal *seal, const uint8_t *list, size_t len)
{
    if (len != (uint64_t)seal->chunk_count * SHA256_SIZE)
        return ERR_SEAL_LIST;
    uint8_t digest[SHA256_SIZE];
    sha256(list, len, digest);
    return digest_equal(digest, seal->list_digest, SHA256_SIZE) ? 0 : ERR_SEAL_LIST;
}

uint32_t seal_chunk_length(const struct seal *seal, uint32_t chunk)
{
    uint64_t start = (uint64_t)chunk * seal->chunk_size;
    if (start >= seal->payload_size)
        return 0;
    return (uint32_t)MIN((uint64_t)seal->chunk_size, seal->payload_size - start);
}
