// SPDX-License-Identifier: MPL-2.0
// Free pieces of memory, from which the plan takes what it places. Inner header of place.c.
#pragma once
#include "base/region.h"

#define PLACE_ROOM_MAX 96 // 64 regions, and each taking can cut one in two

// Ascending, apart from each other, none empty.
struct place_room {
    unsigned count;
    struct mem_region pieces[PLACE_ROOM_MAX];
};

// Starts with what the regions have between `low` and `limit`, in whole pages; neighbours are joined. Regions that
// are out of order or wrap are cut to what is new.
void place_room_fill(struct place_room *room, const struct mem_region *regions, unsigned count, uint64_t low,
                     uint64_t limit);

// Adds [base, end), base rounded up to 64 bytes, behind all others. Nothing when that is empty or it is full.
void place_room_add(struct place_room *room, uint64_t base, uint64_t end);

// Takes [base, base+length) out of whatever pieces it touches.
void place_room_take(struct place_room *room, uint64_t base, uint64_t length);

// The highest aligned place in one piece that ends at or below `below`; the lowest at or above `from`; the
// highest in the smallest piece that takes it. False when there is none. `align` is a power of two.
bool place_room_high(const struct place_room *room, uint64_t length, uint64_t align, uint64_t below, uint64_t *ret);
bool place_room_low(const struct place_room *room, uint64_t length, uint64_t align, uint64_t from, uint64_t *ret);
bool place_room_best(const struct place_room *room, uint64_t length, uint64_t align, uint64_t *ret);

// Bytes free in one piece from `address` on; in the largest piece below an address; in all.
uint64_t place_room_at(const struct place_room *room, uint64_t address);
uint64_t place_room_largest(const struct place_room *room, uint64_t below);
uint64_t place_room_total(const struct place_room *room);
