// SPDX-License-Identifier: MPL-2.0
// Files in the file systems that Signet can read: FAT so far. One more is a row in fs.c's table. Pure.
#pragma once
#include "block/block.h"
#include "block/fat.h"

#define FS_NAME_MAX 768 // bytes of UTF-8 and NUL; what does not fit is cut off

// A file or a folder.
struct fs_node {
    bool folder;
    uint64_t size; // bytes of a file
    union {
        struct fat_node fat;
    };
};

struct fs_entry {
    bool folder;
    uint64_t size;
    char name[FS_NAME_MAX];
};

struct fs;
struct fs_type {
    const char *name; // "fat"
    // Whether the device holds such a file system, and all that the other calls need. ERR_NOT_FOUND: another one, or none.
    int (*probe)(struct fs *fs);
    // A path from the root, '/' between names; "" or "/" is the root. ERR_NOT_FOUND.
    int (*open)(struct fs *fs, const char *path, struct fs_node *ret);
    // The next bytes of a file, at most `cap` (a multiple of BLOCK_SECTOR_MAX, and not 0); *ret 0 at its end.
    int (*read)(struct fs *fs, struct fs_node *file, uint8_t *buf, uint32_t cap, uint32_t *ret);
    // The next entry of a folder: 1, or 0 behind the last one.
    int (*list)(struct fs *fs, struct fs_node *folder, struct fs_entry *ret);
};
// All of them: ERR_DISK_FILES (the file system is damaged), or what the device's read returns.

struct fs {
    struct block_device dev;
    const struct fs_type *type;
    union {
        struct fat fat;
    };
};

extern const struct fs_type *const fs_types[];
extern const size_t fs_type_count;
extern const struct fs_type fs_fat;

// Looks which of them is on the device. ERR_NOT_FOUND: none; ERR_DISK_FILES: one, and it is damaged; or the error of reading.
int fs_probe(struct fs *fs, const struct block_device *dev);
