// SPDX-License-Identifier: MPL-2.0
// A block device: a disk, or a part of one. INT 13h, EFI Block I/O and the host make whole disks (core/platform.h); a partition or a
// slot is a device as well, so that who reads one cannot leave it. Pure: a device is a value, handed in with its calls.
#pragma once
#include "base/base.h"
#include "base/err.h"

#define BLOCK_SECTOR_MIN 512
#define BLOCK_SECTOR_MAX 4096

// What moves sectors of a whole disk. They are called with its `ctx` and with sectors that lie inside it.
struct block_ops {
    // 0, ERR_DISK_READ (also: the disk is gone, or another medium is in it).
    int (*read)(void *ctx, uint64_t lba, uint32_t count, void *to);
    // 0, ERR_DISK_WRITE. NULL where nothing may be written.
    int (*write)(void *ctx, uint64_t lba, uint32_t count, const void *from);
    // Returns when what was written has left the disk's cache. ERR_DISK_WRITE. NULL where there is no way to ask for it (INT 13h).
    int (*flush)(void *ctx);
};

struct block_device {
    const struct block_ops *ops;
    void *ctx;            // whose it is
    uint64_t first;       // where it begins on the whole disk; 0 for that one
    uint64_t sectors;
    uint32_t sector_size; // a power of two from BLOCK_SECTOR_MIN to BLOCK_SECTOR_MAX
    bool boot;            // Signet itself was loaded from this disk
    bool removable;
    char name[24];        // of the disk, as the platform's users know it: "BIOS 80h", "EFI disk 0 (NVMe)"
};

// Moves `count` sectors from or to `lba`, counted from the device's start. ERR_INVALID (outside the device), and what the calls
// return; ERR_DISK_WRITE where nothing can be written.
int block_read(const struct block_device *dev, uint64_t lba, uint32_t count, void *to);
int block_write(const struct block_device *dev, uint64_t lba, uint32_t count, const void *from);

// What was written before is on the medium before what is written after, where there is a way to see to that.
int block_flush(const struct block_device *dev);

// A part of a device as a device of its own; *ret may be *whole. False, and *ret untouched, when it does not lie inside.
bool block_part(const struct block_device *whole, uint64_t first, uint64_t sectors, struct block_device *ret);
