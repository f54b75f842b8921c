// SPDX-License-Identifier: MPL-2.0
// See disks.h.
#include "core/disks.h"

#include "base/fmt.h"
#include "block/partitions.h"

#define TURN_INTERVAL_US 500000 // reads are what takes the time here

int core_disk_turn(struct core *core, uint64_t *turned)
{
    if (core_now(core) - *turned < TURN_INTERVAL_US)
        return 0;
    int err = core_turn(core, 0);
    *turned = core_now(core);
    return err;
}

// What was found and refused tells more than a place where there is nothing.
static int more_telling(int before, int now, int nothing)
{
    return before == nothing || now != ERR_DISK_PARTITION ? now : before;
}

int core_disks(struct core *core, const char *host, core_disk_visit *visit, void *ctx)
{
    const struct platform *p = core->platform;
    uint64_t wanted = UINT64_MAX;
    bool boot_only = strcmp(host, "boot") == 0;
    if (host[0] && !boot_only && !fmt_parse_u64(host, strlen(host), 10, &wanted))
        return ERR_URI_MALFORMED;
    int result = ERR_DISK_NONE;
    for (unsigned i = 0; p->storage && i < p->storage->count(p->ctx); i++) {
        struct block_device disk;
        if (p->storage->device(p->ctx, i, &disk) != 0 || (wanted != UINT64_MAX && wanted != i) || (boot_only && !disk.boot))
            continue;
        int err = visit(ctx, &disk);
        if (!err || err == ERR_CANCELLED)
            return err;
        result = more_telling(result, err, ERR_DISK_NONE);
    }
    return result;
}

static int walk(struct partitions *t, core_partition_visit *visit, void *ctx)
{
    struct block_device dev;
    struct partition p;
    int r, result = ERR_DISK_PARTITION;
    while (result && result != ERR_CANCELLED && (r = partitions_next(t, &p, &dev)) != 0)
        result = more_telling(result, r < 0 ? r : visit(ctx, &dev, &p), ERR_DISK_PARTITION);
    return result;
}

int core_partitions(struct core *core, const struct block_device *disk, core_partition_visit *visit, void *ctx)
{
    const struct platform *p = core->platform;
    struct partitions *t = p->alloc(p->ctx, sizeof *t);
    if (!t)
        return ERR_NO_MEMORY;
    int err = partitions_open(t, disk);
    if (t->copied)
        console_say("disk", "the first partition table of %s is damaged, trying the copy at its end", disk->name);
    if (!err)
        err = walk(t, visit, ctx);
    p->free(p->ctx, t);
    return err;
}
