// SPDX-License-Identifier: MPL-2.0
// A disk as the installer sees it: a block device (block/block.h) with a path for messages, in sectors of 512 bytes, as the BIOS
// loads them. Behind it lies a disk or an image file; tests put one in memory behind it, and cut its power.
#pragma once
#include "block/block.h"
#include "tool.h"

#define INSTALL_SECTOR 512
#define INSTALL_SECTOR_MAX 4096 // of a disk whose partition table can be read

struct install_dev {
    const char *path;
    uint64_t sectors;
    unsigned unit; // sectors of 512 bytes in one of the disk's own, in which its partition table counts: 1 or 8
    bool dry_run; // nothing is written: what would be is printed
    const struct block_ops *ops; // get this struct as their context, and print the message of an error
    // of install_dev_open
    int fd;
    bool block;
};

// What a disk is opened for: to be read; to be written, which locks it against another installer; or to have its
// partition table read, when its own sectors may have another size than the 512 bytes that a BIOS boots from.
enum install_dev_use { INSTALL_DEV_READ, INSTALL_DEV_WRITE, INSTALL_DEV_TABLE };

// Opens a disk or an image file. 0, or -1 after a message (neither of both, in use as a loop device, sectors of a wrong size).
int install_dev_open(struct install_dev *dev, const char *path, enum install_dev_use use);
void install_dev_close(struct install_dev *dev);

// Moves whole sectors of the disk's own. 0, or -1 after a message. A write is durable after the next flush, not before.
int install_dev_read(struct install_dev *dev, uint64_t lba, uint64_t count, void *buf);
int install_dev_write(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf);
int install_dev_flush(struct install_dev *dev);

// Whether a partition of an open disk (its number; 0: the whole disk) is mounted. An image file's never is.
// `ret_why` says where. With `exclusive` also whether another part of the system keeps others out (LVM, a pool).
bool install_dev_busy(const struct install_dev *dev, unsigned partition, bool exclusive, char *ret_why, size_t size);

// Whether a disk may not be written by itself, whatever lies on it: it is read-only, or a member of an array (install_raid.h) or
// of another device. 0: it may, -1 after a message.
int install_dev_allowed(struct install_dev *dev);

// Writes sectors; with dry_run prints the line that names them. 0, or -1 after a message.
// What `put` wrote is durable and compared when install_dev_settle has returned 0.
int install_dev_put(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf, const char *what);

// Flushes, then reads the sectors back from the disk itself and compares. 0, or -1 after a message.
int install_dev_settle(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf, const char *what);

// Whether an image file is a loop device as well, behind whose back it would be written. True after a message.
bool install_dev_is_loop(const char *path);
