// SPDX-License-Identifier: MPL-2.0
// See disks.h.
#include "core/disks.h"

#include "base/fmt.h"
#include "base/range.h"

#define TURN_INTERVAL_US 500000 // a turn may idle until the next interrupt; reads are what takes the time here

struct table {
    const struct core_disk *disk;
    struct gpt gpt;
    uint8_t entries[GPT_ENTRIES_SIZE_MAX];
    uint8_t sector[DISK_SECTOR_MAX];
};

int core_disk_read(const struct core_disk *disk, uint64_t lba, uint32_t count, void *to)
{
    const struct platform *p = disk->core->platform;
    return p->storage->read(p->ctx, disk->number, lba, count, to);
}

int core_disk_turn(struct core *core, uint64_t *turned)
{
    if (core_now(core) - *turned < TURN_INTERVAL_US)
        return 0;
    int err = core_turn(core);
    *turned = core_now(core);
    return err;
}

int core_disk_write(const struct core_disk *disk, uint64_t lba, uint32_t count, const void *from)
{
    const struct platform *p = disk->core->platform;
    return p->storage->write ? p->storage->write(p->ctx, disk->number, lba, count, from) : ERR_DISK_WRITE;
}

int core_disk_flush(const struct core_disk *disk)
{
    const struct platform *p = disk->core->platform;
    return p->storage->flush ? p->storage->flush(p->ctx, disk->number) : 0;
}

// What was found and refused tells more than a place where there is nothing.
static int more_telling(int before, int now, int nothing)
{
    return before == nothing || now != ERR_DISK_PARTITION ? now : before;
}

// --- disks ---

int core_disks(struct core *core, const char *host, core_disk_visit *visit, void *ctx)
{
    const struct platform *p = core->platform;
    uint64_t wanted = UINT64_MAX;
    bool boot_only = strcmp(host, "boot") == 0;
    if (host[0] && !boot_only && !fmt_parse_u64(host, strlen(host), 10, &wanted))
        return ERR_URI_MALFORMED;
    int result = ERR_DISK_NONE;
    for (unsigned i = 0; p->storage && i < p->storage->count(p->ctx); i++) {
        struct core_disk disk = { .core = core, .number = i };
        if (p->storage->info(p->ctx, i, &disk.info) != 0 || disk.info.sector_size > DISK_SECTOR_MAX ||
            (wanted != UINT64_MAX && wanted != i) || (boot_only && !disk.info.boot))
            continue;
        int err = visit(ctx, &disk);
        if (!err || err == ERR_CANCELLED)
            return err;
        result = more_telling(result, err, ERR_DISK_NONE);
    }
    return result;
}

// --- partition tables ---

static int read_gpt_at(struct table *t, uint64_t lba)
{
    const struct platform_disk *info = &t->disk->info;
    int err = core_disk_read(t->disk, lba, 1, t->sector);
    if (!err)
        err = gpt_header(t->sector, info->sector_size, lba, info->sectors, &t->gpt);
    if (err)
        return err;
    size_t size = (gpt_entries_size(&t->gpt) + info->sector_size - 1) & ~(size_t)(info->sector_size - 1);
    uint32_t count = (uint32_t)size / info->sector_size;
    if (size > sizeof t->entries || !range_fits(t->gpt.entries, count, info->sectors))
        return ERR_INVALID;
    err = core_disk_read(t->disk, t->gpt.entries, count, t->entries);
    return err ? err : gpt_check_entries(&t->gpt, t->entries, size);
}

static int walk_gpt(struct table *t, core_partition_visit *visit, void *ctx)
{
    struct partition p;
    int result = ERR_DISK_PARTITION;
    for (unsigned i = 0; i < t->gpt.count && result && result != ERR_CANCELLED; i++)
        if (gpt_entry(&t->gpt, t->entries, i, &p))
            result = more_telling(result, visit(ctx, t->disk, &p), ERR_DISK_PARTITION);
    return result;
}

static int walk_mbr(struct table *t, core_partition_visit *visit, void *ctx)
{
    struct partition p[MBR_PARTITIONS];
    int err = core_disk_read(t->disk, 0, 1, t->sector);
    int count = err ? err : mbr_partitions(t->sector, t->disk->info.sector_size, t->disk->info.sectors, p);
    if (err)
        return err;
    int result = ERR_DISK_PARTITION;
    for (int i = 0; i < count && result && result != ERR_CANCELLED; i++)
        result = more_telling(result, visit(ctx, t->disk, &p[i]), ERR_DISK_PARTITION);
    return result;
}

int core_partitions(const struct core_disk *disk, core_partition_visit *visit, void *ctx)
{
    const struct platform *p = disk->core->platform;
    struct table *t = p->alloc(p->ctx, sizeof *t);
    if (!t)
        return ERR_NO_MEMORY;
    t->disk = disk;
    int err = read_gpt_at(t, GPT_HEADER_LBA);
    if (err == ERR_NOT_FOUND) {
        err = walk_mbr(t, visit, ctx);
    } else {
        if (err) {
            console_say("disk", "the first partition table of %s is damaged, trying the copy at its end", disk->info.name);
            err = read_gpt_at(t, disk->info.sectors - 1) ? ERR_DISK_TABLE : 0;
        }
        if (!err)
            err = walk_gpt(t, visit, ctx);
    }
    p->free(p->ctx, t);
    return err;
}
