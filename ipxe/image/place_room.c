// SPDX-License-Identifier: MPL-2.0
// See place_room.h.
#include "image/place_room.h"

#include "base/range.h"

#define PAGE ((uint64_t)4096)
#define SMALL_ALIGN ((uint64_t)64)

void place_room_fill(struct place_room *room, const struct mem_region *regions, unsigned count, uint64_t low,
                     uint64_t limit)
{
    uint64_t last = low;
    room->count = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct mem_region *r = &regions[i];
        uint64_t end = r->length > UINT64_MAX - r->base ? UINT64_MAX : r->base + r->length, base;
        if (!align_up_checked(MAX(r->base, last), PAGE, &base))
            continue;
        end = MIN(end, limit) & ~(PAGE - 1);
        if (base >= end)
            continue;
        last = end;
        struct mem_region *before = room->count ? &room->pieces[room->count - 1] : NULL;
        if (before && before->base + before->length == base)
            before->length += end - base;
        else if (room->count < PLACE_ROOM_MAX)
            room->pieces[room->count++] = (struct mem_region){ base, end - base };
    }
}

void place_room_add(struct place_room *room, uint64_t base, uint64_t end)
{
    uint64_t from;
    if (room->count < PLACE_ROOM_MAX && align_up_checked(base, SMALL_ALIGN, &from) && from < end)
        room->pieces[room->count++] = (struct mem_region){ from, end - from };
}

void place_room_take(struct place_room *room, uint64_t base, uint64_t length)
{
    struct mem_region *list = room->pieces;
    uint64_t end = base + length;
    for (unsigned i = 0; i < room->count; i++) {
        struct mem_region r = list[i];
        if (!range_overlaps(r.base, r.length, base, length))
            continue;
        uint64_t r_end = r.base + r.length;
        bool before = r.base < base, behind = r_end > end;
        unsigned above = room->count - i - 1;
        if (!before && !behind) {
            memmove(&list[i], &list[i + 1], above * sizeof *list);
            room->count--;
            i--;
            continue;
        }
        list[i] = before ? (struct mem_region){ r.base, base - r.base } : (struct mem_region){ end, r_end - end };
        if (before && behind && room->count < PLACE_ROOM_MAX) {
            memmove(&list[i + 2], &list[i + 1], above * sizeof *list);
            list[i + 1] = (struct mem_region){ end, r_end - end };
            room->count++;
        }
    }
}

static bool fits_in(const struct mem_region *r, uint64_t length, uint64_t align, uint64_t below, uint64_t *ret)
{
    uint64_t end = MIN(r->base + r->length, below);
    if (end < r->base || length > end - r->base)
        return false;
    uint64_t base = (end - length) & ~(align - 1);
    if (base < r->base)
        return false;
    *ret = base;
    return true;
}

bool place_room_high(const struct place_room *room, uint64_t length, uint64_t align, uint64_t below, uint64_t *ret)
{
    for (unsigned i = room->count; i-- > 0;)
        if (fits_in(&room->pieces[i], length, align, below, ret))
            return true;
    return false;
}

bool place_room_low(const struct place_room *room, uint64_t length, uint64_t align, uint64_t from, uint64_t *ret)
{
    for (unsigned i = 0; i < room->count; i++) {
        const struct mem_region *r = &room->pieces[i];
        uint64_t base;
        if (align_up_checked(MAX(r->base, from), align, &base) && range_fits(base - r->base, length, r->length)) {
            *ret = base;
            return true;
        }
    }
    return false;
}

bool place_room_best(const struct place_room *room, uint64_t length, uint64_t align, uint64_t *ret)
{
    uint64_t best = UINT64_MAX, at;
    for (unsigned i = 0; i < room->count; i++) {
        const struct mem_region *r = &room->pieces[i];
        if (r->length < best && fits_in(r, length, align, UINT64_MAX, &at)) {
            best = r->length;
            *ret = at;
        }
    }
    return best != UINT64_MAX;
}

uint64_t place_room_at(const struct place_room *room, uint64_t address)
{
    for (unsigned i = 0; i < room->count; i++) {
        const struct mem_region *r = &room->pieces[i];
        if (address >= r->base && address - r->base < r->length)
            return r->length - (address - r->base);
    }
    return 0;
}

uint64_t place_room_largest(const struct place_room *room, uint64_t below)
{
    uint64_t best = 0;
    for (unsigned i = 0; i < room->count; i++) {
        const struct mem_region *r = &room->pieces[i];
        if (r->base < below)
            best = MAX(best, MIN(r->length, below - r->base));
    }
    return best;
}

uint64_t place_room_total(const struct place_room *room)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < room->count; i++)
        total += room->pieces[i].length;
    return total;
}
