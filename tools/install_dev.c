// SPDX-License-Identifier: MPL-2.0
// Block devices and image files: install_dev.h.
#include "install_dev.h"
#include "file.h"
#include "install_raid.h"
#include "install_sys.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int file_read_sectors(void *ctx, uint64_t lba, uint32_t count, void *to)
{
    const struct install_dev *dev = ctx;
    const uint64_t sector = dev->unit * INSTALL_SECTOR;
    uint8_t *p = to;
    for (uint64_t at = lba * sector, end = (lba + count) * sector; at < end;) {
        ssize_t n = pread(dev->fd, p, end - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            tool_error(dev->path, "reading sector %" PRIu64 ": %s", at / INSTALL_SECTOR, n ? strerror(errno) : "it ends there");
            return ERR_DISK_READ;
        }
        p += n;
        at += (uint64_t)n;
    }
    return 0;
}

static int file_write_sectors(void *ctx, uint64_t lba, uint32_t count, const void *from)
{
    const struct install_dev *dev = ctx;
    const uint64_t sector = dev->unit * INSTALL_SECTOR;
    const uint8_t *p = from;
    for (uint64_t at = lba * sector, end = (lba + count) * sector; at < end;) {
        ssize_t n = pwrite(dev->fd, p, end - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            tool_error(dev->path, "writing sector %" PRIu64 ": %s", at / INSTALL_SECTOR, strerror(n ? errno : ENOSPC));
            return ERR_DISK_WRITE;
        }
        p += n;
        at += (uint64_t)n;
    }
    return 0;
}

// After this, reads come from the disk: what the kernel kept of it in memory is let go.
static int file_flush(void *ctx)
{
    const struct install_dev *dev = ctx;
    if (fsync(dev->fd) != 0) {
        tool_error(dev->path, "cannot sync: %s", strerror(errno));
        return ERR_DISK_WRITE;
    }
    if (dev->block)
        ioctl(dev->fd, BLKFLSBUF, 0);
    else
        posix_fadvise(dev->fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

static const struct block_ops file_ops = { file_read_sectors, file_write_sectors, file_flush };

// The disk as a device. Made for each call, since *dev may be moved between two.
static struct block_device block_of(struct install_dev *dev)
{
    return (struct block_device){ .ops = dev->ops, .ctx = dev, .sectors = dev->sectors / dev->unit, .sector_size = dev->unit * INSTALL_SECTOR };
}

// What is asked for in sectors of 512 bytes, in the disk's own. ERR_INVALID is all that no call has told yet.
static int told(const struct install_dev *dev, int err)
{
    if (err == ERR_INVALID)
        tool_error(dev->path, "a sector behind its end was asked for");
    return err ? -1 : 0;
}

int install_dev_read(struct install_dev *dev, uint64_t lba, uint64_t count, void *buf)
{
    struct block_device disk = block_of(dev);
    return told(dev, block_read(&disk, lba / dev->unit, (uint32_t)(count / dev->unit), buf));
}

int install_dev_write(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf)
{
    struct block_device disk = block_of(dev);
    return told(dev, block_write(&disk, lba / dev->unit, (uint32_t)(count / dev->unit), buf));
}

int install_dev_flush(struct install_dev *dev)
{
    struct block_device disk = block_of(dev);
    return told(dev, block_flush(&disk));
}

bool install_dev_is_loop(const char *path)
{
    char *real = realpath(path, NULL);
    bool found = false;
    for (unsigned i = 0; real && i < 64 && !found; i++) {
        char name[64], line[4096];
        snprintf(name, sizeof name, "/sys/block/loop%u/loop/backing_file", i);
        FILE *f = fopen(name, "re");
        if (!f)
            continue;
        if (fgets(line, sizeof line, f)) {
            line[strcspn(line, "\n")] = '\0';
            if (strcmp(line, real) == 0) {
                tool_error(path, "is in use as /dev/loop%u: name that device", i);
                found = true;
            }
        }
        fclose(f);
    }
    free(real);
    return found;
}

static int open_checks(struct install_dev *dev, const struct stat *st, enum install_dev_use use)
{
    dev->unit = 1;
    if (S_ISREG(st->st_mode)) {
        dev->sectors = (uint64_t)st->st_size / INSTALL_SECTOR;
        return install_dev_is_loop(dev->path) ? -1 : 0;
    }
    if (!S_ISBLK(st->st_mode)) {
        tool_error(dev->path, "is neither a disk nor an image file");
        return -1;
    }
    uint64_t bytes;
    int sector;
    dev->block = true;
    if (ioctl(dev->fd, BLKGETSIZE64, &bytes) != 0 || ioctl(dev->fd, BLKSSZGET, &sector) != 0) {
        tool_errno(dev->path, errno);
        return -1;
    }
    dev->sectors = bytes / INSTALL_SECTOR;
    dev->unit = (unsigned)sector / INSTALL_SECTOR;
    if (sector != INSTALL_SECTOR && (use != INSTALL_DEV_TABLE || sector != INSTALL_SECTOR_MAX)) {
        tool_error(dev->path, "has sectors of %d bytes; a BIOS boots from disks with sectors of 512 only", sector);
        return -1;
    }
    char name[96];
    snprintf(name, sizeof name, "/sys/dev/block/%u:%u/partition", major(st->st_rdev), minor(st->st_rdev));
    if (access(name, F_OK) == 0) {
        tool_error(dev->path, "is a partition: name the whole disk, whose first sector the BIOS loads");
        return -1;
    }
    return 0;
}

int install_dev_open(struct install_dev *dev, const char *path, enum install_dev_use use)
{
    struct stat st;
    bool writable = use == INSTALL_DEV_WRITE;
    *dev = (struct install_dev){ .path = path, .ops = &file_ops };
    dev->fd = file_open_target(path, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK);
    if (dev->fd < 0)
        return -1;
    if (fstat(dev->fd, &st) != 0) {
        tool_errno(path, errno);
    } else if (open_checks(dev, &st, use) == 0) {
        if (!writable || flock(dev->fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        tool_error(path, "is locked by another program (an installer at work?)");
    }
    install_dev_close(dev);
    return -1;
}

void install_dev_close(struct install_dev *dev)
{
    if (dev->fd >= 0)
        close(dev->fd);
    dev->fd = -1;
}

// ---- in use? -------------------------------------------------------------------------------------------

bool install_dev_busy(const struct install_dev *dev, unsigned partition, bool exclusive, char *ret_why, size_t size)
{
    dev_t number;
    struct stat st;
    if (!dev->block || fstat(dev->fd, &st) != 0 || !install_sys_partition(st.st_rdev, partition, &number))
        return false;
    char *where = install_sys_mounted(number, false);
    if (where) {
        snprintf(ret_why, size, "mounted at %.200s", where);
        free(where);
        return true;
    }
    if (partition == 0 || !exclusive)
        return false; // a disk with any partition in use cannot be had alone
    char name[64];
    snprintf(name, sizeof name, "/dev/block/%u:%u", major(number), minor(number));
    int fd = open(name, O_RDONLY | O_EXCL | O_CLOEXEC);
    bool busy = fd < 0 && errno == EBUSY;
    if (fd >= 0)
        close(fd);
    if (busy)
        snprintf(ret_why, size, "in use by another part of the system");
    return busy;
}

// A dry run has opened it for reading only, and must not say less for that.
static bool is_read_only(const struct install_dev *dev)
{
    int read_only = 0;
    return dev->block ? ioctl(dev->fd, BLKROGET, &read_only) == 0 && read_only : dev->dry_run && access(dev->path, W_OK) != 0 && errno == EROFS;
}

int install_dev_allowed(struct install_dev *dev)
{
    struct stat st;
    struct install_sys_array array;
    const char *kind;
    if (is_read_only(dev)) {
        tool_errno(dev->path, EROFS);
        return -1;
    }
    if (dev->block && fstat(dev->fd, &st) == 0) {
        if (install_sys_array(st.st_rdev, &array)) {
            tool_error(dev->path, array.plain ? "is a member of a RAID array: name %s, which brings it to all of them"
                                              : "is a member of the RAID array %s, from which no BIOS boots", array.file);
            free(array.file);
            return -1;
        }
        char *holder = install_sys_holder(st.st_rdev);
        if (holder) {
            tool_error(dev->path, "is in use as a whole by %s: what is written to it alone could break that", holder);
            free(holder);
            return -1;
        }
    }
    if (install_raid_find(dev, 0, dev->sectors, &kind) != 0)
        return -1;
    if (kind)
        tool_error(dev->path, "is a member of a RAID array (%s) that does not run here: start the array first (`mdadm --assemble --scan`)", kind);
    return kind ? -1 : 0;
}

// ---- writing -------------------------------------------------------------------------------------------

int install_dev_put(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf, const char *what)
{
    if (!dev->dry_run)
        return install_dev_write(dev, lba, count, buf);
    printf("%s: write %" PRIu64 "+%" PRIu64 ": %s\n", dev->path, lba, count, what);
    return 0;
}

int install_dev_settle(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf, const char *what)
{
    if (dev->dry_run)
        return 0;
    if (install_dev_flush(dev) != 0)
        return -1;
    uint8_t *back = tool_alloc(count * INSTALL_SECTOR);
    int r = install_dev_read(dev, lba, count, back);
    if (r == 0 && memcmp(back, buf, count * INSTALL_SECTOR) != 0) {
        tool_error(dev->path, "%s does not read back as it was written", what);
        r = -1;
    }
    free(back);
    return r;
}
