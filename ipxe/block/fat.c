// SPDX-License-Identifier: MPL-2.0
// See fat.h.
#include "block/fat.h"

#include "base/bytes.h"
#include "base/range.h"
#include "block/fat_name.h"

#define FIRST_CLUSTER 2
#define FAT16_CLUSTERS 4085 // from so many on it is FAT16
#define FAT32_CLUSTERS 65525
#define FAT32_CLUSTERS_MAX 0x0ffffff5

// Fields of the boot sector.
enum {
    BOOT_SECTOR_SIZE = 11,     // u16
    BOOT_CLUSTER_SECTORS = 13, // u8
    BOOT_RESERVED = 14,        // u16: sectors before the first FAT
    BOOT_TABLES = 16,          // u8
    BOOT_ROOT_ENTRIES = 17,    // u16, 0 in FAT32
    BOOT_SECTORS_16 = 19,      // u16, 0: see BOOT_SECTORS_32
    BOOT_TABLE_SIZE_16 = 22,   // u16: sectors of one FAT, 0: see BOOT_TABLE_SIZE_32
    BOOT_SECTORS_32 = 32,      // u32
    BOOT_TABLE_SIZE_32 = 36,   // u32
    BOOT_FLAGS = 40,           // u16: bit 7: only the FAT in bits 0-3 is kept up
    BOOT_VERSION = 42,         // u16, 0
    BOOT_ROOT_CLUSTER = 44,    // u32
    BOOT_SIGNATURE = 510,      // u16
};
#define ONE_TABLE 0x80

// Fields of a folder's entry.
enum {
    ENTRY_NAME = 0,
    ENTRY_ATTRIBUTES = 11,
    ENTRY_CLUSTER_HIGH = 20, // u16, FAT32
    ENTRY_CLUSTER = 26,      // u16
    ENTRY_BYTES = 28,        // u32
};
#define ENTRY_END 0x00
#define ENTRY_DELETED 0xe5
#define ATTRIBUTE_LABEL 0x08
#define ATTRIBUTE_FOLDER 0x10
#define ATTRIBUTES_LONG 0x0f
#define ATTRIBUTES_MASK 0x3f

static int window(struct fat *fat, uint32_t sector)
{
    if (fat->window_sector == sector)
        return 0;
    fat->window_sector = UINT32_MAX;
    int err = fat->ops.read(fat->ops.ctx, sector, fat->window);
    if (!err)
        fat->window_sector = sector;
    return err;
}

// --- the volume ---

static unsigned log2_of(uint32_t power)
{
    unsigned shift = 0;
    while (power >> shift > 1)
        shift++;
    return shift;
}

// What tells a FAT from other boot sectors: NTFS and exFAT have neither FATs nor reserved sectors in these fields.
static bool looks_like_fat(const uint8_t *boot)
{
    uint32_t size = load16_le(boot + BOOT_SECTOR_SIZE);
    return load16_le(boot + BOOT_SIGNATURE) == 0xaa55 && is_power_of_two(size) && size >= FAT_SECTOR_MIN &&
           size <= FAT_SECTOR_MAX && is_power_of_two(boot[BOOT_CLUSTER_SECTORS]) &&
           load16_le(boot + BOOT_RESERVED) > 0 && boot[BOOT_TABLES] > 0;
}

// Bytes of the FAT for all clusters and the two entries before them.
static uint64_t table_bytes(enum fat_kind kind, uint32_t clusters)
{
    uint64_t entries = (uint64_t)clusters + FIRST_CLUSTER;
    return kind == FAT12 ? (entries * 3 + 1) >> 1 : kind == FAT16 ? entries << 1 : entries << 2;
}

static int read_layout(struct fat *fat, const uint8_t *boot, uint64_t volume_sectors)
{
    uint32_t tables = boot[BOOT_TABLES], table_size = load16_le(boot + BOOT_TABLE_SIZE_16);
    uint32_t total = load16_le(boot + BOOT_SECTORS_16);
    bool wide = table_size == 0; // only FAT32 has the fields behind BOOT_SECTORS_32
    if (wide)
        table_size = load32_le(boot + BOOT_TABLE_SIZE_32);
    if (total == 0)
        total = load32_le(boot + BOOT_SECTORS_32);
    fat->table = load16_le(boot + BOOT_RESERVED);
    fat->cluster_shift = log2_of(boot[BOOT_CLUSTER_SECTORS]);
    uint32_t root_bytes = load16_le(boot + BOOT_ROOT_ENTRIES) * FAT_ENTRY_SIZE;
    fat->root_sectors = (root_bytes + (1u << fat->sector_shift) - 1) >> fat->sector_shift;
    uint64_t root = fat->table + (uint64_t)tables * table_size, data = root + fat->root_sectors;
    if (total > volume_sectors || data >= total)
        return ERR_INVALID;
    fat->root = (uint32_t)root;
    fat->data = (uint32_t)data;
    fat->clusters = (total - fat->data) >> fat->cluster_shift;
    // By the book the count of clusters alone tells the three apart; but there are FAT32 volumes that are too small for
    // it, and every system reads them.
    fat->kind = wide ? FAT32 : fat->clusters < FAT16_CLUSTERS ? FAT12 : FAT16;
    if (fat->clusters > FAT32_CLUSTERS_MAX || (!wide && fat->clusters >= FAT32_CLUSTERS) ||
        wide != (fat->root_sectors == 0) ||
        table_bytes(fat->kind, fat->clusters) > (uint64_t)table_size << fat->sector_shift)
        return ERR_INVALID;
    if (!wide)
        return 0;
    uint16_t flags = load16_le(boot + BOOT_FLAGS);
    uint32_t in_use = flags & ONE_TABLE ? flags & 15 : 0;
    if (in_use >= tables || load16_le(boot + BOOT_VERSION) != 0)
        return ERR_INVALID;
    fat->table += in_use * table_size;
    fat->root = load32_le(boot + BOOT_ROOT_CLUSTER);
    return 0;
}

int fat_mount(struct fat *fat, const struct fat_ops *ops, uint32_t sector_size, uint64_t sectors)
{
    if (sector_size < FAT_SECTOR_MIN || sector_size > FAT_SECTOR_MAX || !is_power_of_two(sector_size))
        return ERR_UNSUPPORTED;
    fat->ops = *ops;
    fat->window_sector = UINT32_MAX;
    fat->sector_shift = log2_of(sector_size);
    int err = sectors ? window(fat, 0) : ERR_NOT_FOUND;
    if (err)
        return err;
    if (!looks_like_fat(fat->window))
        return ERR_NOT_FOUND;
    if (load16_le(fat->window + BOOT_SECTOR_SIZE) != sector_size)
        return ERR_UNSUPPORTED;
    return read_layout(fat, fat->window, sectors);
}

// --- chains of clusters ---

static int table_byte(struct fat *fat, uint64_t at, uint8_t *ret)
{
    int err = window(fat, fat->table + (uint32_t)(at >> fat->sector_shift));
    if (!err)
        *ret = fat->window[at & ((1u << fat->sector_shift) - 1)];
    return err;
}

// The FAT's entry of a cluster, byte by byte: one of FAT12 may lie across two sectors.
static int table_entry(struct fat *fat, uint32_t cluster, uint32_t *ret)
{
    uint8_t b[4] = { 0 };
    unsigned size = fat->kind == FAT32 ? 4 : 2;
    uint64_t at = fat->kind == FAT12 ? cluster + (cluster >> 1) : (uint64_t)cluster * size;
    for (unsigned i = 0; i < size; i++) {
        int err = table_byte(fat, at + i, &b[i]);
        if (err)
            return err;
    }
    uint32_t value = load32_le(b);
    if (fat->kind == FAT12)
        value = cluster & 1 ? value >> 4 : value & 0xfff;
    *ret = value & 0x0fffffff; // FAT32's upper four bits mean nothing
    return 0;
}

static int chain_enter(const struct fat *fat, struct fat_chain *c, uint32_t cluster)
{
    if (cluster < FIRST_CLUSTER || cluster - FIRST_CLUSTER >= fat->clusters)
        return ERR_INVALID;
    c->cluster = cluster;
    c->sector = fat->data + ((cluster - FIRST_CLUSTER) << fat->cluster_shift);
    c->left = 1u << fat->cluster_shift;
    return 0;
}

static int chain_start(const struct fat *fat, struct fat_chain *c, uint32_t cluster)
{
    *c = (struct fat_chain){ .mark = cluster, .limit = 1 };
    return chain_enter(fat, c, cluster);
}

// On to the next cluster. ERR_TRUNCATED at the chain's end.
static int chain_next(struct fat *fat, struct fat_chain *c)
{
    uint32_t next, end = fat->kind == FAT12 ? 0xff8 : fat->kind == FAT16 ? 0xfff8 : 0x0ffffff8;
    int err = table_entry(fat, c->cluster, &next);
    if (err)
        return err;
    if (next >= end)
        return ERR_TRUNCATED;
    if (next == c->mark)
        return ERR_INVALID; // a circle
    if (++c->steps == c->limit) {
        c->mark = next;
        c->steps = 0;
        c->limit *= 2;
    }
    return chain_enter(fat, c, next);
}

int fat_run(struct fat *fat, struct fat_file *file, uint32_t max, struct fat_run *ret)
{
    struct fat_chain *c = &file->chain;
    uint32_t mask = (1u << fat->sector_shift) - 1;
    uint32_t all = (file->left >> fat->sector_shift) + ((file->left & mask) != 0), want = MIN(max, all);
    struct fat_run run = { 0 };
    while (run.count < want) {
        if (c->left == 0) {
            int err = chain_next(fat, c);
            if (err)
                return err == ERR_TRUNCATED ? ERR_INVALID : err;
        }
        if (run.count == 0)
            run.sector = c->sector;
        else if (run.sector + run.count != c->sector)
            break;
        uint32_t n = MIN(c->left, want - run.count);
        run.count += n;
        c->sector += n;
        c->left -= n;
    }
    run.bytes = run.count == all ? file->left : run.count << fat->sector_shift;
    file->left -= run.bytes;
    *ret = run;
    return 0;
}

// --- folders ---

static int folder_enter(const struct fat *fat, struct fat_node *f, uint32_t cluster)
{
    f->folder = true;
    return chain_start(fat, &f->file.chain, cluster);
}

static int folder_root(const struct fat *fat, struct fat_node *f)
{
    *f = (struct fat_node){ .folder = true };
    if (fat->root_sectors == 0)
        return folder_enter(fat, f, fat->root);
    f->file.chain = (struct fat_chain){ .sector = fat->root, .left = fat->root_sectors };
    return 0;
}

// The next entry, in the window. ERR_NOT_FOUND behind the last one.
static int folder_next(struct fat *fat, struct fat_node *f, const uint8_t **ret)
{
    struct fat_chain *c = &f->file.chain;
    if (f->at == 0 && c->left == 0) {
        int err = c->cluster ? chain_next(fat, c) : ERR_TRUNCATED;
        if (err)
            return err == ERR_TRUNCATED ? ERR_NOT_FOUND : err;
    }
    int err = window(fat, c->sector);
    if (err)
        return err;
    *ret = fat->window + f->at;
    if ((*ret)[0] == ENTRY_END)
        return ERR_NOT_FOUND;
    f->at += FAT_ENTRY_SIZE;
    if (f->at >> fat->sector_shift) {
        f->at = 0;
        c->sector++;
        c->left--;
    }
    return 0;
}

// The next entry of a file or a folder, which stays in the window, and the long name that came before it.
static int folder_entry(struct fat *fat, struct fat_node *f, struct fat_name *gathered, const uint8_t **ret)
{
    int err;
    gathered->valid = false;
    gathered->next = 0;
    while ((err = folder_next(fat, f, ret)) == 0) {
        const uint8_t *entry = *ret;
        uint8_t attributes = entry[ENTRY_ATTRIBUTES] & ATTRIBUTES_MASK;
        bool deleted = entry[ENTRY_NAME] == ENTRY_DELETED;
        if (!deleted && attributes == ATTRIBUTES_LONG)
            fat_name_take(gathered, entry);
        else if (!deleted && !(attributes & ATTRIBUTE_LABEL))
            break;
        else
            gathered->valid = false;
    }
    return err;
}

// What an entry stands for, without its chain.
static void take_entry(const uint8_t *entry, struct fat_node *ret)
{
    *ret = (struct fat_node){ .folder = entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_FOLDER };
    if (!ret->folder)
        ret->file.size = ret->file.left = load32_le(entry + ENTRY_BYTES);
}

static int enter_entry(const struct fat *fat, const uint8_t *entry, struct fat_node *ret)
{
    uint32_t high = fat->kind == FAT32 ? load16_le(entry + ENTRY_CLUSTER_HIGH) : 0;
    take_entry(entry, ret);
    return ret->folder || ret->file.size ? chain_start(fat, &ret->file.chain, high << 16 | load16_le(entry + ENTRY_CLUSTER)) : 0;
}

int fat_open(struct fat *fat, const char *path, struct fat_node *ret)
{
    struct fat_node node;
    int err = folder_root(fat, &node);
    while (!err) {
        struct fat_name gathered;
        const uint8_t *entry;
        size_t len = 0;
        if (*path == '/' && !node.folder)
            return ERR_NOT_FOUND;
        while (*path == '/')
            path++;
        if (!*path)
            break;
        while (path[len] && path[len] != '/')
            len++;
        do
            err = folder_entry(fat, &node, &gathered, &entry);
        while (!err && !fat_name_is(&gathered, entry, path, len));
        if (!err)
            err = enter_entry(fat, entry, &node);
        path += len;
    }
    if (!err)
        *ret = node;
    return err;
}

int fat_find(struct fat *fat, const char *path, struct fat_file *ret)
{
    struct fat_node node;
    int err = fat_open(fat, path, &node);
    if (!err && node.folder)
        err = ERR_NOT_FOUND;
    if (!err)
        *ret = node.file;
    return err;
}

int fat_list(struct fat *fat, struct fat_node *folder, struct fat_node *ret, char *name, size_t cap)
{
    struct fat_name gathered;
    const uint8_t *entry;
    int err;
    do
        err = folder_entry(fat, folder, &gathered, &entry);
    while (!err && entry[ENTRY_NAME] == '.'); // no other short name begins so
    if (err)
        return err;
    fat_name_text(&gathered, entry, name, cap);
    take_entry(entry, ret);
    return 0;
}
