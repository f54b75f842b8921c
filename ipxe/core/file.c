// SPDX-License-Identifier: MPL-2.0
// The transport file: a signed image or a script in a file system of a disk, the one that was booted from first. URIs:
// file:[//DISK]/PATH, doc/scripts.md.
#include "core/file.h"

#include "core/disks.h"
#include "core/sink.h"

struct search {
    struct core_file *file;
    bool folder; // wanted in place of a file
};

// Looks for the file in a partition. ERR_DISK_PARTITION: no file system that can be read is there.
static int look(void *ctx, const struct block_device *dev, const struct partition *p)
{
    struct search *s = ctx;
    struct core_file *f = s->file;
    int err = fs_probe(&f->fs, dev);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DISK_PARTITION : err;
    err = f->fs.type->open(&f->fs, f->path, &f->node);
    return !err && f->node.folder != s->folder ? ERR_NOT_FOUND : err;
}

// A stick may be one file system from its first sector on.
static int look_on_disk(void *ctx, const struct block_device *disk)
{
    int err = core_partitions(((struct search *)ctx)->file->core, disk, look, ctx);
    return err == ERR_DISK_PARTITION ? look(ctx, disk, NULL) : err;
}

int core_file_find(struct core *core, const struct uri *uri, bool folder, struct core_file **ret)
{
    const struct platform *p = core->platform;
    struct core_file *f = p->alloc(p->ctx, sizeof *f);
    if (!f)
        return ERR_NO_MEMORY;
    struct search search = { f, folder };
    f->core = core;
    size_t prefix = uri->path[0] == '/' ? 0 : sizeof CORE_FILE_FOLDER - 1;
    memcpy(f->path, CORE_FILE_FOLDER, prefix);
    int err = uri_path_name(uri, f->path + prefix, sizeof f->path - prefix);
    if (err >= 0)
        err = core_disks(core, uri->host, look_on_disk, &search);
    if (err)
        p->free(p->ctx, f);
    else
        *ret = f;
    return err;
}

int core_file_find_text(struct core *core, const char *uri_text, bool folder, struct core_file **ret)
{
    static struct uri uri; // 8 KiB
    int err = uri_parse(uri_text, &uri);
    if (!err && uri.scheme[0] && strcmp(uri.scheme, "file") != 0)
        err = ERR_URI_SCHEME;
    return err ? err : core_file_find(core, &uri, folder, ret);
}

int core_file_read(struct core_file *f, core_file_bytes *bytes, void *ctx)
{
    uint64_t turned = core_now(f->core);
    uint32_t n;
    for (;;) {
        int err = f->fs.type->read(&f->fs, &f->node, f->buffer, sizeof f->buffer, &n);
        if (err || n == 0)
            return err;
        err = bytes(ctx, f->buffer, n);
        if (!err)
            err = core_disk_turn(f->core, &turned);
        if (err)
            return err;
    }
}

struct reading {
    struct core_sink *sink;
    uint64_t at;
};

static int sink_bytes(void *ctx, const uint8_t *data, size_t len)
{
    struct reading *r = ctx;
    r->at += len;
    return core_sink_bytes(r->sink, r->at - len, data, len);
}

int core_file_fetch(struct core *core, const struct uri *uri)
{
    const struct platform *p = core->platform;
    struct core_file *f = NULL;
    struct core_sink *sink;
    int err = core_file_find(core, uri, false, &f);
    if (!err)
        err = core_sink_open(&sink, core, uri);
    if (err) {
        if (!core_sink_no_seal(core, uri, err))
            console_error("file", err, "cannot read %s", uri->path);
        p->free(p->ctx, f);
        return err;
    }
    console_say("file", "reading /%s of %s, %u KiB", f->path, f->fs.dev.name, (unsigned)((f->node.size + KIB - 1) / KIB));
    err = core_file_read(f, sink_bytes, &(struct reading){ .sink = sink });
    p->free(p->ctx, f); // before a script runs, which may want the memory
    return core_sink_close(sink, err);
}

bool core_file_is_there(struct core *core, const char *uri_text)
{
    struct core_file *f;
    if (core_file_find_text(core, uri_text, false, &f) != 0)
        return false;
    core->platform->free(core->platform->ctx, f);
    return true;
}
