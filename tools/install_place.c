// SPDX-License-Identifier: MPL-2.0
// Partition tables, and the places that they leave: install_place.h.
#include "install_place.h"
#include "base/bytes.h"
#include "base/range.h"

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
    if (dev->read(dev, at * dev->unit, dev->unit, header) != 0)
        return -1;
    int r = gpt_header(header, sector, at, disk, &gpt);
    if (r == ERR_UNSUPPORTED) {
        tool_error(dev->path, "has a GPT with more than %d entries, or of another size", GPT_ENTRIES_MAX);
        return -1;
    }
    uint64_t sectors = r == 0 ? (gpt_entries_size(&gpt) + sector - 1) / sector : 0;
    if (r != 0 || !range_fits(gpt.entries, sectors, disk))
        return 1;
    if (dev->read(dev, gpt.entries * dev->unit, sectors * dev->unit, entries) != 0)
        return -1;
    if (gpt_check_entries(&gpt, entries, sizeof entries) != 0)
        return 1;
    // The room of the table is never a gap: the header says where partitions may begin, and that is behind both.
    t->first_free = MAX(gpt.first_usable, at == GPT_HEADER_LBA ? gpt.entries + sectors : 2 + sectors);
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

// Four primary partitions; what lies in an extended one is covered by it. A boot sector that is no partition table
// (a file system over the whole disk) shows by fields that no table has.
static void read_mbr(const struct install_dev *dev, const uint8_t *sector, struct install_table *t)
{
    unsigned used = 0;
    for (unsigned i = 0; i < MBR_PARTITIONS; i++) {
        const uint8_t *e = sector + 446 + 16 * i;
        used += e[4] != 0;
        if (e[4] != 0 && e[0] != 0 && e[0] != 0x80)
            return;
    }
    int count = mbr_partitions(sector, INSTALL_SECTOR, dev->sectors / dev->unit, t->items);
    if (count <= 0 || (unsigned)count != used)
        return;
    t->count = used;
    t->kind = INSTALL_TABLE_MBR;
    t->first_free = 1;
}

int install_table_read(struct install_dev *dev, struct install_table *ret)
{
    uint8_t sector[INSTALL_SECTOR];
    memset(ret, 0, sizeof *ret);
    if (dev->sectors < 16) {
        tool_error(dev->path, "is too small for a disk");
        return -1;
    }
    if (dev->read(dev, 0, 1, sector) != 0)
        return -1;
    bool protective = false, signature = load16_le(sector + 510) == 0xaa55;
    for (unsigned i = 0; i < 4; i++)
        protective |= signature && sector[446 + 16 * i + 4] == MBR_TYPE_GPT;
    if (!protective) {
        if (signature)
            read_mbr(dev, sector, ret);
        return 0;
    }
    int r = read_gpt(dev, GPT_HEADER_LBA, ret);
    if (r == 1) {
        memset(ret, 0, sizeof *ret);
        r = read_gpt(dev, dev->sectors / dev->unit - 1, ret);
    }
    if (r == 1)
        tool_error(dev->path, "has a GPT of which neither copy holds");
    ret->kind = INSTALL_TABLE_GPT;
    return r == 0 ? 0 : -1;
}

// ---- places --------------------------------------------------------------------------------------------

// Labels outlive the pool: a file system that was made over a vdev may leave some of them whole. So one of the first two
// and one of the last two must be there and name the same vdev, and where file systems have their first block there must be none.
static int check_vdev(struct install_dev *dev, const struct partition *p, bool front, bool back, bool mixed)
{
    uint8_t head[4 * INSTALL_SECTOR];
    if (dev->read(dev, p->first, 4, head) != 0)
        return -1;
    if (load16_le(head + 1080) == 0xef53 || memcmp(head, "XFSB", 4) == 0 || memcmp(head + 3, "NTFS", 4) == 0 ||
        memcmp(head + 54, "FAT", 3) == 0 || memcmp(head + 82, "FAT32", 5) == 0) {
        tool_error(dev->path, "partition %u: a file system was made over a pool's vdev, whose labels are left", p->number);
        return -1;
    }
    if (!front || !back || mixed) {
        tool_error(dev->path, "partition %u: its ZFS labels are damaged or of several vdevs: `zpool scrub` or import the pool first", p->number);
        return -1;
    }
    return 0;
}

// The newest label of a vdev that fills the partition. 0, 1: no label, -1 after a message.
static int read_vdev(struct install_dev *dev, const struct partition *p, struct install_area *area)
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
        if (dev->read(dev, p->first + at / INSTALL_SECTOR, ZFSLABEL_SIZE / INSTALL_SECTOR, raw) != 0)
            return -1;
        if (zfslabel_parse(raw, at, &label) != 0)
            continue;
        mixed |= any && (label.guid != area->label.guid || label.pool_guid != area->label.pool_guid);
        half[i / 2] = true;
        if (!any || label.txg > area->label.txg)
            area->label = label;
        any = true;
        if (zfslabel_uberblock(raw, at, label.ashift, &ub) == 0 && (!any_ub || zfslabel_newer(&ub, &area->uberblock))) {
            area->uberblock = ub;
            any_ub = true;
        }
    }
    return !any ? 1 : check_vdev(dev, p, half[0], half[1], mixed);
}

static int find_vdev(struct install_dev *dev, const struct install_table *table, const char *pool, struct install_area *ret, const char **ret_why)
{
    struct partition whole = { .sectors = dev->sectors };
    const struct partition *items = table->count ? table->items : &whole;
    unsigned count = table->count ? table->count : 1, found = 0;
    *ret_why = "holds no vdev of a pool";
    for (unsigned i = 0; i < count; i++) {
        struct install_area area = { .kind = INSTALL_ZFS, .partition = items[i] };
        int r = read_vdev(dev, &items[i], &area);
        if (r < 0)
            return -1;
        if (r == 1)
            continue;
        if (area.label.state == ZFSLABEL_SPARE || area.label.state == ZFSLABEL_CACHE) {
            *ret_why = "holds a spare or cache device only: it has no pool to boot";
            continue;
        }
        if (area.label.state == ZFSLABEL_DESTROYED) {
            *ret_why = "holds a vdev of a destroyed pool only";
            continue;
        }
        if (pool && strcmp(pool, area.label.pool) != 0) {
            *ret_why = "holds no vdev of that pool";
            continue;
        }
        if (found++) {
            if (!pool && ret->label.pool_guid != area.label.pool_guid) {
                tool_error(dev->path, "holds vdevs of the pools %s and %s: choose one with --pool", ret->label.pool, area.label.pool);
                return -1;
            }
            continue; // the MBR can name one place: the first
        }
        area.lba = items[i].first + ZFSLABEL_BOOT_OFFSET / INSTALL_SECTOR;
        area.sectors = ZFSLABEL_BOOT_SIZE / INSTALL_SECTOR;
        *ret = area;
    }
    return found ? 0 : 1;
}

int install_area_find(struct install_dev *dev, const struct install_table *table, enum install_kind kind, const char *pool,
                      struct install_area *ret, const char **ret_why)
{
    struct install_area area = { .kind = kind };
    if (kind == INSTALL_ZFS)
        return find_vdev(dev, table, pool, ret, ret_why);
    *ret_why = table->kind == INSTALL_TABLE_NONE ? "has no partition table" : "has no partition of type BIOS boot";
    if (table->kind == INSTALL_TABLE_NONE)
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
