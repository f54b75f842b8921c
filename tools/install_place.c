// SPDX-License-Identifier: MPL-2.0
// Partition tables, and the places that they leave: install_place.h.
#include "install_place.h"
#include "base/bytes.h"
#include "base/range.h"
#include <inttypes.h>
#include <stdio.h>

const char *install_kind_name(enum install_kind kind)
{
    static const char *const names[INSTALL_KINDS] = { "zfs", "bios-boot", "gap" };
    return names[kind];
}

// ---- tables --------------------------------------------------------------------------------------------

// One copy of a GPT. 0: read; 1: it does not hold; -1 after a message.
static int read_gpt(struct install_dev *dev, uint64_t at, struct install_table *t)
{
    uint8_t header[INSTALL_SECTOR_MAX], entries[GPT_ENTRIES_SIZE_MAX];
    uint64_t disk = dev->sectors / dev->unit;
    uint32_t sector = dev->unit * INSTALL_SECTOR;
    struct gpt gpt;
    if (install_dev_read(dev, at * dev->unit, dev->unit, header) != 0)
        return -1;
    int r = gpt_header(header, sector, at, disk, &gpt);
    if (r == ERR_INVALID && gpt_header(header, sector, at, UINT64_MAX, &gpt) == 0)
        snprintf(t->damage, sizeof t->damage, "has a GPT for a disk of %" PRIu64 " sectors, and has %" PRIu64 ": was it cut off?",
                 MAX(MAX(gpt.other, at), gpt.last_usable) + 1, disk);
    const uint32_t unit_4kn = INSTALL_SECTOR_MAX / INSTALL_SECTOR;
    if (r != 0 && at == GPT_HEADER_LBA && dev->unit == 1 && install_dev_read(dev, at * unit_4kn, unit_4kn, header) == 0 &&
        gpt_header(header, INSTALL_SECTOR_MAX, at, UINT64_MAX, &gpt) == 0)
        snprintf(t->damage, sizeof t->damage, "has a GPT for sectors of %d bytes, and its own have %d", INSTALL_SECTOR_MAX, INSTALL_SECTOR);
    if (r == ERR_UNSUPPORTED) {
        tool_error(dev->path, "has a GPT with more than %d entries, of another size, or of another revision than 1", GPT_ENTRIES_MAX);
        return -1;
    }
    uint64_t sectors = r == 0 ? (gpt_entries_size(&gpt) + sector - 1) / sector : 0;
    if (r != 0 || !range_fits(gpt.entries, sectors, disk))
        return 1;
    if (install_dev_read(dev, gpt.entries * dev->unit, sectors * dev->unit, entries) != 0)
        return -1;
    if (gpt_check_entries(&gpt, entries, sizeof entries) != 0)
        return 1;
    t->first_free = gpt.table_end;
    for (unsigned i = 0; i < gpt.count; i++) {
        static const uint8_t none[GPT_GUID_SIZE];
        if (gpt_entry(&gpt, entries, i, &t->items[t->count])) {
            t->count++;
        } else if (memcmp(entries + i * GPT_ENTRY_SIZE, none, sizeof none) != 0) {
            // Nobody knows what it covers, so no gap is safe.
            tool_error(dev->path, "partition %u does not lie where the GPT says that partitions are", i + 1);
            return -1;
        }
    }
    return 0;
}

// The chain of an extended partition. What it does not lead to is covered by that one all the same.
static int read_logical(struct install_dev *dev, const struct partition *extended, struct install_table *t)
{
    uint8_t sector[INSTALL_SECTOR_MAX];
    struct mbr_chain chain;
    mbr_chain_begin(&chain, extended);
    while (chain.next && t->count < ARRAY_SIZE(t->items)) {
        uint64_t at = chain.next;
        if (install_dev_read(dev, at * dev->unit, dev->unit, sector) != 0)
            return -1;
        int r = mbr_chain_next(&chain, sector, sizeof sector, &t->items[t->count]);
        if (r < 0)
            tool_error(dev->path, "note: its chain of logical partitions is damaged at sector %" PRIu64 ", further ones are not seen", at);
        t->count += r > 0;
    }
    return 0;
}

// A boot sector that is no partition table (a file system over the whole disk) shows by fields that no table has.
static int read_mbr(struct install_dev *dev, const uint8_t *sector, struct install_table *t)
{
    const uint64_t disk = dev->sectors / dev->unit;
    unsigned used = 0, reaches_out = 0;
    for (unsigned i = 0; i < MBR_PARTITIONS; i++) {
        const uint8_t *e = sector + 446 + 16 * i;
        used += e[4] != 0;
        if (e[4] != 0 && e[0] != 0 && e[0] != 0x80)
            return 0;
        if (e[4] != 0 && load32_le(e + 8) != 0 && !range_fits(load32_le(e + 8), load32_le(e + 12), disk))
            reaches_out = i + 1;
    }
    if (reaches_out)
        snprintf(t->damage, sizeof t->damage, "has an MBR whose partition %u reaches past the disk's end: was it cut off?", reaches_out);
    int count = mbr_partitions(sector, INSTALL_SECTOR, disk, t->items);
    if (count <= 0 || (unsigned)count != used)
        return 0;
    t->count = used;
    t->kind = INSTALL_TABLE_MBR;
    t->first_free = 1;
    for (int i = 0; i < count; i++)
        if (mbr_is_extended(&t->items[i]))
            return read_logical(dev, &t->items[i], t); // there is one at most
    return 0;
}

// Where a copy of the GPT may be: at its two places, and where the disk ended before it grew, by the protective entry.
static int read_gpts(struct install_dev *dev, const uint8_t *mbr, const uint8_t *protective, struct install_table *ret)
{
    const uint64_t last = dev->sectors / dev->unit - 1, former = (uint64_t)load32_le(protective + 8) + load32_le(protective + 12) - 1;
    const uint64_t places[] = { GPT_HEADER_LBA, last, former };
    char damage[sizeof ret->damage] = "has a GPT of which neither copy holds";
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        if (i == 2 && (former <= GPT_HEADER_LBA || former >= last))
            break;
        memset(ret, 0, sizeof *ret);
        int r = read_gpt(dev, places[i], ret);
        ret->kind = INSTALL_TABLE_GPT;
        ret->hybrid_count = (unsigned)MAX(mbr_partitions(mbr, INSTALL_SECTOR, last + 1, ret->hybrid), 0);
        if (r <= 0)
            return r;
        if (ret->damage[0])
            memcpy(damage, ret->damage, sizeof damage);
    }
    memset(ret, 0, sizeof *ret);
    ret->kind = INSTALL_TABLE_DAMAGED;
    memcpy(ret->damage, damage, sizeof damage);
    return 0;
}

int install_table_read(struct install_dev *dev, struct install_table *ret)
{
    uint8_t sector[INSTALL_SECTOR_MAX];
    memset(ret, 0, sizeof *ret);
    if (dev->sectors < 16) {
        tool_error(dev->path, "is too small for a disk");
        return -1;
    }
    if (install_dev_read(dev, 0, dev->unit, sector) != 0)
        return -1;
    if (load16_le(sector + 510) != 0xaa55)
        return 0;
    for (unsigned i = 0; i < MBR_PARTITIONS; i++)
        if (mbr_protects(sector, i))
            return read_gpts(dev, sector, sector + 446 + 16 * i, ret);
    return read_mbr(dev, sector, ret);
}

// ---- places --------------------------------------------------------------------------------------------

// Labels outlive the pool: a file system that was made over a vdev may leave some of them whole. So one of the first two
// and one of the last two must be there and name the same vdev, and where file systems have their first block there must be none.
// 0: so it is, 1: it is not, with *why; -1 after a message.
static int check_vdev(struct install_dev *dev, const struct partition *p, bool sound, const char **why)
{
    uint8_t head[4 * INSTALL_SECTOR];
    if (install_dev_read(dev, p->first, 4, head) != 0)
        return -1;
    *why = "its ZFS labels are damaged or of several vdevs: `zpool scrub` or import the pool first";
    if (load16_le(head + 1080) != 0xef53 && memcmp(head, "XFSB", 4) != 0 && memcmp(head + 3, "NTFS", 4) != 0 &&
        memcmp(head + 54, "FAT", 3) != 0 && memcmp(head + 82, "FAT32", 5) != 0)
        return sound ? 0 : 1;
    *why = "a file system was made over a pool's vdev, whose labels are left";
    return 1;
}

// The newest label of a vdev that fills the partition. 0, 1: no label, 2: labels of no vdev that is there, with *why; -1 after a message.
static int read_vdev(struct install_dev *dev, const struct partition *p, struct install_area *area, const char **why)
{
    static uint8_t raw[ZFSLABEL_SIZE];
    uint64_t bytes = p->sectors * INSTALL_SECTOR;
    struct zfslabel label;
    struct zfslabel_uberblock ub;
    bool any = false, any_ub = false, half[2] = { false }, mixed = false;
    if (bytes < ZFSLABEL_VDEV_MIN)
        return 1;
    for (unsigned i = 0; i < ZFSLABEL_COUNT; i++) {
        uint64_t at = zfslabel_offset(bytes, i);
        if (install_dev_read(dev, p->first + at / INSTALL_SECTOR, ZFSLABEL_SIZE / INSTALL_SECTOR, raw) != 0)
            return -1;
        if (zfslabel_parse(raw, at, &label) != 0)
            continue;
        mixed |= any && (label.guid != area->label.guid || label.pool_guid != area->label.pool_guid);
        half[i / 2] = true;
        area->first_label |= i == 0;
        if (!any || label.txg > area->label.txg)
            area->label = label;
        any = true;
        if (zfslabel_uberblock(raw, at, label.ashift, &ub) == 0 && (!any_ub || zfslabel_newer(&ub, &area->uberblock))) {
            area->uberblock = ub;
            any_ub = true;
        }
    }
    if (!any)
        return 1;
    int r = check_vdev(dev, p, half[0] && half[1] && !mixed, why);
    return r > 0 ? 2 : r;
}

static void set_vdev_area(struct install_area *area)
{
    area->lba = area->partition.first + ZFSLABEL_BOOT_OFFSET / INSTALL_SECTOR;
    area->sectors = ZFSLABEL_BOOT_SIZE / INSTALL_SECTOR;
}

// Why a vdev is none to boot from; NULL: it is one.
static const char *unfit(const struct zfslabel *label, const char *pool)
{
    if (label->state == ZFSLABEL_SPARE || label->state == ZFSLABEL_CACHE)
        return "holds a spare or cache device only: it has no pool to boot";
    if (label->state == ZFSLABEL_DESTROYED)
        return "holds a vdev of a destroyed pool only";
    return pool && strcmp(pool, label->pool) != 0 ? "holds no vdev of that pool" : NULL;
}

// A vdev over the whole disk. ZFS leaves the first 8 KiB of it alone, so a partition table of the disk's former life may be left
// in front of it; but labels of a former vdev may as well be left under a table. The vdev is believed only with sound labels at both
// ends, and with the very first one, into which a GPT that came later would have written.
static int find_whole(struct install_dev *dev, const struct install_table *table, const char *pool, struct install_area *ret, const char **ret_why)
{
    const char *why = NULL, *reason;
    struct install_area area = { .kind = INSTALL_ZFS, .partition = { .sectors = dev->sectors }, .behind_table = table->kind != INSTALL_TABLE_NONE };
    int r = dev->unit > 1 ? 1 : read_vdev(dev, &area.partition, &area, &why);
    if (r == 2 && !area.behind_table) {
        tool_error(dev->path, "%s", why);
        return -1;
    }
    if (r != 0 || (area.behind_table && !area.first_label))
        return r < 0 ? -1 : 1;
    reason = unfit(&area.label, pool);
    if (reason) {
        *ret_why = reason;
        return 1;
    }
    set_vdev_area(&area);
    *ret = area;
    return 0;
}

static int find_vdev(struct install_dev *dev, const struct install_table *table, const char *pool, struct install_area *ret, const char **ret_why)
{
    bool found = false;
    *ret_why = table->kind == INSTALL_TABLE_DAMAGED ? table->damage : "holds no vdev of a pool";
    for (unsigned i = 0; i < table->count; i++) {
        const char *why, *reason;
        struct install_area area = { .kind = INSTALL_ZFS, .partition = table->items[i] };
        int r = table->kind == INSTALL_TABLE_MBR && mbr_is_extended(&table->items[i]) ? 1 : read_vdev(dev, &table->items[i], &area, &why);
        if (r == 2)
            tool_error(dev->path, "partition %u: %s", table->items[i].number, why);
        if (r < 0 || r == 2)
            return -1;
        if (r == 1)
            continue;
        reason = unfit(&area.label, pool);
        if (reason) {
            *ret_why = reason;
            continue;
        }
        if (found && !pool && ret->label.pool_guid != area.label.pool_guid) {
            tool_error(dev->path, "holds vdevs of the pools %s and %s: choose one with --pool", ret->label.pool, area.label.pool);
            return -1;
        }
        if (found)
            continue; // the MBR can name one place: the first
        set_vdev_area(&area);
        *ret = area;
        found = true;
    }
    return found ? 0 : find_whole(dev, table, pool, ret, ret_why);
}

int install_area_find(struct install_dev *dev, const struct install_table *table, enum install_kind kind, const char *pool,
                      struct install_area *ret, const char **ret_why)
{
    struct install_area area = { .kind = kind };
    if (kind == INSTALL_ZFS)
        return find_vdev(dev, table, pool, ret, ret_why);
    *ret_why = table->damage[0]                  ? table->damage
               : table->kind == INSTALL_TABLE_NONE ? "has no partition table"
                                                   : "has no partition of type BIOS boot";
    if (table->kind == INSTALL_TABLE_NONE || table->kind == INSTALL_TABLE_DAMAGED)
        return 1;
    if (kind == INSTALL_BIOS_BOOT) {
        for (unsigned i = 0; i < table->count; i++) {
            const struct partition *p = &table->items[i];
            if (memcmp(p->type, GPT_TYPE_BIOS_BOOT, GPT_GUID_SIZE) != 0)
                continue;
            area.partition = *p;
            area.lba = p->first;
            area.sectors = p->sectors;
            *ret = area;
            return 0;
        }
        return 1;
    }
    *ret_why = "has no gap before its first partition";
    uint64_t end = UINT64_MAX;
    for (unsigned i = 0; i < table->count; i++)
        end = MIN(end, table->items[i].first);
    if (end == UINT64_MAX || end <= table->first_free)
        return 1; // without a partition nothing says where the gap ends
    area.lba = table->first_free;
    area.sectors = end - table->first_free;
    *ret = area;
    return 0;
}

int install_area_covered(struct install_dev *dev, const struct install_table *table, struct install_area *ret)
{
    const char *why;
    return table->kind == INSTALL_TABLE_NONE ? 1 : find_whole(dev, table, NULL, ret, &why);
}

// What both of two partitions hold is lost to one of them with the next write to the other.
int install_area_alone(const struct install_dev *dev, const struct install_table *table, const struct install_area *area, uint64_t lba,
                       uint64_t sectors)
{
    for (unsigned i = 0; i < table->count + table->hybrid_count && !area->behind_table; i++) {
        bool hybrid = i >= table->count;
        const struct partition *p = hybrid ? &table->hybrid[i - table->count] : &table->items[i];
        bool same = hybrid ? p->first == area->partition.first && p->sectors == area->partition.sectors : p->number == area->partition.number;
        bool around = table->kind == INSTALL_TABLE_MBR && mbr_is_extended(p); // of logical partitions
        if (same || around || !range_overlaps(p->first, p->sectors, lba, sectors))
            continue;
        tool_error(dev->path, "partition %u%s lies over the place for the boot bits, too: mend the partition table first", p->number,
                   hybrid ? " of the MBR beside the GPT" : "");
        return -1;
    }
    return 0;
}

int install_area_allowed(struct install_dev *dev, const struct install_area *area)
{
    char why[256];
    if (install_dev_allowed(dev) != 0)
        return -1;
    if (area->kind == INSTALL_ZFS && (area->label.expanding || area->uberblock.reflow_state == ZFSLABEL_REFLOW_SCRATCH)) {
        tool_error(dev->path, "a raidz expansion of pool %s is under way: its boot area is in use (again when `zpool status` says it is done)",
                   area->label.pool);
        return -1;
    }
    // A pool that is imported keeps its partitions for itself, and leaves the boot area alone all the same.
    if (area->kind != INSTALL_GAP &&
        install_dev_busy(dev, area->partition.number, area->kind == INSTALL_BIOS_BOOT, why, sizeof why)) {
        tool_error(dev->path, "partition %u is %s", area->partition.number, why);
        return -1;
    }
    return 0;
}
