// SPDX-License-Identifier: MPL-2.0
// Making seals: the writing twin of seal.c and seal_body.c. It refuses what they would refuse.
#include "base/cursor.h"
#include "phase2/seal_fields.h"

static void write_field_head(struct builder *b, uint16_t type, uint32_t len)
{
    builder_u16_le(b, type);
    builder_u16_le(b, 0);
    builder_u32_le(b, len);
}

static void write_field(struct builder *b, uint16_t type, const void *data, uint32_t len)
{
    write_field_head(b, type, len);
    builder_bytes(b, data, len);
    builder_zeros(b, seal_padding(len));
}

// An empty text is left out.
static void write_text(struct builder *b, uint16_t type, const char *text)
{
    if (text[0] != '\0')
        write_field(b, type, text, (uint32_t)strlen(text));
}

static void write_part(struct builder *b, const struct seal_part *p)
{
    uint32_t name_len = (uint32_t)strlen(p->name);
    write_field_head(b, FIELD_PART, PART_FIXED_SIZE + name_len);
    builder_u32_le(b, p->kind);
    builder_u32_le(b, 0); // flags
    builder_u64_le(b, p->offset);
    builder_u64_le(b, p->size);
    builder_u64_le(b, p->address);
    builder_u64_le(b, p->memory);
    builder_u32_le(b, p->align);
    builder_u32_le(b, p->split);
    builder_bytes(b, p->name, name_len);
    builder_zeros(b, seal_padding(PART_FIXED_SIZE + name_len));
}

static void write_front(struct builder *b, const struct seal *seal, uint32_t part)
{
    const struct seal_part *p = &seal->parts[part];
    write_field_head(b, FIELD_FRONT, 4 + p->front_len);
    builder_u32_le(b, part);
    builder_bytes(b, seal->bytes + p->front_at, p->front_len);
    builder_zeros(b, seal_padding(4 + p->front_len));
}

static void write_body(struct builder *b, const struct seal *seal)
{
    uint8_t number[8];
    write_text(b, FIELD_NAME, seal->name);
    write_text(b, FIELD_PRODUCT, seal->product);
    store64_le(number, seal->counter);
    write_field(b, FIELD_COUNTER, number, 8);
    store32_le(number, seal->target);
    write_field(b, FIELD_TARGET, number, 4);
    write_text(b, FIELD_CMDLINE, seal->cmdline);
    for (uint32_t i = 0; i < seal->part_count; i++)
        write_part(b, &seal->parts[i]);
    write_text(b, FIELD_DATASET, seal->dataset);
    if (seal->detached)
        write_field(b, FIELD_FILES, seal->files, seal->part_count * SHA256_SIZE);
    for (uint32_t i = 0; i < seal->part_count; i++)
        if (seal->parts[i].front_len)
            write_front(b, seal, i);
    write_text(b, FIELD_ARGUMENTS, seal->arguments);
}

int seal_build(const struct seal *seal, uint8_t *buf, size_t cap)
{
    if (!seal_geometry_ok(seal->chunk_size, seal->chunk_count, seal->payload_size) || !seal_fields_ok(seal))
        return ERR_INVALID;
    struct builder b = builder_make(buf, cap);
    uint8_t *head = builder_room(&b, SEAL_HEAD_SIZE);
    write_body(&b, seal);
    if (b.bad || b.len - SEAL_HEAD_SIZE > SEAL_BODY_MAX)
        return ERR_TOO_LARGE;

    memcpy(head + HEAD_MAGIC, SEAL_MAGIC, HEAD_VERSION);
    store16_le(head + HEAD_VERSION, SEAL_VERSION);
    store16_le(head + HEAD_SIZE, SEAL_HEAD_SIZE);
    store32_le(head + HEAD_BODY_SIZE, (uint32_t)(b.len - SEAL_HEAD_SIZE));
    store32_le(head + HEAD_CHUNK_SIZE, seal->chunk_size);
    store32_le(head + HEAD_CHUNK_COUNT, seal->chunk_count);
    store64_le(head + HEAD_PAYLOAD_SIZE, seal->payload_size);
    memcpy(head + HEAD_LIST_DIGEST, seal->list_digest, SHA256_SIZE);
    return (int)b.len;
}

int seal_build_table(const struct seal_signature *signatures, uint32_t count, uint8_t *buf, size_t cap)
{
    if (count > SEAL_SIGNATURES_MAX)
        return ERR_TOO_LARGE;
    struct builder b = builder_make(buf, MIN(cap, (size_t)SEAL_TABLE_MAX));
    uint8_t *head = builder_room(&b, SEAL_TABLE_HEAD_SIZE);
    for (uint32_t i = 0; i < count; i++) {
        const struct seal_signature *s = &signatures[i];
        if (s->size == 0)
            return ERR_INVALID;
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(signatures[k].key_id, s->key_id, KEY_ID_SIZE) == 0)
                return ERR_INVALID;
        builder_bytes(&b, s->key_id, KEY_ID_SIZE);
        builder_u32_le(&b, s->algorithm);
        builder_u32_le(&b, s->size);
        builder_bytes(&b, s->bytes, s->size);
        builder_zeros(&b, seal_padding(s->size));
    }
    if (b.bad)
        return ERR_TOO_LARGE;
    store32_le(head, SEAL_TABLE_MAGIC);
    store32_le(head + 4, count);
    store32_le(head + 8, (uint32_t)b.len);
    store32_le(head + 12, 0);
    return (int)b.len;
}
