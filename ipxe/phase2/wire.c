// SPDX-License-Identifier: MPL-2.0
// See wire.h. Each message has one reader and one writer here, in the order of its fields on the wire.
#include "phase2/wire.h"

#include "base/cursor.h"
#include "base/range.h"

static bool printable(char ch)
{
    return ch >= 0x20 && ch <= 0x7e;
}

// A fixed text field: printable up to the first NUL, nothing but NULs after it, at least one NUL.
static void read_text(struct cursor *c, char *ret, size_t size)
{
    const uint8_t *p = cursor_bytes(c, size);
    if (!p)
        return;
    size_t n = 0;
    while (n < size && p[n] != 0 && printable((char)p[n]))
        n++;
    for (size_t i = n; i < size; i++)
        if (p[i] != 0)
            cursor_fail(c);
    if (n == size)
        cursor_fail(c);
    else
        memcpy(ret, p, size);
}

static void read_bytes(struct cursor *c, void *ret, size_t size)
{
    const uint8_t *p = cursor_bytes(c, size);
    if (p)
        memcpy(ret, p, size);
}

static void read_zeros(struct cursor *c, size_t size)
{
    const uint8_t *p = cursor_bytes(c, size);
    for (size_t i = 0; p && i < size; i++)
        if (p[i] != 0) {
            cursor_fail(c);
            return;
        }
}

// A field of text as it leaves: what is behind its NUL must not leak.
static void write_text(struct builder *b, const char *text, size_t size)
{
    size_t n = strnlen(text, size - 1);
    builder_bytes(b, text, n);
    builder_zeros(b, size - n);
}

void p2_wire_text(char *field, size_t size, const char *text)
{
    size_t n = 0;
    for (; text && text[n] && n < size - 1; n++)
        field[n] = printable(text[n]) ? text[n] : '?';
    memset(field + n, 0, size - n);
}

static void read_hello(struct cursor *c, struct p2_hello *m)
{
    read_bytes(c, m->tag, sizeof m->tag);
    read_text(c, m->name, sizeof m->name);
    read_bytes(c, m->facts.mac, sizeof m->facts.mac);
    m->window_max = cursor_u16_le(c);
    read_bytes(c, m->facts.uuid, sizeof m->facts.uuid);
    read_text(c, m->facts.arch, sizeof m->facts.arch);
    read_text(c, m->facts.version, sizeof m->facts.version);
    m->block_max = cursor_u16_le(c);
    read_zeros(c, P2_HELLO_SIZE - 162);
}
static void write_hello(struct builder *b, const struct p2_hello *m)
{
    builder_bytes(b, m->tag, sizeof m->tag);
    write_text(b, m->name, sizeof m->name);
    builder_bytes(b, m->facts.mac, sizeof m->facts.mac);
    builder_u16_le(b, m->window_max);
    builder_bytes(b, m->facts.uuid, sizeof m->facts.uuid);
    write_text(b, m->facts.arch, sizeof m->facts.arch);
    write_text(b, m->facts.version, sizeof m->facts.version);
    builder_u16_le(b, m->block_max);
    builder_zeros(b, P2_HELLO_SIZE - 162);
}

static void read_offer(struct cursor *c, struct p2_offer *m)
{
    read_bytes(c, m->cookie, sizeof m->cookie);
    read_bytes(c, m->image_id, sizeof m->image_id);
    m->seal_size = cursor_u32_le(c);
    m->list_size = cursor_u32_le(c);
    m->payload_size = cursor_u64_le(c);
    m->block_max = cursor_u16_le(c);
    m->window_max = cursor_u16_le(c);
    read_zeros(c, 4);
    read_bytes(c, m->instance, sizeof m->instance);
    read_bytes(c, m->group_nonce, sizeof m->group_nonce);
    read_bytes(c, m->group_ip, sizeof m->group_ip);
    m->group_port = cursor_u16_le(c);
    read_zeros(c, 6);
    read_text(c, m->server, sizeof m->server);
}
static void write_offer(struct builder *b, const struct p2_offer *m)
{
    builder_bytes(b, m->cookie, sizeof m->cookie);
    builder_bytes(b, m->image_id, sizeof m->image_id);
    builder_u32_le(b, m->seal_size);
    builder_u32_le(b, m->list_size);
    builder_u64_le(b, m->payload_size);
    builder_u16_le(b, m->block_max);
    builder_u16_le(b, m->window_max);
    builder_zeros(b, 4);
    builder_bytes(b, m->instance, sizeof m->instance);
    builder_bytes(b, m->group_nonce, sizeof m->group_nonce);
    builder_bytes(b, m->group_ip, sizeof m->group_ip);
    builder_u16_le(b, m->group_port);
    builder_zeros(b, 6);
    write_text(b, m->server, sizeof m->server);
}

static bool read_fields_good(const struct p2_read *m)
{
    if (m->range_count < 1 || m->range_count > P2_RANGES_MAX || m->space >= P2_SPACES || m->stamp == 0)
        return false;
    if (m->block_size < P2_BLOCK_MIN || m->block_size > P2_BLOCK_LARGE || (m->flags & ~P2_READ_CANCEL))
        return false;
    for (uint32_t i = 0; i < m->range_count; i++)
        if (m->ranges[i].length == 0 || !range_fits(m->ranges[i].offset, m->ranges[i].length, UINT64_MAX))
            return false;
    return true;
}
static void read_read(struct cursor *c, struct p2_read *m)
{
    read_bytes(c, m->cookie, sizeof m->cookie);
    read_bytes(c, m->tag, sizeof m->tag);
    m->verified = cursor_u64_le(c);
    m->lost = cursor_u32_le(c);
    m->stamp = cursor_u16_le(c);
    m->block_size = cursor_u16_le(c);
    m->flags = cursor_u16_le(c);
    m->space = cursor_u8(c);
    m->range_count = cursor_u8(c);
    read_zeros(c, 4);
    for (uint32_t i = 0; i < m->range_count && i < P2_RANGES_MAX; i++) {
        m->ranges[i].offset = cursor_u64_le(c);
        m->ranges[i].length = cursor_u32_le(c);
    }
    if (!read_fields_good(m))
        cursor_fail(c);
}
static void write_read(struct builder *b, const struct p2_read *m)
{
    if (!read_fields_good(m)) {
        b->bad = true;
        return;
    }
    builder_bytes(b, m->cookie, sizeof m->cookie);
    builder_bytes(b, m->tag, sizeof m->tag);
    builder_u64_le(b, m->verified);
    builder_u32_le(b, m->lost);
    builder_u16_le(b, m->stamp);
    builder_u16_le(b, m->block_size);
    builder_u16_le(b, m->flags);
    builder_u8(b, m->space);
    builder_u8(b, m->range_count);
    builder_zeros(b, 4);
    for (uint32_t i = 0; i < m->range_count; i++) {
        builder_u64_le(b, m->ranges[i].offset);
        builder_u32_le(b, m->ranges[i].length);
    }
}

static bool data_fields_good(const struct p2_data *m)
{
    return m->space < P2_SPACES && m->length >= 1 && m->length <= P2_BLOCK_LARGE &&
           range_fits(m->offset, m->length, UINT64_MAX);
}
static void read_data(struct cursor *c, struct p2_data *m)
{
    read_bytes(c, m->tag, sizeof m->tag);
    m->offset = cursor_u64_le(c);
    m->space = cursor_u8(c);
    read_zeros(c, 1);
    m->stamp = cursor_u16_le(c);
    m->serial = cursor_u32_le(c);
    m->length = (uint32_t)MIN(c->len, (size_t)P2_BLOCK_LARGE + 1);
    if (cursor_ok(c) && !data_fields_good(m))
        cursor_fail(c);
    m->bytes = cursor_bytes(c, m->length);
}
static void write_data_head(struct builder *b, const struct p2_data *m)
{
    builder_bytes(b, m->tag, sizeof m->tag);
    builder_u64_le(b, m->offset);
    builder_u8(b, m->space);
    builder_zeros(b, 1);
    builder_u16_le(b, m->stamp);
    builder_u32_le(b, m->serial);
}

static void read_finished(struct cursor *c, struct p2_finished *m)
{
    read_bytes(c, m->cookie, sizeof m->cookie);
    read_bytes(c, m->tag, sizeof m->tag);
    m->bytes = cursor_u64_le(c);
    m->transport_ms = cursor_u32_le(c);
    m->digest_ms = cursor_u32_le(c);
    m->lost = cursor_u32_le(c);
    m->duplicates = cursor_u32_le(c);
    m->outcome = cursor_u8(c);
    read_zeros(c, 7);
    read_text(c, m->code, sizeof m->code);
    read_text(c, m->text, sizeof m->text);
    if (m->outcome < P2_OUTCOME_BOOTING || m->outcome > P2_OUTCOME_REFUSED)
        cursor_fail(c);
}
static void write_finished(struct builder *b, const struct p2_finished *m)
{
    builder_bytes(b, m->cookie, sizeof m->cookie);
    builder_bytes(b, m->tag, sizeof m->tag);
    builder_u64_le(b, m->bytes);
    builder_u32_le(b, m->transport_ms);
    builder_u32_le(b, m->digest_ms);
    builder_u32_le(b, m->lost);
    builder_u32_le(b, m->duplicates);
    builder_u8(b, m->outcome);
    builder_zeros(b, 7);
    write_text(b, m->code, sizeof m->code);
    write_text(b, m->text, sizeof m->text);
    if (m->outcome < P2_OUTCOME_BOOTING || m->outcome > P2_OUTCOME_REFUSED)
        b->bad = true;
}

static void read_error(struct cursor *c, struct p2_error *m)
{
    read_bytes(c, m->tag, sizeof m->tag);
    m->code = cursor_u16_le(c);
    read_zeros(c, 6);
    read_text(c, m->text, sizeof m->text);
}
static void write_error(struct builder *b, const struct p2_error *m)
{
    builder_bytes(b, m->tag, sizeof m->tag);
    builder_u16_le(b, m->code);
    builder_zeros(b, 6);
    write_text(b, m->text, sizeof m->text);
}

// False: only servers say that.
static bool read_of_client(struct cursor *c, struct p2_message *ret)
{
    switch (ret->type) {
    case P2_HELLO: read_hello(c, &ret->hello); return true;
    case P2_READ: read_read(c, &ret->read); return true;
    case P2_FINISHED: read_finished(c, &ret->finished); return true;
    default: return false;
    }
}

int p2_wire_read(const uint8_t *data, size_t len, struct p2_message *ret)
{
    struct cursor c = cursor_make(data, len);
    const uint8_t *magic = cursor_bytes(&c, 4);
    uint8_t version = cursor_u8(&c);
    if (!magic || memcmp(magic, P2_MAGIC, 4) != 0 || version != P2_VERSION)
        return ERR_P2_MALFORMED;

    // Each reader sets every field of its message: a READ's ranges are a kilobyte, which DATA need not clear.
    ret->type = cursor_u8(&c);
    read_zeros(&c, 2);
    read_bytes(&c, ret->nonce, sizeof ret->nonce);
    switch (ret->type) {
    case P2_OFFER: read_offer(&c, &ret->offer); break;
    case P2_DATA: read_data(&c, &ret->data); break;
    case P2_FINISHED_ACK: read_zeros(&c, P2_FINISHED_ACK_SIZE - P2_HEAD_SIZE); break;
    case P2_ERROR: read_error(&c, &ret->error); break;
    case P2_RESET:
        ret->reset_reason = cursor_u16_le(&c);
        read_zeros(&c, 6);
        break;
    default:
        if (!P2_SERVES || !read_of_client(&c, ret))
            return ERR_P2_MALFORMED;
    }
    // Nothing may follow: a longer form would be another version.
    return cursor_ok(&c) && c.len == 0 ? 0 : ERR_P2_MALFORMED;
}

static void write_head(struct builder *b, uint8_t type, const uint8_t nonce[P2_NONCE_SIZE])
{
    builder_bytes(b, P2_MAGIC, 4);
    builder_u8(b, P2_VERSION);
    builder_u8(b, type);
    builder_zeros(b, 2);
    builder_bytes(b, nonce, P2_NONCE_SIZE);
}

static bool writable(const struct p2_message *m)
{
    switch (m->type) {
    case P2_HELLO: return true;
    case P2_READ: return read_fields_good(&m->read);
    case P2_FINISHED:
        return m->finished.outcome >= P2_OUTCOME_BOOTING && m->finished.outcome <= P2_OUTCOME_REFUSED;
    case P2_DATA: return P2_SERVES && data_fields_good(&m->data) && m->data.bytes;
    default: return P2_SERVES && m->type >= P2_HELLO && m->type <= P2_RESET;
    }
}

static void write_of_server(struct builder *b, const struct p2_message *m)
{
    switch (m->type) {
    case P2_OFFER: write_offer(b, &m->offer); break;
    case P2_DATA:
        write_data_head(b, &m->data);
        builder_bytes(b, m->data.bytes, m->data.length);
        break;
    case P2_FINISHED_ACK: builder_zeros(b, P2_FINISHED_ACK_SIZE - P2_HEAD_SIZE); break;
    case P2_ERROR: write_error(b, &m->error); break;
    case P2_RESET:
        builder_u16_le(b, m->reset_reason);
        builder_zeros(b, 6);
        break;
    }
}

int p2_wire_write(const struct p2_message *m, uint8_t *buf, size_t cap)
{
    if (!writable(m))
        return ERR_INVALID;
    struct builder b = builder_make(buf, cap);
    write_head(&b, m->type, m->nonce);
    switch (m->type) {
    case P2_HELLO: write_hello(&b, &m->hello); break;
    case P2_READ: write_read(&b, &m->read); break;
    case P2_FINISHED: write_finished(&b, &m->finished); break;
    default:
        if (P2_SERVES)
            write_of_server(&b, m);
    }
    return b.bad ? ERR_TOO_LARGE : (int)b.len;
}

void p2_wire_data_head(uint8_t head[P2_DATA_FIXED], const uint8_t nonce[P2_NONCE_SIZE], const struct p2_data *data)
{
    struct builder b = builder_make(head, P2_DATA_FIXED);
    write_head(&b, P2_DATA, nonce);
    write_data_head(&b, data);
}

const char *p2_type_name(uint8_t type)
{
    static const char *const names[] = { "?", "HELLO", "OFFER", "READ", "DATA", "FINISHED", "FINISHED_ACK", "ERROR", "RESET" };
    return type < ARRAY_SIZE(names) ? names[type] : "?";
}
