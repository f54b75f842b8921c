// SPDX-License-Identifier: MPL-2.0
// Any bytes as the first sector of an image slot, also with magic and sum made right: what is taken as a header can be
// written again, to the same bytes.
#include "block/imgslot.h"

#include "base/fuzz.h"

static void parse(const uint8_t sector[SLOTHEAD_SIZE])
{
    uint8_t again[SLOTHEAD_SIZE];
    for (unsigned number = 0; number < IMGSLOT_COUNT; number++) {
        struct imgslot slot;
        int err = imgslot_parse(sector, SLOTHEAD_SIZE, number, &slot);
        if ((slot.present || slot.marked) != (err == 0) || (slot.sequence && !(slot.present && slot.marked)))
            __builtin_trap();
        if (slot.sequence && (imgslot_build(&slot, again) != 0 || memcmp(again, sector, sizeof again) != 0))
            __builtin_trap();
        imgslot_build_mark(again);
        if (slot.marked && !slot.present && memcmp(again, sector, sizeof again) != 0)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sector[SLOTHEAD_SIZE];
    struct imgslot slot;
    (void)imgslot_parse(data, size, 0, &slot);
    memset(sector, 0, sizeof sector);
    if (size > 0)
        memcpy(sector, data, MIN(size, sizeof sector));
    parse(sector);
    memcpy(sector, IMGSLOT_MAGIC, 8);
    sha256(sector, SLOTHEAD_AT_SUM, sector + SLOTHEAD_AT_SUM);
    parse(sector);
    return 0;
}
