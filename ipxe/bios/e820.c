// SPDX-License-Identifier: MPL-2.0
// See e820.h. Maps are short, so the plain quadratic sweep is the easiest to be sure of.
#include "bios/e820.h"

#define PAGE_MASK 0xfffull
#define ATTRIBUTE_ENABLED 1

void e820_add(struct e820_map *map, uint64_t base, uint64_t length, uint32_t type, uint32_t attributes)
{
    if (length == 0 || !(attributes & ATTRIBUTE_ENABLED) || map->count >= E820_MAX)
        return;
    if (length > UINT64_MAX - base)
        length = UINT64_MAX - base;
    map->entries[map->count++] = (struct e820_entry){ .base = base, .length = length, .type = type };
}

// The type that the byte at `at` has, 0 where no entry covers it, and in *ret_until the address where that may change.
static uint32_t type_at(const struct e820_map *map, uint64_t at, uint64_t *ret_until)
{
    uint32_t type = 0;
    uint64_t until = UINT64_MAX;
    for (unsigned i = 0; i < map->count; i++) {
        const struct e820_entry *e = &map->entries[i];
        uint64_t end = e->base + e->length;
        if (at < e->base) {
            until = MIN(until, e->base);
        } else if (at < end) {
            until = MIN(until, end);
            if (type == 0 || type == E820_TYPE_USABLE || (e->type != E820_TYPE_USABLE && e->type > type))
                type = e->type;
        }
    }
    *ret_until = until;
    return type;
}

int e820_sanitise(struct e820_map *map)
{
    struct e820_map out = { 0 };
    for (uint64_t at = 0, until; at != UINT64_MAX; at = until) {
        uint32_t type = type_at(map, at, &until);
        if (type == 0)
            continue;
        struct e820_entry *last = out.count ? &out.entries[out.count - 1] : NULL;
        if (last && last->type == type && last->base + last->length == at) {
            last->length += until - at;
        } else {
            if (out.count == E820_MAX)
                return ERR_TOO_LARGE;
            out.entries[out.count++] = (struct e820_entry){ .base = at, .length = until - at, .type = type };
        }
    }
    *map = out;
    return 0;
}

int e820_mark(struct e820_map *map, uint64_t base, uint64_t length, uint32_t type)
{
    struct e820_map out = { 0 };
    if (length == 0)
        return 0;
    if (length > UINT64_MAX - base)
        return ERR_INVALID;
    uint64_t end = base + length;
    for (unsigned i = 0; i < map->count; i++) {
        const struct e820_entry *e = &map->entries[i];
        uint64_t e_end = e->base + e->length;
        // What lies before the range, and what lies behind it.
        struct e820_entry before = { .base = e->base, .type = e->type,
                                     .length = e->base < base ? MIN(e_end, base) - e->base : 0 };
        struct e820_entry after = { .base = MAX(e->base, end), .type = e->type,
                                    .length = e_end > end ? e_end - MAX(e->base, end) : 0 };
        if (out.count + (before.length > 0) + (after.length > 0) > E820_MAX)
            return ERR_TOO_LARGE;
        if (before.length > 0)
            out.entries[out.count++] = before;
        if (after.length > 0)
            out.entries[out.count++] = after;
    }
    if (out.count == E820_MAX)
        return ERR_TOO_LARGE;
    out.entries[out.count++] = (struct e820_entry){ .base = base, .length = length, .type = type };
    int err = e820_sanitise(&out);
    if (err == 0)
        *map = out;
    return err;
}

static unsigned add_region(struct mem_region *ret, unsigned count, unsigned cap, uint64_t base, uint64_t end)
{
    base = (base + PAGE_MASK) & ~PAGE_MASK;
    end &= ~PAGE_MASK;
    if (base < end && count < cap)
        ret[count++] = (struct mem_region){ .base = base, .length = end - base };
    return count;
}

unsigned e820_usable(const struct e820_map *map, uint64_t floor, uint64_t limit, uint64_t hole, uint64_t hole_end,
                     struct mem_region *ret, unsigned cap)
{
    unsigned count = 0;
    for (unsigned i = 0; i < map->count; i++) {
        const struct e820_entry *e = &map->entries[i];
        if (e->type != E820_TYPE_USABLE)
            continue;
        uint64_t base = MAX(e->base, floor), end = MIN(e->base + e->length, limit);
        if (base >= end)
            continue;
        if (hole < hole_end && base < hole_end && hole < end) {
            count = add_region(ret, count, cap, base, MAX(base, hole));
            count = add_region(ret, count, cap, MIN(end, hole_end), end);
        } else {
            count = add_region(ret, count, cap, base, end);
        }
    }
    return count;
}
