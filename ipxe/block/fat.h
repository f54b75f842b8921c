// SPDX-License-Identifier: MPL-2.0
// FAT12, FAT16 and FAT32 file systems with long names, for reading (Microsoft's "FAT File System" specification of 2005,
// which UEFI adopts). Pure: metadata come through a call of the caller's, and of a file it is told where its bytes lie, so
// that the caller moves them without a copy. Sectors are those of the volume, counted from its first.
#pragma once
#include "base/base.h"
#include "base/err.h"

#define FAT_SECTOR_MIN 512
#define FAT_SECTOR_MAX 4096

struct fat_ops {
    void *ctx;
    // Reads one sector. 0, or an error, which the fat_* call returns; never ERR_NOT_FOUND or ERR_TRUNCATED.
    int (*read)(void *ctx, uint32_t sector, void *buf);
};

enum fat_kind { FAT12 = 12, FAT16 = 16, FAT32 = 32 };

struct fat {
    struct fat_ops ops;
    enum fat_kind kind;
    unsigned sector_shift, cluster_shift; // bytes a sector, sectors a cluster: powers of two
    uint32_t table;                       // first sector of the FAT in use
    uint32_t root, root_sectors;          // the root folder's fixed place; root_sectors 0: it is a chain from cluster `root`
    uint32_t data, clusters;              // first sector of cluster 2, how many clusters there are
    uint32_t window_sector;               // what `window` holds, UINT32_MAX: nothing
    uint8_t window[FAT_SECTOR_MAX];
};

// A place in a chain of clusters. A chain that runs in a circle is found by Brent's method: `mark` is a cluster of
// the chain, and it moves up after 1, 2, 4, ... steps.
struct fat_chain {
    uint32_t cluster;      // 0: outside of any chain
    uint32_t sector, left; // the next sector, and how many there are from it on to the cluster's end
    uint32_t mark, steps, limit;
};

struct fat_file {
    uint32_t size; // bytes
    uint32_t left; // bytes that fat_run has not told yet
    struct fat_chain chain;
};

// A file, or a folder as it is read.
struct fat_node {
    bool folder;
    struct fat_file file; // of a folder the chain alone
    uint32_t at;          // of a folder: the next entry, in the chain's next sector; 0: a sector begins
};

// Some consecutive sectors of a file. Only the file's last run has fewer bytes than its sectors hold.
struct fat_run {
    uint32_t sector, count, bytes;
};

// Reads the boot sector of a volume of `sectors` sectors of so many bytes. ERR_NOT_FOUND (no FAT file system),
// ERR_INVALID (a field is wrong), ERR_UNSUPPORTED (other sectors than the disk's), or the read's error. The volume keeps a
// copy of *ops.
int fat_mount(struct fat *fat, const struct fat_ops *ops, uint32_t sector_size, uint64_t sectors);

// Finds a file or a folder by its path from the root: UTF-8 with '/' between names, long or short ones; the case of ASCII letters does
// not count; "" is the root. ERR_NOT_FOUND, ERR_INVALID (the file system is damaged), or the read's error.
int fat_open(struct fat *fat, const char *path, struct fat_node *ret);

// The same for a file: ERR_NOT_FOUND also for a folder.
int fat_find(struct fat *fat, const char *path, struct fat_file *ret);

// The next entry of a folder, without "." and "..", and its name (fat_name.h) in `cap` bytes. ERR_NOT_FOUND: there is none, and otherwise
// as fat_open.
int fat_list(struct fat *fat, struct fat_node *folder, struct fat_node *ret, char *name, size_t cap);

// The next run of a file, of at most `max` sectors (not 0); with no bytes at the file's end. ERR_INVALID (the chain is
// damaged or shorter than the file), or the read's error.
int fat_run(struct fat *fat, struct fat_file *file, uint32_t max, struct fat_run *ret);
