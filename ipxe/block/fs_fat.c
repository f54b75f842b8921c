// SPDX-License-Identifier: MPL-2.0
// FAT (fat.h) as a row of the table of file systems.
#include "block/fs.h"

static int told(int err)
{
    return err == ERR_INVALID ? ERR_DISK_FILES : err;
}

static int read_sector(void *ctx, uint32_t sector, void *buf)
{
    return block_read(&((struct fs *)ctx)->dev, sector, 1, buf);
}

static int probe(struct fs *fs)
{
    const struct fat_ops ops = { fs, read_sector };
    int err = fat_mount(&fs->fat, &ops, fs->dev.sector_size, fs->dev.sectors);
    return err == ERR_UNSUPPORTED ? ERR_NOT_FOUND : told(err);
}

static int open(struct fs *fs, const char *path, struct fs_node *ret)
{
    int err = fat_open(&fs->fat, path, &ret->fat);
    if (!err) {
        ret->folder = ret->fat.folder;
        ret->size = ret->fat.file.size;
    }
    return told(err);
}

static int read(struct fs *fs, struct fs_node *file, uint8_t *buf, uint32_t cap, uint32_t *ret)
{
    struct fat_run run;
    int err = fat_run(&fs->fat, &file->fat.file, cap / fs->dev.sector_size, &run);
    if (err)
        return told(err);
    *ret = run.bytes;
    return run.bytes ? block_read(&fs->dev, run.sector, run.count, buf) : 0;
}

static int list(struct fs *fs, struct fs_node *folder, struct fs_entry *ret)
{
    struct fat_node node;
    int err = fat_list(&fs->fat, &folder->fat, &node, ret->name, sizeof ret->name);
    if (err)
        return err == ERR_NOT_FOUND ? 0 : told(err);
    ret->folder = node.folder;
    ret->size = node.file.size;
    return 1;
}

const struct fs_type fs_fat = { .name = "fat", .probe = probe, .open = open, .read = read, .list = list };
