// SPDX-License-Identifier: MPL-2.0
// The transport file: a signed image or a script in a file system of a disk, the one that was booted from first. URIs:
// file:[//DISK]/PATH, doc/scripts.md.
#include "core/disks.h"

#include "block/fs.h"
#include "core/sink.h"

#define READ_SIZE (64 * 1024) // bytes a read; a multiple of every sector size
#define FOLDER "signet/"      // where paths that do not begin with '/' are

struct file_fetch {
    struct core *core;
    char path[sizeof FOLDER + URI_PATH_MAX];
    // Where the file was found.
    struct fs fs;
    struct fs_node node;
    uint8_t buffer[READ_SIZE];
};

// Looks for the file in a partition. ERR_DISK_PARTITION: no file system that can be read is there.
static int look(void *ctx, const struct block_device *dev, const struct partition *p)
{
    struct file_fetch *f = ctx;
    int err = fs_probe(&f->fs, dev);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DISK_PARTITION : err;
    err = f->fs.type->open(&f->fs, f->path, &f->node);
    return !err && f->node.folder ? ERR_NOT_FOUND : err;
}

// A stick may be one file system from its first sector on.
static int look_on_disk(void *ctx, const struct block_device *disk)
{
    int err = core_partitions(((struct file_fetch *)ctx)->core, disk, look, ctx);
    return err == ERR_DISK_PARTITION ? look(ctx, disk, NULL) : err;
}

// Finds the file. On success *ret is on the platform's heap.
static int find(struct core *core, const struct uri *uri, struct file_fetch **ret)
{
    const struct platform *p = core->platform;
    struct file_fetch *f = p->alloc(p->ctx, sizeof *f);
    if (!f)
        return ERR_NO_MEMORY;
    f->core = core;
    size_t folder = uri->path[0] == '/' ? 0 : sizeof FOLDER - 1;
    memcpy(f->path, FOLDER, folder);
    int err = uri_path_name(uri, f->path + folder, sizeof f->path - folder);
    if (err >= 0)
        err = core_disks(core, uri->host, look_on_disk, f);
    if (err)
        p->free(p->ctx, f);
    else
        *ret = f;
    return err;
}

static int read_file(struct file_fetch *f, struct core_sink *sink)
{
    uint64_t turned = core_now(f->core);
    uint32_t n;
    for (;;) {
        int err = f->fs.type->read(&f->fs, &f->node, f->buffer, READ_SIZE, &n);
        if (err || n == 0)
            return err;
        err = core_sink_data(sink, f->buffer, n);
        if (!err)
            err = core_disk_turn(f->core, &turned);
        if (err)
            return err;
    }
}

int core_file_fetch(struct core *core, const struct uri *uri)
{
    const struct platform *p = core->platform;
    struct file_fetch *f = NULL;
    struct core_sink *sink;
    int err = find(core, uri, &f);
    if (!err)
        err = core_sink_open(&sink, core, uri);
    if (err) {
        console_error("file", err, "cannot read %s", uri->path);
        p->free(p->ctx, f);
        return err;
    }
    console_say("file", "reading /%s of %s, %u KiB", f->path, f->fs.dev.name, (unsigned)((f->node.size + KIB - 1) / KIB));
    err = read_file(f, sink);
    p->free(p->ctx, f); // before a script runs, which may want the memory
    return core_sink_close(sink, err);
}

bool core_file_is_there(struct core *core, const char *uri_text)
{
    static struct uri uri; // 8 KiB
    struct file_fetch *f;
    if (uri_parse(uri_text, &uri) != 0 || find(core, &uri, &f) != 0)
        return false;
    core->platform->free(core->platform->ctx, f);
    return true;
}
