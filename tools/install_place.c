// SPDX-License-Identifier: MPL-2.0
// Partition tables, and the places that they leave: install_place.h. GPT: UEFI specification 2.10, chapter 5.
#include "install_place.h"
#include "base/bytes.h"
#include "base/range.h"
#include <stdlib.h>
#include <zlib.h>

const char *install_kind_name(enum install_kind kind)
{
    static const char *const names[INSTALL_KINDS] = { "zfs", "bios-boot", "gap" };
    return names[kind];
}

// ---- tables --------------------------------------------------------------------------------------------

enum { // of the GPT header and of an entry
    GPT_HEADER_SIZE = 12, GPT_HEADER_CRC = 16, GPT_MY_LBA = 24, GPT_FIRST_USABLE = 40, GPT_ENTRIES_LBA = 72, GPT_ENTRY_COUNT = 80,
    GPT_ENTRY_SIZE = 84, GPT_ENTRIES_CRC = 88, GPT_HEADER_MIN = 92,
    ENTRY_TYPE = 0, ENTRY_FIRST = 32, ENTRY_LAST = 40, ENTRY_MIN = 128,
};
#define GPT_ENTRIES_MAX 1024 // bytes of an entry times their number stay below 1 MiB
#define MBR_TYPE_PROTECTIVE 0xee

static int add_partition(struct install_dev *dev, struct install_table *t, struct install_partition p)
{
    if (p.sectors == 0 || !range_fits(p.lba, p.sectors, dev->sectors)) {
        tool_error(dev->path, "partition %u does not lie inside the disk", p.number);
        return -1;
    }
    if (t->count == INSTALL_PARTITIONS_MAX) {
        tool_error(dev->path, "has more than %d partitions", INSTALL_PARTITIONS_MAX);
        return -1;
    }
    t->items[t->count++] = p;
    return 0;
}

static uint32_t crc_without(const uint8_t *data, uint32_t size, uint32_t field)
{
    static const uint8_t zeros[4];
    uLong crc = crc32(crc32(0, NULL, 0), data, field);
    crc = crc32(crc, zeros, 4);
    return (uint32_t)crc32(crc, data + field + 4, size - field - 4);
}

// One copy of a GPT. 0: read; 1: it does not hold; -1 after a message.
static int read_gpt(struct install_dev *dev, uint64_t at, struct install_table *t)
{
    uint8_t header[INSTALL_SECTOR];
    if (at >= dev->sectors)
        return 1;
    if (dev->read(dev, at, 1, header) != 0)
        return -1;
    uint32_t size = load32_le(header + GPT_HEADER_SIZE), count = load32_le(header + GPT_ENTRY_COUNT);
    uint32_t entry = load32_le(header + GPT_ENTRY_SIZE);
    if (memcmp(header, "EFI PART", 8) != 0 || size < GPT_HEADER_MIN || size > INSTALL_SECTOR ||
        load64_le(header + GPT_MY_LBA) != at || crc_without(header, size, GPT_HEADER_CRC) != load32_le(header + GPT_HEADER_CRC) ||
        count == 0 || count > GPT_ENTRIES_MAX || entry < ENTRY_MIN || entry > 1024 || !is_power_of_two(entry))
        return 1;
    uint64_t lba = load64_le(header + GPT_ENTRIES_LBA), bytes = (uint64_t)count * entry;
    uint64_t sectors = (bytes + INSTALL_SECTOR - 1) / INSTALL_SECTOR;
    if (!range_fits(lba, sectors, dev->sectors))
        return 1;
    uint8_t *entries = tool_alloc(sectors * INSTALL_SECTOR);
    int r = dev->read(dev, lba, sectors, entries);
    if (r == 0 && crc32(crc32(0, NULL, 0), entries, (uInt)bytes) != load32_le(header + GPT_ENTRIES_CRC))
        r = 1;
    // The room of the table is never a gap: the header says where partitions may begin, and that is behind both.
    t->first_free = MAX(load64_le(header + GPT_FIRST_USABLE), at == 1 ? lba + sectors : 2 + sectors);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        const uint8_t *e = entries + (size_t)i * entry;
        static const uint8_t none[16];
        uint64_t first = load64_le(e + ENTRY_FIRST), last = load64_le(e + ENTRY_LAST);
        if (memcmp(e + ENTRY_TYPE, none, 16) == 0)
            continue;
        struct install_partition p = { .lba = first, .sectors = last < first ? 0 : last - first + 1, .number = i + 1 };
        memcpy(p.type, e + ENTRY_TYPE, 16);
        r = add_partition(dev, t, p);
    }
    free(entries);
    return r;
}

// Four primary partitions; what lies in an extended one is covered by it. A boot sector that is no partition table
// (a file system over the whole disk) shows by fields that no table has.
static int read_mbr(struct install_dev *dev, const uint8_t *sector, struct install_table *t)
{
    bool any = false;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *e = sector + 446 + 16 * i;
        uint32_t lba = load32_le(e + 8), count = load32_le(e + 12);
        if (e[4] == 0)
            continue;
        if ((e[0] != 0 && e[0] != 0x80) || lba == 0 || count == 0 || !range_fits(lba, count, dev->sectors)) {
            t->count = 0;
            return 0;
        }
        any = true;
        if (add_partition(dev, t, (struct install_partition){ .lba = lba, .sectors = count, .number = i + 1 }) != 0)
            return -1;
    }
    t->kind = any ? INSTALL_TABLE_MBR : INSTALL_TABLE_NONE;
    t->first_free = 1;
    return 0;
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
        protective |= signature && sector[446 + 16 * i + 4] == MBR_TYPE_PROTECTIVE;
    if (!protective)
        return signature ? read_mbr(dev, sector, ret) : 0;
    int r = read_gpt(dev, 1, ret);
    if (r == 1) {
        memset(ret, 0, sizeof *ret);
        r = read_gpt(dev, dev->sectors - 1, ret);
    }
    if (r == 1)
        tool_error(dev->path, "has a GPT of which neither copy holds");
    ret->kind = INSTALL_TABLE_GPT;
    return r == 0 ? 0 : -1;
}

// ---- places --------------------------------------------------------------------------------------------

// Labels outlive the pool: a file system that was made over a vdev may leave some of them whole. So one of the first two
// and one of the last two must be there and name the same vdev, and where file systems have their first block there must be none.
static int check_vdev(struct install_dev *dev, const struct install_partition *p, bool front, bool back, bool mixed)
{
    uint8_t head[4 * INSTALL_SECTOR];
    if (dev->read(dev, p->lba, 4, head) != 0)
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
static int read_vdev(struct install_dev *dev, const struct install_partition *p, struct install_area *area)
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
        if (dev->read(dev, p->lba + at / INSTALL_SECTOR, ZFSLABEL_SIZE / INSTALL_SECTOR, raw) != 0)
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
    struct install_partition whole = { .sectors = dev->sectors };
    const struct install_partition *items = table->count ? table->items : &whole;
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
        area.lba = items[i].lba + ZFSLABEL_BOOT_OFFSET / INSTALL_SECTOR;
        area.sectors = ZFSLABEL_BOOT_SIZE / INSTALL_SECTOR;
        *ret = area;
    }
    return found ? 0 : 1;
}

// 21686148-6449-6E6F-744E-656564454649 as it lies on disk: "Hah!IdontNeedEFI".
static const uint8_t type_bios_boot[16] = "Hah!IdontNeedEFI";

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
            const struct install_partition *p = &table->items[i];
            if (memcmp(p->type, type_bios_boot, 16) != 0)
                continue;
            area.partition = *p;
            area.lba = p->lba;
            area.sectors = p->sectors;
            *ret = area;
            return 0;
        }
        return 1;
    }
    *ret_why = "has no gap before its first partition";
    uint64_t end = UINT64_MAX;
    for (unsigned i = 0; i < table->count; i++)
        end = MIN(end, table->items[i].lba);
    if (end == UINT64_MAX || end <= table->first_free)
        return 1; // without a partition nothing says where the gap ends
    area.lba = table->first_free;
    area.sectors = end - table->first_free;
    *ret = area;
    return 0;
}

int install_area_allowed(const struct install_dev *dev, const struct install_area *area)
{
    char why[256];
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
