// SPDX-License-Identifier: MPL-2.0
// Any bytes as the kept floors and as a pending record, also behind the right magic: what is taken can be written again,
// to the same bytes, and raising keeps it sound.
#include "phase2/floor.h"

#include "base/fuzz.h"

#define MUST(x) ((x) ? (void)0 : __builtin_trap())

static void read_floor(const uint8_t *data, size_t size)
{
    struct floor floor;
    uint8_t again[FLOOR_SIZE_MAX];
    if (floor_read(data, size, &floor) != 0) {
        MUST(floor.count == 0);
        return;
    }
    MUST(floor_write(&floor, again) == size && memcmp(again, data, size) == 0);
    uint64_t before = floor_of(&floor, "web");
    int err = floor_raise(&floor, "web", 5);
    MUST(err || floor_of(&floor, "web") == (before > 5 ? before : 5));
    MUST(floor_read(again, floor_write(&floor, again), &floor) == 0);
}

static void read_pending(const uint8_t *data, size_t size)
{
    struct floor_pending pending;
    uint8_t again[FLOOR_PENDING_SIZE];
    MUST(!floor_pending_read(data, size, &pending) || pending.counter == 0);
    if (pending.counter == 0)
        return;
    floor_pending_write(&pending, again);
    MUST(size == sizeof again && memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[FLOOR_SIZE_MAX + 8];
    read_floor(data, size);
    read_pending(data, size);
    if (size < 8 || size > sizeof copy)
        return 0;
    memcpy(copy, data, size);
    memcpy(copy, FLOOR_MAGIC, 8);
    read_floor(copy, size);
    memcpy(copy, FLOOR_PENDING_MAGIC, 8);
    read_pending(copy, size);
    return 0;
}
