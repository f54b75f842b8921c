// SPDX-License-Identifier: MPL-2.0
// See storage.h.
#include "base/fmt.h"
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_LEN 4096

static unsigned disk_count(void *ctx)
{
    return ((struct host_machine *)ctx)->storage.count;
}

static int disk_device(void *ctx, unsigned disk, struct block_device *ret)
{
    struct host_storage *s = &((struct host_machine *)ctx)->storage;
    if (disk >= s->count)
        return ERR_INVALID;
    *ret = s->disks[disk].dev;
    return 0;
}

static int disk_read(void *ctx, uint64_t lba, uint32_t count, void *to)
{
    struct host_disk *d = ctx;
    struct host_storage *s = &d->machine->storage;
    if (++s->reads == s->fail_read || (s->rotten && s->rotten - lba < count))
        return ERR_DISK_READ;
    memcpy(to, d->data + lba * d->dev.sector_size, (size_t)count * d->dev.sector_size);
    return 0;
}

static int disk_write(void *ctx, uint64_t lba, uint32_t count, const void *buf)
{
    struct host_disk *d = ctx;
    struct host_storage *s = &d->machine->storage;
    uint32_t size = d->dev.sector_size;
    uint8_t *to = d->data + lba * size;
    const uint8_t *from = buf;
    if (++s->writes == s->fail_write)
        return ERR_DISK_WRITE;
    for (uint32_t i = 0; i < count; i++, to += size, from += size) {
        unsigned long number = ++s->sectors_written;
        s->rotten = s->rotten == lba + i ? 0 : s->rotten;
        s->cut = number == s->cut_at;
        if (s->journal && number <= HOST_JOURNAL_MAX) {
            s->journal[number - 1].lba = lba + i;
            memcpy(s->journal[number - 1].bytes, from, size);
        }
        if (number != s->lose)
            memcpy(to, from, s->cut ? s->torn ? size / 2 : 0 : size);
        if (s->cut)
            host_power_off(d->machine);
    }
    return 0;
}

static int disk_flush(void *ctx)
{
    struct host_storage *s = &((struct host_disk *)ctx)->machine->storage;
    if (s->flushes < HOST_FLUSHES_MAX)
        s->flushed_at[s->flushes] = s->sectors_written;
    return ++s->flushes == s->fail_flush ? ERR_DISK_WRITE : 0;
}

static const struct block_ops disk_ops = { .read = disk_read, .write = disk_write, .flush = disk_flush };
static const struct platform_storage host_storage = { .count = disk_count, .device = disk_device };

void host_disk_add(struct host_machine *m, void *data, uint64_t bytes, uint32_t sector_size)
{
    struct host_storage *s = &m->storage;
    struct host_disk *d = &s->disks[s->count];
    *d = (struct host_disk){ .data = data, .machine = m };
    d->dev = (struct block_device){ .ops = &disk_ops, .ctx = d, .sectors = bytes / sector_size, .sector_size = sector_size,
                                    .boot = s->count == 0 };
    fmt_snprintf(d->dev.name, sizeof d->dev.name, "host disk %u", s->count++);
    m->platform.storage = &host_storage;
}

bool host_disk_open(struct host_machine *m, const char *spec)
{
    char path[PATH_MAX_LEN];
    const char *comma = strchr(spec, ',');
    size_t len = comma ? (size_t)(comma - spec) : strlen(spec);
    bool big = comma && strcmp(comma, ",sector=4096") == 0, small = comma && strcmp(comma, ",sector=512") == 0;
    struct stat st;
    errno = EINVAL;
    if (len >= sizeof path || (comma && !big && !small) || m->storage.count == HOST_DISKS_MAX)
        return false;
    memcpy(path, spec, len);
    path[len] = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return false;
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return false;
    host_disk_add(m, data, (uint64_t)st.st_size, big ? 4096 : 512);
    m->storage.disks[m->storage.count - 1].mapped = true;
    return true;
}

void host_disks_close(struct host_machine *m)
{
    for (unsigned i = 0; i < m->storage.count; i++) {
        struct host_disk *d = &m->storage.disks[i];
        if (d->mapped)
            munmap(d->data, (size_t)(d->dev.sectors * d->dev.sector_size));
    }
    m->storage.count = 0;
}
