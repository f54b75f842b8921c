// SPDX-License-Identifier: MPL-2.0
// See memory.h.
#include "efi/boot/memory.h"

#include "base/range.h"
#include "efi/efi.h"

#define CLAIMS_MAX 256 // some images, each with a few, at most PLACE_HELD_MAX
#define MAP_SLACK 8 // descriptors that the map's own allocation may add

static struct mem_region claims[CLAIMS_MAX]; // whole pages, not overlapping
static unsigned claim_count;

// The firmware's memory map; free_pool's. NULL when there is none to be had.
static uint8_t *read_map(uint64_t *ret_size, uint64_t *ret_step)
{
    uint64_t size = 0, key, step = 0;
    uint32_t version;
    if (efi_boot->get_memory_map(&size, NULL, &key, &step, &version) != EFI_BUFFER_TOO_SMALL)
        return NULL;
    size += MAP_SLACK * step;
    void *map;
    if (efi_failed(efi_boot->allocate_pool(EFI_LOADER_DATA, size, &map)))
        return NULL;
    if (efi_failed(efi_boot->get_memory_map(&size, map, &key, &step, &version)) || step < sizeof(struct efi_memory_descriptor)) {
        (void)efi_boot->free_pool(map);
        return NULL;
    }
    *ret_size = size;
    *ret_step = step;
    return map;
}

// Keeps the list ascending, joins neighbours, and lets go of the smallest when it is full.
static unsigned insert(struct mem_region *list, unsigned count, unsigned cap, struct mem_region r)
{
    unsigned at = 0;
    while (at < count && list[at].base < r.base)
        at++;
    if (at > 0 && list[at - 1].base + list[at - 1].length == r.base) {
        list[--at].length += r.length;
    } else if (count < cap) {
        memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
        list[at] = r;
        count++;
    } else {
        unsigned least = 0;
        for (unsigned i = 1; i < count; i++)
            if (list[i].length < list[least].length)
                least = i;
        if (list[least].length >= r.length)
            return count;
        memmove(&list[least], &list[least + 1], (count - least - 1) * sizeof *list);
        return insert(list, count - 1, cap, r);
    }
    if (at + 1 < count && list[at].base + list[at].length == list[at + 1].base) {
        list[at].length += list[at + 1].length;
        memmove(&list[at + 1], &list[at + 2], (count - at - 2) * sizeof *list);
        count--;
    }
    return count;
}

unsigned memory_free(struct mem_region *ret, unsigned cap)
{
    uint64_t size, step;
    unsigned count = 0;
    uint8_t *map = read_map(&size, &step);
    if (!map)
        return 0;
    for (uint64_t at = 0; size - at >= step; at += step) {
        struct efi_memory_descriptor d;
        memcpy(&d, map + at, sizeof d);
        if (d.type == EFI_CONVENTIONAL_MEMORY && (d.attribute & EFI_MEMORY_WB) && !(d.attribute & EFI_MEMORY_SP) &&
            d.pages > 0 && d.pages < UINT64_MAX / EFI_PAGE_SIZE)
            count = insert(ret, count, cap, (struct mem_region){ d.physical, d.pages * EFI_PAGE_SIZE });
    }
    (void)efi_boot->free_pool(map);
    return count;
}

static bool claim(uint64_t base, uint64_t end)
{
    if (claim_count == CLAIMS_MAX)
        return false;
    uint64_t address = base;
    if (efi_failed(efi_boot->allocate_pages(EFI_ALLOCATE_ADDRESS, EFI_LOADER_DATA, (end - base) / EFI_PAGE_SIZE, &address)))
        return false;
    claims[claim_count++] = (struct mem_region){ base, end - base };
    return true;
}

void *memory_claim(uint64_t address, uint64_t length)
{
    uint64_t end;
    if (length == 0 || length > UINT64_MAX - address || !align_up_checked(address + length, EFI_PAGE_SIZE, &end))
        return NULL;
    uint64_t at = address & ~(EFI_PAGE_SIZE - 1);
    while (at < end) {
        uint64_t next = end, covered = at;
        for (unsigned i = 0; i < claim_count; i++) {
            const struct mem_region *c = &claims[i];
            if (at >= c->base && at - c->base < c->length)
                covered = c->base + c->length;
            else if (c->base > at)
                next = MIN(next, c->base);
        }
        if (covered == at && !claim(at, next))
            return NULL;
        at = covered == at ? next : covered;
    }
    return (void *)(uintptr_t)address; // all memory is mapped one to one (UEFI 2.10, 2.3.4 and 2.3.6)
}

void memory_release(uint64_t address, uint64_t length)
{
    uint64_t first = address & ~(EFI_PAGE_SIZE - 1);
    for (unsigned i = claim_count; i-- > 0;) {
        const struct mem_region claimed = claims[i];
        if (claimed.base < first || claimed.base - first >= length + (address - first))
            continue;
        (void)efi_boot->free_pages(claimed.base, claimed.length / EFI_PAGE_SIZE);
        claims[i] = claims[--claim_count];
    }
}
