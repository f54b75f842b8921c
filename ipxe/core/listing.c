// SPDX-License-Identifier: MPL-2.0
// The commands ls and cat: what lies on the machine's disks, for a person at the console.
#include "core/commands.h"
#include "core/disks.h"
#include "core/file.h"
#include "options.h"

// --- disks ---

static unsigned mib(const struct block_device *dev)
{
    return (unsigned)(dev->sectors * dev->sector_size / MIB);
}

struct disk_list {
    struct core *core;
    struct fs fs; // of the partition that is looked at
};

static void print_device(struct disk_list *l, const struct block_device *dev)
{
    int err = fs_probe(&l->fs, dev);
    console_print(" %u MiB", mib(dev));
    if (!err)
        console_print(" %s", l->fs.type->name);
    else if (err != ERR_NOT_FOUND)
        console_print(" %s [%s]", err_text(err), err_code(err));
}

static int print_partition(void *ctx, const struct block_device *dev, const struct partition *p)
{
    console_print("  %u:", p->number);
    print_device(ctx, dev);
    console_print("%s%s%s\n", partition_is_image(p) ? " signet" : "", p->label[0] ? " " : "", p->label);
    return ERR_DISK_PARTITION; // on to the next one
}

static int print_disk(void *ctx, const struct block_device *disk)
{
    struct disk_list *l = ctx;
    console_print("%s:", disk->name);
    print_device(l, disk);
    console_print("%s\n", disk->boot ? " (booted from)" : "");
    int err = core_partitions(l->core, disk, print_partition, l);
    if (err != ERR_DISK_PARTITION && err != ERR_NOT_FOUND && err != ERR_CANCELLED)
        console_error("ls", err, "%s", disk->name);
    return err == ERR_CANCELLED ? err : ERR_DISK_PARTITION;
}

static int list_disks(struct core *core)
{
    const struct platform *p = core->platform;
    struct disk_list *l = p->alloc(p->ctx, sizeof *l);
    if (!l)
        return ERR_NO_MEMORY;
    l->core = core;
    int err = core_disks(core, "", print_disk, l);
    p->free(p->ctx, l);
    return err == ERR_DISK_PARTITION ? 0 : err;
}

// --- files ---

static int list_folder(struct core_file *f)
{
    static struct fs_entry entry;
    uint64_t turned = core_now(f->core);
    int more;
    console_print("/%s of %s:\n", f->path, f->fs.dev.name);
    while ((more = f->fs.type->list(&f->fs, &f->node, &entry)) > 0) {
        if (entry.folder)
            console_print("%12s %s/\n", "", entry.name);
        else
            console_print("%12llu %s\n", (unsigned long long)entry.size, entry.name);
        int err = core_disk_turn(f->core, &turned);
        if (err)
            return err;
    }
    return more;
}

// What a terminal would take for a command is none.
static int print_bytes(void *ctx, const uint8_t *data, size_t len)
{
    char text[256];
    for (size_t at = 0, n; at < len; at += n) {
        n = MIN(len - at, sizeof text);
        for (size_t i = 0; i < n; i++) {
            uint8_t c = data[at + i];
            text[i] = (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t' ? (char)c : c == '\r' ? ' ' : '?';
        }
        console_write(text, n);
    }
    return 0;
}

static int show(struct core *core, const char *text, bool folder)
{
    struct core_file *f;
    int err = core_file_find_text(core, text, folder, &f);
    if (!err) {
        err = folder ? list_folder(f) : core_file_read(f, print_bytes, NULL);
        core->platform->free(core->platform->ctx, f);
    }
    return err;
}

static int said(const char *command, const char *what, int err)
{
    if (err)
        console_error(command, err, "cannot read %s", what);
    return err;
}

CORE_COMMAND(ls)
{
    const char *what = argc > 1 ? argv[1] : "disks";
    if (!LISTING_AT_SHELL)
        return said(argv[0], what, ERR_UNSUPPORTED);
    return said(argv[0], what, argc > 1 ? show(s->ctx, what, true) : list_disks(s->ctx));
}

CORE_COMMAND(cat)
{
    return said(argv[0], argv[1], LISTING_AT_SHELL ? show(s->ctx, argv[1], false) : ERR_UNSUPPORTED);
}
