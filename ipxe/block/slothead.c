// SPDX-License-Identifier: MPL-2.0
// See slothead.h.
#include "block/slothead.h"

#include "base/bytes.h"

#define MAGIC_SIZE 8

int slothead_check(const uint8_t *sector, size_t len, const char *magic, uint32_t version)
{
    if (len < SLOTHEAD_SIZE)
        return ERR_TRUNCATED;
    if (memcmp(sector + SLOTHEAD_AT_MAGIC, magic, MAGIC_SIZE) != 0)
        return ERR_NOT_FOUND;
    uint8_t sum[SHA256_SIZE];
    sha256(sector, SLOTHEAD_AT_SUM, sum);
    if (!digest_equal(sum, sector + SLOTHEAD_AT_SUM, SHA256_SIZE))
        return ERR_INVALID;
    // A version that is not known is only told from damage behind its sum.
    if (load32_le(sector + SLOTHEAD_AT_VERSION) != version)
        return ERR_UNSUPPORTED;
    return all_zero(sector + SLOTHEAD_AT_END, SLOTHEAD_SIZE - SLOTHEAD_AT_END) ? 0 : ERR_INVALID;
}

void slothead_finish(uint8_t sector[SLOTHEAD_SIZE], const char *magic, uint32_t version)
{
    memcpy(sector + SLOTHEAD_AT_MAGIC, magic, MAGIC_SIZE);
    store32_le(sector + SLOTHEAD_AT_VERSION, version);
    sha256(sector, SLOTHEAD_AT_SUM, sector + SLOTHEAD_AT_SUM);
}
