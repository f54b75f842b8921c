// SPDX-License-Identifier: MPL-2.0
// Any bytes as an embedded blob, also with length and sum made right, and as an artefact with a slot.
#include "base/bytes.h"
#include "base/fuzz.h"
#include "image/embed.h"

#include <stdlib.h>

static struct embed embed;

static void parse(const uint8_t *blob, size_t len)
{
    if (embed_parse(blob, len, &embed) != 0)
        return;
    const uint8_t *script = (const uint8_t *)embed.script;
    if (script && (script < blob || embed.script_len > (size_t)(blob + len - script)))
        __builtin_trap();
    if (embed.trust.key_count > TRUST_KEYS_MAX || strlen(embed.trust.product) >= TRUST_PRODUCT_MAX)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    size_t at = 0;
    if (embed_find_slot(data, size, &at) == 0 && (at % EMBED_SLOT_ALIGN != 0 || at + EMBED_SLOT_SIZE > size))
        __builtin_trap();
    if (size < EMBED_BLOB_HEAD_SIZE || size > EMBED_BLOB_MAX)
        return 0;
    uint8_t *blob = malloc(size);
    memcpy(blob, data, size);
    memcpy(blob, EMBED_BLOB_MAGIC, 8);
    store32_le(blob + 8, (uint32_t)size);
    store32_le(blob + 12, 0);
    sha256(blob + EMBED_BLOB_HEAD_SIZE, size - EMBED_BLOB_HEAD_SIZE, blob + 16);
    parse(blob, size);
    free(blob);
    return 0;
}
