// SPDX-License-Identifier: MPL-2.0
// signet keep: makes a partition the place for local copies (doc/boot-area.md), by the marks of two empty slots. Signet
// writes to no partition of an MBR that nobody has marked; so the mark is made by a person, and over nothing else.
#include "base/bytes.h"
#include "block/gpt.h"
#include "block/imgslot.h"
#include "file.h"
#include "install_place.h"
#include "install_sys.h"
#include "opts.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOKED_AT MIB // at either end: where others have their labels
#define FRONT (2 * IMGSLOT_IMAGE) // of a slot: the mark, and zeros to behind the image's head

static const struct opt_help help = {
    .usage = "[--force] PARTITION",
    .about = "Makes a partition (or an image file of one) the place where machines with the setting `keep` leave a copy of\n"
             "the image that they booted. It needs that on disks with an MBR, where it has the type da; a GPT's partition is\n"
             "marked by its type. Refuses a partition that is in use, or that holds something.",
};

struct place {
    const char *path;
    int fd;
    uint64_t size;
};

static int place_open(struct place *p, const char *path)
{
    struct stat st;
    p->path = path;
    // Of a device that is mounted, or a member of something, the kernel gives nobody else the whole.
    p->fd = file_open_target(path, O_RDWR | O_NONBLOCK);
    if (p->fd < 0)
        return EXIT_FAIL;
    if (fstat(p->fd, &st) != 0)
        return tool_errno(path, errno);
    p->size = (uint64_t)st.st_size;
    if (S_ISREG(st.st_mode))
        return install_dev_is_loop(path) ? EXIT_FAIL : 0;
    if (!S_ISBLK(st.st_mode) || ioctl(p->fd, BLKGETSIZE64, &p->size) != 0)
        return tool_error(path, "is neither a partition nor an image file");
    char same[32];
    snprintf(same, sizeof same, "/proc/self/fd/%d", p->fd);
    int whole = open(same, O_RDWR | O_EXCL | O_CLOEXEC), err = errno;
    close(p->fd);
    p->fd = whole;
    if (whole < 0 && err == EBUSY)
        return tool_error(path, "is in use: mounted, or a member of an array, a volume group or a pool");
    return whole < 0 ? tool_errno(path, err) : 0;
}

static int read_at(const struct place *p, uint64_t at, uint8_t *buf, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(p->fd, buf + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return tool_error(p->path, "reading at %" PRIu64 ": %s", at + done, n ? strerror(errno) : "it ends there");
        done += (size_t)n;
    }
    return 0;
}

static int write_at(const struct place *p, uint64_t at, const uint8_t *buf, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(p->fd, buf + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return tool_error(p->path, "writing at %" PRIu64 ": %s", at + done, strerror(n ? errno : ENOSPC));
        done += (size_t)n;
    }
    return 0;
}

// Machines look for a place by the type that the partition has in the disk's table. An image file has none, and what the system
// does not know as a partition may still be one where it will be used.
static int check_type(const struct place *p)
{
    struct stat st;
    static struct install_table table; // 25 KiB
    struct install_dev dev;
    unsigned number, i = 0;
    char *disk, guid[GPT_GUID_TEXT];
    gpt_guid_format((const uint8_t *)GPT_TYPE_SIGNET_IMAGE, guid);
    if (fstat(p->fd, &st) != 0 || !S_ISBLK(st.st_mode) || !install_sys_disk(st.st_rdev, &disk, &number))
        return 0;
    if (install_dev_open(&dev, disk, INSTALL_DEV_TABLE) != 0)
        return EXIT_FAIL;
    int err = install_table_read(&dev, &table) != 0 ? EXIT_FAIL : 0;
    install_dev_close(&dev);
    while (!err && i < table.count && table.items[i].number != number)
        i++;
    if (!err && i < table.count && !partition_is_image(&table.items[i]))
        err = table.kind == INSTALL_TABLE_MBR
                  ? tool_error(p->path, "has the type %02x, and machines look for copies in the type da alone. Give it that type first: "
                                        "sfdisk --part-type %s %u da", table.items[i].type[0], disk, number)
                  : tool_error(p->path, "has another type than the one that machines look for. Give it that type, which marks it by "
                                        "itself: sgdisk --typecode=%u:%s %s", number, guid, disk);
    free(disk);
    return err;
}

// Whether it is Signet's already, by both marks. 0 with *ret, or an exit status.
static int is_marked(const struct place *p, uint64_t second, bool *ret)
{
    uint8_t front[FRONT];
    struct imgslot slots[IMGSLOT_COUNT];
    int err = read_at(p, second, front, sizeof front);
    if (err)
        return err;
    (void)imgslot_parse(front, sizeof front, 1, &slots[1]);
    err = read_at(p, 0, front, sizeof front);
    if (err)
        return err;
    (void)imgslot_parse(front, sizeof front, 0, &slots[0]);
    *ret = slots[0].marked && slots[1].marked && imgslot_front_fits(front);
    return 0;
}

static int find_something(const struct place *p)
{
    static uint8_t buf[LOOKED_AT];
    size_t n = (size_t)MIN(p->size, (uint64_t)LOOKED_AT);
    const uint64_t looked_at[] = { 0, p->size / 2 - n / 2, p->size - n };
    for (unsigned i = 0; i < ARRAY_SIZE(looked_at); i++) {
        int err = read_at(p, looked_at[i], buf, n);
        if (err)
            return err;
        struct partition table[MBR_PARTITIONS];
        if (i == 0 && mbr_partitions(buf, n, p->size / SLOTHEAD_SIZE, table) > 0)
            return tool_error(p->path, "has a partition table: name one of its partitions");
        if (!all_zero(buf, n))
            return tool_error(p->path, "holds something (there are bytes that are not zero); --force makes it Signet's, and what is "
                                       "there is lost");
    }
    return 0;
}

static int mark(const struct place *p, uint64_t second)
{
    uint8_t front[FRONT] = { 0 };
    imgslot_build_mark(front);
    // The second one first: a place counts from the first one on.
    int err = write_at(p, second, front, sizeof front);
    if (!err && fsync(p->fd) != 0)
        err = tool_errno(p->path, errno);
    if (!err)
        err = write_at(p, 0, front, sizeof front);
    if (!err && fsync(p->fd) != 0)
        err = tool_errno(p->path, errno);
    return err;
}

int keep_main(int argc, char **argv)
{
    bool force = false, marked;
    const struct opt table[] = { OPTION_FLAG(0, "force", &force, "also a partition that holds something, which is lost") };
    struct opt_list operands = { 0 };
    int r = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (r >= 0)
        return r;
    if (operands.count != 1)
        return tool_usage(NULL, "name one partition");
    struct place p;
    r = place_open(&p, operands.items[0]);
    if (r)
        return r;
    r = check_type(&p);
    if (r)
        return r;
    uint64_t second = imgslot_sectors(p.size / SLOTHEAD_SIZE, SLOTHEAD_SIZE) * SLOTHEAD_SIZE;
    if (second < FRONT)
        return tool_error(p.path, "is too small: it needs room for two images");
    r = is_marked(&p, second, &marked);
    if (r)
        return r;
    if (marked) {
        printf("%s: is a place for local copies already\n", p.path);
        return tool_flush();
    }
    r = force ? 0 : find_something(&p);
    if (!r)
        r = mark(&p, second);
    if (r)
        return r;
    printf("%s: is a place for local copies now, two of %" PRIu64 " MiB at most\n", p.path, (second - IMGSLOT_IMAGE) / MIB);
    return tool_flush();
}
