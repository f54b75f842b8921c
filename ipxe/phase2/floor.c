// SPDX-License-Identifier: MPL-2.0
// See floor.h.
#include "phase2/floor.h"

#include "base/cursor.h"

#define MAGIC_SIZE 8
_Static_assert(sizeof FLOOR_MAGIC == MAGIC_SIZE + 1 && sizeof FLOOR_PENDING_MAGIC == MAGIC_SIZE + 1, "eight bytes");

// As in a seal: printable without blanks; NULs from its end to the end of the field. False (and a bad cursor) otherwise.
static bool read_product(struct cursor *c, char ret[SEAL_NAME_MAX])
{
    const uint8_t *bytes = cursor_bytes(c, SEAL_NAME_MAX);
    size_t n = 0;
    while (bytes && n < SEAL_NAME_MAX && bytes[n] > ' ' && bytes[n] <= '~')
        n++;
    if (n == SEAL_NAME_MAX)
        cursor_fail(c);
    for (size_t i = n; i < SEAL_NAME_MAX; i++)
        if (!bytes || bytes[i] != 0)
            cursor_fail(c);
    if (!cursor_ok(c))
        return false;
    memcpy(ret, bytes, SEAL_NAME_MAX);
    return true;
}

static void write_product(struct builder *b, const char *product)
{
    size_t len = MIN(strlen(product), (size_t)SEAL_NAME_MAX - 1);
    builder_bytes(b, product, len);
    builder_zeros(b, SEAL_NAME_MAX - len);
}

static bool read_magic(struct cursor *c, const char *magic)
{
    const uint8_t *bytes = cursor_bytes(c, MAGIC_SIZE);
    return bytes && memcmp(bytes, magic, MAGIC_SIZE) == 0;
}

// The number of the product's entry, floor->count when it has none.
static uint32_t entry_of(const struct floor *floor, const char *product)
{
    uint32_t i = 0;
    while (i < floor->count && strcmp(floor->entries[i].product, product) != 0)
        i++;
    return i;
}

static bool read_entry(struct cursor *c, struct floor *floor)
{
    struct floor_entry entry;
    if (!read_product(c, entry.product))
        return false;
    entry.counter = cursor_u64_le(c);
    if (!cursor_ok(c) || entry.counter == 0 || entry_of(floor, entry.product) != floor->count)
        return false;
    floor->entries[floor->count++] = entry;
    return true;
}

int floor_read(const uint8_t *data, size_t len, struct floor *ret)
{
    struct cursor c = cursor_make(data, len);
    memset(ret, 0, sizeof *ret);
    bool sound = read_magic(&c, FLOOR_MAGIC);
    uint32_t count = cursor_u32_le(&c), zero = cursor_u32_le(&c);
    sound = sound && cursor_ok(&c) && count <= FLOOR_PRODUCTS_MAX && zero == 0;
    for (uint32_t i = 0; sound && i < count; i++)
        sound = read_entry(&c, ret);
    if (sound && c.len == 0)
        return 0;
    memset(ret, 0, sizeof *ret);
    return ERR_INVALID;
}

size_t floor_write(const struct floor *floor, uint8_t ret[FLOOR_SIZE_MAX])
{
    struct builder b = builder_make(ret, FLOOR_SIZE_MAX);
    builder_bytes(&b, FLOOR_MAGIC, MAGIC_SIZE);
    builder_u32_le(&b, floor->count);
    builder_u32_le(&b, 0);
    for (uint32_t i = 0; i < floor->count; i++) {
        write_product(&b, floor->entries[i].product);
        builder_u64_le(&b, floor->entries[i].counter);
    }
    return b.len;
}

uint64_t floor_of(const struct floor *floor, const char *product)
{
    uint32_t i = entry_of(floor, product);
    return i < floor->count ? floor->entries[i].counter : 0;
}

int floor_raise(struct floor *floor, const char *product, uint64_t counter)
{
    if (counter <= floor_of(floor, product))
        return 0;
    uint32_t i = entry_of(floor, product);
    if (i == FLOOR_PRODUCTS_MAX)
        return ERR_TOO_LARGE;
    struct floor_entry *entry = &floor->entries[i];
    if (i == floor->count) {
        floor->count++;
        memcpy(entry->product, product, MIN(strlen(product), sizeof entry->product - 1));
    }
    entry->counter = counter;
    return 0;
}

bool floor_forget(struct floor *floor, const char *product)
{
    uint32_t i = entry_of(floor, product);
    if (i == floor->count)
        return false;
    floor->count--;
    memmove(&floor->entries[i], &floor->entries[i + 1], (floor->count - i) * sizeof floor->entries[0]);
    memset(&floor->entries[floor->count], 0, sizeof floor->entries[0]);
    return true;
}

int floor_pending_read(const uint8_t *data, size_t len, struct floor_pending *ret)
{
    struct cursor c = cursor_make(data, len);
    bool sound = read_magic(&c, FLOOR_PENDING_MAGIC);
    ret->counter = cursor_u64_le(&c);
    sound = read_product(&c, ret->product) && sound;
    const uint8_t *token = cursor_bytes(&c, FLOOR_TOKEN_SIZE);
    if (!sound || !token || c.len != 0 || ret->counter == 0) {
        memset(ret, 0, sizeof *ret);
        return ERR_INVALID;
    }
    memcpy(ret->token, token, FLOOR_TOKEN_SIZE);
    return 0;
}

void floor_pending_write(const struct floor_pending *pending, uint8_t ret[FLOOR_PENDING_SIZE])
{
    struct builder b = builder_make(ret, FLOOR_PENDING_SIZE);
    builder_bytes(&b, FLOOR_PENDING_MAGIC, MAGIC_SIZE);
    builder_u64_le(&b, pending->counter);
    write_product(&b, pending->product);
    builder_bytes(&b, pending->token, FLOOR_TOKEN_SIZE);
}

void floor_token_text(const struct floor_pending *pending, char ret[FLOOR_TOKEN_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < FLOOR_TOKEN_SIZE; i++) {
        ret[2 * i] = digits[pending->token[i] >> 4];
        ret[2 * i + 1] = digits[pending->token[i] & 15];
    }
}

bool floor_reported(const struct floor_pending *pending, const uint8_t *report, size_t len)
{
    char token[FLOOR_TOKEN_TEXT];
    floor_token_text(pending, token);
    if (len == sizeof token + 1 && report[len - 1] == '\n')
        len--;
    return len == sizeof token && digest_equal(report, token, sizeof token);
}
