// SPDX-License-Identifier: MPL-2.0
// Any bytes as a slot header, also with magic and sum made right: what is taken can be written again, to the same bytes.
#include "block/bootslot.h"

#include "base/fuzz.h"

static void parse(const uint8_t sector[BOOTSLOT_HEADER_SIZE])
{
    struct bootslot slot;
    uint8_t again[BOOTSLOT_HEADER_SIZE];
    if (bootslot_parse(sector, BOOTSLOT_HEADER_SIZE, &slot) != 0)
        return;
    if (bootslot_build(&slot, again) != 0 || memcmp(again, sector, sizeof again) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sector[BOOTSLOT_HEADER_SIZE];
    struct bootslot slot;
    (void)bootslot_parse(data, size, &slot);
    memset(sector, 0, sizeof sector);
    if (size > 0)
        memcpy(sector, data, MIN(size, sizeof sector));
    parse(sector);
    memcpy(sector, BOOTSLOT_MAGIC, 8);
    sha256(sector, SLOTHEAD_AT_SUM, sector + SLOTHEAD_AT_SUM);
    parse(sector);
    return 0;
}
