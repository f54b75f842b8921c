// SPDX-License-Identifier: MPL-2.0
// Any bytes as a disk, through every row of the table of file systems: on the whole disk and on each of its partitions, listed to some
// depth, each file opened by the path that was listed, and read. The input is fat_fuzz.c's: u32 bytes a sector, u32 sectors, then
// records of u32 number of a 512-byte block and its 512 bytes; all other blocks are zeros.
#include "block/fs.h"

#include "base/bytes.h"
#include "base/fuzz.h"
#include "base/range.h"
#include "block/partitions.h"

#define BLOCK 512
#define RECORD (4 + BLOCK)
#define READS_MAX 20000 // a chain may be as long as the disk, of which nearly all is zeros
#define ENTRIES_MAX 40  // of a folder
#define DEPTH_MAX 3
#define PATH_SIZE (DEPTH_MAX * (FS_NAME_MAX + 1) + 1)

struct volume {
    const uint8_t *records;
    size_t count;
    struct block_device dev;
    unsigned reads;
};

static int read_sectors(void *ctx, uint64_t lba, uint32_t count, void *to)
{
    struct volume *v = ctx;
    uint64_t size = v->dev.sector_size, first = lba * size / BLOCK, blocks = count * size / BLOCK;
    if (!range_fits(lba, count, v->dev.sectors))
        __builtin_trap(); // block.c lets none through
    if (++v->reads > READS_MAX)
        return ERR_DISK_READ;
    memset(to, 0, count * size);
    for (size_t i = 0; i < v->count; i++) {
        const uint8_t *record = v->records + i * RECORD;
        uint64_t block = load32_le(record);
        if (block >= first && block - first < blocks)
            memcpy((uint8_t *)to + (block - first) * BLOCK, record + 4, BLOCK);
    }
    return 0;
}

static void read_file(struct fs *fs, struct fs_node *file)
{
    static uint8_t buf[2 * BLOCK_SECTOR_MAX];
    uint64_t have = 0;
    uint32_t n;
    while (fs->type->read(fs, file, buf, sizeof buf, &n) == 0 && n > 0) {
        have += n;
        if (n > sizeof buf || have > file->size)
            __builtin_trap();
    }
}

static void list(struct fs *fs, struct fs_node *folder, char *path, size_t len, unsigned depth)
{
    struct fs_entry entry;
    struct fs_node node;
    for (unsigned i = 0; i < ENTRIES_MAX && fs->type->list(fs, folder, &entry) > 0; i++) {
        size_t n = strlen(entry.name);
        if (n >= FS_NAME_MAX)
            __builtin_trap();
        path[len] = '/';
        memcpy(path + len + 1, entry.name, n + 1);
        if (fs->type->open(fs, path, &node) != 0)
            continue;
        if (!node.folder)
            read_file(fs, &node);
        else if (depth + 1 < DEPTH_MAX)
            list(fs, &node, path, len + 1 + n, depth + 1);
    }
}

static void look(const struct block_device *dev)
{
    struct fs_node root;
    struct fs fs = { .dev = *dev };
    char path[PATH_SIZE] = "";
    for (size_t i = 0; i < fs_type_count; i++) {
        fs.type = fs_types[i];
        if (fs.type->probe(&fs) == 0 && fs.type->open(&fs, "", &root) == 0)
            list(&fs, &root, path, 0, 0);
    }
    (void)fs_probe(&fs, dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct block_ops ops = { .read = read_sectors };
    static struct partitions table;
    struct partition p;
    struct block_device dev;
    uint32_t sector_size = size < 8 ? 0 : load32_le(data);
    if (sector_size < BLOCK_SECTOR_MIN || sector_size > BLOCK_SECTOR_MAX || !is_power_of_two(sector_size))
        return 0;
    struct volume v = { .records = data + 8, .count = (size - 8) / RECORD };
    v.dev = (struct block_device){ .ops = &ops, .ctx = &v, .sectors = load32_le(data + 4), .sector_size = sector_size };
    look(&v.dev);
    v.reads = 0;
    int r = partitions_open(&table, &v.dev);
    for (unsigned i = 0; i < GPT_ENTRIES_MAX + MBR_LOGICAL_MAX && (r = partitions_next(&table, &p, &dev)) != 0; i++) {
        if (r < 0)
            continue;
        if (dev.first != p.first || dev.sectors != p.sectors || !range_fits(dev.first, dev.sectors, v.dev.sectors))
            __builtin_trap();
        look(&dev);
    }
    return 0;
}
