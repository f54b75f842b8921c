// SPDX-License-Identifier: MPL-2.0
#include "bios/machine.h"

#include "bios/handed.h"
#include "bios/layout.h"
#include "image/smbios.h"

#define E820_SIGNATURE 0x534d4150u // "SMAP"
#define E820_CALLS_MAX 256
#define FOUR_GIB 0x100000000ull
#define SMBIOS_AREA 0xf0000
#define SMBIOS_AREA_SIZE 0x10000
#define SMBIOS_TABLE_MAX 0x20000

static struct e820_map map;
static struct smbios smbios;
static struct smbios_entry smbios_place; // of the tables; length 0: there are none

// Without E820 (BIOSes before 1998): E801h, else 88h.
static void map_old(void)
{
    struct bios_regs regs = { .eax = 0xe801 };
    e820_add(&map, 0, (uint64_t)base_kib << 10, E820_TYPE_USABLE, 1);
    bios_call(&regs, 0x15);
    if (!(regs.flags & FLAG_CARRY)) {
        uint32_t low = regs.eax & 0xffff, high = regs.ebx & 0xffff;
        if (low == 0 && high == 0) {
            low = regs.ecx & 0xffff;
            high = regs.edx & 0xffff;
        }
        e820_add(&map, 0x100000, (uint64_t)low << 10, E820_TYPE_USABLE, 1);
        e820_add(&map, 0x1000000, (uint64_t)high << 16, E820_TYPE_USABLE, 1);
        return;
    }
    regs = (struct bios_regs){ .eax = 0x8800 };
    bios_call(&regs, 0x15);
    if (!(regs.flags & FLAG_CARRY))
        e820_add(&map, 0x100000, (uint64_t)(regs.eax & 0xffff) << 10, E820_TYPE_USABLE, 1);
}

static void map_read(void)
{
    struct PACKED {
        uint64_t base, length;
        uint32_t type, attributes;
    } *entry = low_memory(BOUNCE);
    uint32_t more = 0;
    map.count = 0;
    for (unsigned i = 0; i < E820_CALLS_MAX; i++) {
        // A BIOS that gives 20 bytes leaves the attributes alone: "enabled" then.
        entry->attributes = 1;
        struct bios_regs regs = { .eax = 0xe820, .ebx = more, .ecx = 24, .edx = E820_SIGNATURE, .edi = BOUNCE };
        bios_call(&regs, 0x15);
        if ((regs.flags & FLAG_CARRY) || regs.eax != E820_SIGNATURE)
            break;
        e820_add(&map, entry->base, entry->length, entry->type, regs.ecx >= 24 ? entry->attributes : 1);
        more = regs.ebx;
        if (more == 0)
            break;
    }
    if (map.count == 0)
        map_old();
    if (e820_sanitise(&map) != 0)
        map.count = 0; // no memory is better than a wrong map: the core says that nothing fits
}

void machine_init(void)
{
    map_read();
    struct smbios_entry entry;
    if (smbios_find(low_memory(SMBIOS_AREA), SMBIOS_AREA_SIZE, &entry) != 0)
        return;
    if (entry.table >= FOUR_GIB || entry.length > SMBIOS_TABLE_MAX || entry.length > FOUR_GIB - entry.table)
        return;
    smbios_place = entry;
    (void)smbios_parse(low_memory((uint32_t)entry.table), entry.length, entry.version, &smbios);
}

const struct e820_map *machine_map(void)
{
    return &map;
}

unsigned machine_memory(uint64_t own_end, struct mem_region *ret, unsigned cap)
{
    return e820_usable(&map, HIGH_BASE, FOUR_GIB, HIGH_BASE, own_end, ret, cap);
}

const char *machine_smbios(const char *name)
{
    return smbios_value(&smbios, name);
}

const uint8_t *machine_smbios_table(size_t *ret_len)
{
    *ret_len = smbios_place.length;
    return smbios_place.length ? low_memory((uint32_t)smbios_place.table) : NULL;
}
