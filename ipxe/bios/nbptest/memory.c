// SPDX-License-Identifier: MPL-2.0
// See nbptest.h: what the BIOS says of memory, and whether all of it is really the program's own.
#include "bios/nbptest/nbptest.h"

#include "real/real.h"

#define SMAP 0x534d4150
#define MAP_MAX 64
#define MIB_1 0x100000u
#define MIB_16 0x1000000u

struct PACKED region {
    uint64_t base, length;
    uint32_t type, attributes;
};
static struct region map[MAP_MAX];
static unsigned map_count;
uint32_t base_end, usable_end;

extern uint32_t entered_stack;

// One way through the map. False on a fault in its form.
static bool read_map(struct region ret[MAP_MAX], unsigned *ret_count, uint32_t entry_size)
{
    struct bios_regs regs = { 0 };
    unsigned count = 0;
    do {
        regs = (struct bios_regs){ .eax = 0xe820, .ebx = regs.ebx, .ecx = entry_size, .edx = SMAP, .edi = 0, .es = BUFFER_AT >> 4 };
        memset(low_memory(BUFFER_AT), 0xee, 32);
        bios_call(&regs, 0x15);
        if (regs.flags & FLAG_CARRY)
            break;
        const uint8_t *p = low_memory(BUFFER_AT);
        if (regs.eax != SMAP || regs.ecx < 20 || regs.ecx > entry_size || p[regs.ecx] != 0xee || count == MAP_MAX)
            return false;
        memset(&ret[count], 0, sizeof ret[count]);
        memcpy(&ret[count++], p, regs.ecx);
    } while (regs.ebx);
    *ret_count = count;
    return count > 0;
}

static bool usable(uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < map_count; i++)
        if (map[i].type == 1 && from >= map[i].base && to <= map[i].base + map[i].length)
            return true;
    return from >= to;
}

static bool sorted(void)
{
    for (unsigned i = 1; i < map_count; i++)
        if (map[i].base < map[i - 1].base + map[i - 1].length)
            return false;
    return true;
}

static bool none_empty(void)
{
    for (unsigned i = 0; i < map_count; i++)
        if (map[i].length == 0)
            return false;
    return true;
}

void try_memory_map(void)
{
    static struct region again[MAP_MAX];
    unsigned again_count = 0;
    result(read_map(map, &map_count, 20), "map");
    result(read_map(again, &again_count, 24), "map-24");
    bool same = map_count == again_count;
    for (unsigned i = 0; i < map_count; i++) {
        same = same && memcmp(&map[i], &again[i], 20) == 0;
        note("nbp: memory %08x%08x + %08x%08x type %u", (uint32_t)(map[i].base >> 32), (uint32_t)map[i].base, (uint32_t)(map[i].length >> 32),
             (uint32_t)map[i].length, map[i].type);
    }
    result(same, "map-same");
    result(sorted(), "map-sorted");
    result(none_empty(), "map-no-empty");
    for (unsigned i = 0; i < map_count; i++)
        if (map[i].type == 1 && map[i].base <= MIB_1 && map[i].base + map[i].length > MIB_1)
            usable_end = (uint32_t)MIN(map[i].base + map[i].length, 0xfffff000u);
    result(usable_end >= MIB_16, "map-from-1-mib");
    result(usable(0, base_end) && !usable(0, base_end + 1) && load16_le(low_memory(0x413)) == base_end >> 10, "base-memory");

    struct bios_regs regs = { .eax = 0xe801 };
    bios_call(&regs, 0x15);
    note("nbp: E801h %04x %04x %04x %04x", regs.eax & 0xffff, regs.ebx & 0xffff, regs.ecx & 0xffff, regs.edx & 0xffff);
    uint32_t low = MIB_1 + ((regs.eax & 0xffff) << 10);
    uint64_t high = MIB_16 + ((uint64_t)(regs.ebx & 0xffff) << 16);
    bool registers = (regs.eax & 0xffff) == (regs.ecx & 0xffff) && (regs.ebx & 0xffff) == (regs.edx & 0xffff);
    // Not less than there is, either, but for what does not fill 64 KiB.
    result(!(regs.flags & FLAG_CARRY) && registers && usable(MIB_1, low) && usable(MIB_16, high) && low == MIN(usable_end, MIB_16) &&
           high + 0x10000 > usable_end, "e801");
    regs = (struct bios_regs){ .eax = 0x8800 };
    bios_call(&regs, 0x15);
    note("nbp: 88h %04x", regs.eax & 0xffff);
    result(!(regs.flags & FLAG_CARRY) && usable(MIB_1, MIB_1 + ((regs.eax & 0xffff) << 10)) && (regs.eax & 0xffff) >= 0x3c00, "88h");
    regs = (struct bios_regs){ .eax = 0xc000 };
    bios_call(&regs, 0x15); // the rest of INT 15h is the BIOS's still
    result(!(regs.flags & FLAG_CARRY) && (regs.eax & 0xff00) == 0, "int-15-others");
}

// ---- the pattern ------------------------------------------------------------------------------------------

static uint32_t pattern(uint32_t address)
{
    return (address + 0x9e3779b9u) * 2654435761u;
}

// For each stretch that is filled: fn(from, to).
static void each(void (*fn)(uint32_t from, uint32_t to))
{
    uint32_t stack = (entered_stack >> 16 << 4) + (entered_stack & 0xffff);
    uint32_t kept = stack & ~3u, kept_end = kept + 0x100; // what is on it, to go back
    struct {
        uint32_t from, to;
    } base[] = { { FILL_LOW_AT, NBPTEST_BASE }, { FILL_AT, base_end } };
    for (unsigned i = 0; i < ARRAY_SIZE(base); i++) {
        bool inside = kept >= base[i].from && kept < base[i].to;
        fn(base[i].from, inside ? kept : base[i].to);
        if (inside && kept_end < base[i].to)
            fn(kept_end, base[i].to);
    }
    for (unsigned i = 0; i < map_count; i++)
        if (map[i].type == 1 && map[i].base >= MIB_1 && map[i].base < 0xfffff000u)
            fn((uint32_t)map[i].base, (uint32_t)MIN(map[i].base + map[i].length, 0xfffff000u));
}

static void fill(uint32_t from, uint32_t to)
{
    for (volatile uint32_t *p = low_memory((from + 3) & ~3u); (uint32_t)p + 4 <= to; p++)
        *p = pattern((uint32_t)p);
}

void memory_refill(uint32_t from, uint32_t to)
{
    fill(from, to);
}

static uint32_t bad, first_bad, filled;

static void judge(uint32_t from, uint32_t to)
{
    filled += to - from;
    for (volatile const uint32_t *p = low_memory((from + 3) & ~3u); (uint32_t)p + 4 <= to; p++) {
        if (*p == pattern((uint32_t)p) || ((uint32_t)p >= READ_FILE_AT && (uint32_t)p < READ_FILE_AT + READ_FILE_SIZE))
            continue;
        if (bad++ == 0)
            first_bad = (uint32_t)p;
    }
}

void memory_fill(void)
{
    each(fill);
    note("nbp: memory is filled");
}

void memory_judge(void)
{
    each(judge);
    if (bad)
        note("nbp: %u words of memory were changed, the first one at %08x", bad, first_bad);
    note("nbp: %u KiB looked at", filled >> 10);
    result(bad == 0, "memory-untouched");
}
