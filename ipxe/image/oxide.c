// SPDX-License-Identifier: MPL-2.0
// See oxide.h.
#include "image/oxide.h"

#include "base/cursor.h"

_Static_assert(OXIDE_AT_NAME + OXIDE_TEXT_MAX == OXIDE_AT_REST, "header layout");

static bool text_ok(const char text[OXIDE_TEXT_MAX])
{
    size_t len = strnlen(text, OXIDE_TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len < OXIDE_TEXT_MAX;
}

static bool fields_ok(const struct oxide_header *h)
{
    if ((h->flags & ~OXIDE_FLAG_COMPRESSED) != 0)
        return false;
    if (h->data_size == 0 || h->data_size > h->image_size || h->image_size > h->target_size)
        return false;
    if (!(h->flags & OXIDE_FLAG_COMPRESSED) && h->data_size != h->image_size)
        return false;
    // So that header and data together still have a size.
    if (h->data_size > UINT64_MAX - OXIDE_HEADER_SIZE)
        return false;
    return text_ok(h->dataset) && text_ok(h->name);
}

bool oxide_is_header(const uint8_t *data, size_t len)
{
    return len >= 4 && load32_le(data) == OXIDE_MAGIC;
}

// The text up to its NUL; what a writer left behind it is dropped.
static void read_text(struct cursor *c, char text[OXIDE_TEXT_MAX])
{
    const uint8_t *bytes = cursor_bytes(c, OXIDE_TEXT_MAX);
    if (!bytes)
        return;
    memset(text, 0, OXIDE_TEXT_MAX);
    memcpy(text, bytes, strnlen((const char *)bytes, OXIDE_TEXT_MAX));
}

int oxide_parse(const uint8_t *data, size_t len, struct oxide_header *ret)
{
    if (len >= 4 && !oxide_is_header(data, len))
        return ERR_OXIDE_MAGIC;
    if (len < OXIDE_HEADER_SIZE)
        return ERR_TRUNCATED;
    struct oxide_header h;
    struct cursor c = cursor_make(data, OXIDE_AT_REST);
    cursor_u32_le(&c); // the magic
    if (cursor_u32_le(&c) != OXIDE_VERSION)
        return ERR_SEAL_VERSION;
    h.flags = cursor_u64_le(&c);
    h.data_size = cursor_u64_le(&c);
    h.image_size = cursor_u64_le(&c);
    h.target_size = cursor_u64_le(&c);
    memcpy(h.sha256, cursor_bytes(&c, SHA256_SIZE), SHA256_SIZE);
    read_text(&c, h.dataset);
    read_text(&c, h.name);
    if (!fields_ok(&h))
        return ERR_OXIDE_FIELD;
    *ret = h;
    return 0;
}

int oxide_build(const struct oxide_header *header, uint8_t buf[OXIDE_HEADER_SIZE])
{
    if (!fields_ok(header))
        return ERR_INVALID;
    memset(buf, 0, OXIDE_HEADER_SIZE);
    struct builder b = builder_make(buf, OXIDE_HEADER_SIZE);
    builder_u32_le(&b, OXIDE_MAGIC);
    builder_u32_le(&b, OXIDE_VERSION);
    builder_u64_le(&b, header->flags);
    builder_u64_le(&b, header->data_size);
    builder_u64_le(&b, header->image_size);
    builder_u64_le(&b, header->target_size);
    builder_bytes(&b, header->sha256, SHA256_SIZE);
    memcpy(buf + OXIDE_AT_DATASET, header->dataset, strlen(header->dataset));
    memcpy(buf + OXIDE_AT_NAME, header->name, strlen(header->name));
    return 0;
}
