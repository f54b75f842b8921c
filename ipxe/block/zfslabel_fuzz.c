// SPDX-License-Identifier: MPL-2.0
// Any bytes as the name-value list of a label. The input becomes the list and, with a sum that fits, passes the check of
// the trailer, so that the parser behind it is reached; then the same input as the uberblocks.
#include "base/bytes.h"
#include "base/fuzz.h"
#include "crypto/digest.h"
#include "block/zfslabel.h"

static void seal_block(uint8_t *block, size_t len, uint64_t offset)
{
    uint8_t sum[SHA256_SIZE];
    uint8_t *trailer = block + len - 40;
    memset(trailer, 0, 40);
    store64_le(trailer, 0x0210da7ab10c7a11u);
    store64_le(trailer + 8, offset);
    sha256(block, len, sum);
    for (unsigned i = 0; i < 4; i++)
        store64_le(trailer + 8 + 8 * i, load64_be(sum + 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t label[ZFSLABEL_SIZE];
    struct zfslabel found;
    struct zfslabel_uberblock best;
    uint8_t *list = label + ZFSLABEL_LIST_OFFSET, *blocks = label + ZFSLABEL_UBERBLOCKS_OFFSET;
    if (size == 0)
        return 0;
    memset(label, 0, sizeof label);
    memcpy(list, data, size < ZFSLABEL_LIST_SIZE ? size : ZFSLABEL_LIST_SIZE);
    zfslabel_parse(label, 0, &found); // without a sum that fits
    seal_block(list, ZFSLABEL_LIST_SIZE, ZFSLABEL_LIST_OFFSET);
    if (zfslabel_parse(label, 0, &found) == 0 &&
        (strnlen(found.pool, sizeof found.pool) == sizeof found.pool ||
         strnlen(found.top_type, sizeof found.top_type) == sizeof found.top_type))
        __builtin_trap();
    memcpy(blocks, data, size < 1024 ? size : 1024);
    seal_block(blocks, 1024, ZFSLABEL_UBERBLOCKS_OFFSET);
    zfslabel_uberblock(label, 0, data[0], &best);
    return 0;
}
