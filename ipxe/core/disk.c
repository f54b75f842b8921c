// SPDX-License-Identifier: MPL-2.0
// The transport disk: a signed image in a partition or in a raw range of a disk, read from front to back into the same
// verifier as HTTP and TFTP. URIs: disk://[DISK]/[SELECTOR], doc/scripts.md.
#include "core/disk_select.h"

#include "block/imgdisk.h"
#include "core/disks.h"
#include "core/sink.h"

#define READ_SIZE (64 * 1024) // bytes a read of payload; a multiple of every sector size
#define STEP_SIZE PAYLOAD_ALIGN // before the payload: its start is a multiple of this in the file

struct disk_fetch {
    struct core *core;
    const struct uri *uri;
    struct disk_select selector;
    unsigned found; // places that the selector chose, on all disks
    uint8_t buffer[READ_SIZE];
};

// --- reading an image ---

// Bytes of the next read: none when the image is whole, never beyond its end.
static size_t next_step(const struct core_sink *sink)
{
    const struct stream *s = &sink->stream;
    if (sink->kind == SINK_IMAGE && (s->state == STREAM_DIGESTS || s->state == STREAM_VERIFIED))
        return 0;
    if (sink->kind == SINK_IMAGE && s->state == STREAM_PAYLOAD)
        return (size_t)MIN((uint64_t)READ_SIZE, s->intake.size - s->position);
    return STEP_SIZE;
}

static int read_image(struct disk_fetch *f, const struct block_device *dev, struct core_sink *sink)
{
    uint64_t lba = 0, turned = core_now(f->core);
    size_t step;
    int err = 0;
    while (!err && (step = next_step(sink)) > 0) {
        uint32_t count = (uint32_t)step / dev->sector_size;
        if (count > dev->sectors - lba)
            return ERR_TRUNCATED;
        err = block_read(dev, lba, count, f->buffer);
        lba += count;
        if (!err)
            err = core_sink_data(sink, f->buffer, step);
        if (!err && sink->kind != SINK_IMAGE)
            err = ERR_SEAL_MAGIC; // a script has no end on a disk
        if (!err)
            err = core_disk_turn(f->core, &turned);
    }
    return err;
}

static int fetch_image(struct disk_fetch *f, const struct block_device *dev)
{
    struct core_sink *sink;
    f->found++;
    int err = core_sink_open(&sink, f->core, f->uri);
    if (err) {
        console_error("disk", err, "cannot read an image");
        return err;
    }
    return core_sink_close(sink, read_image(f, dev, sink));
}

// The newer image, or else the other one. Without any header or image the reader says what is there instead.
static int fetch_images(struct disk_fetch *f, const struct block_device *dev)
{
    struct imgdisk d;
    struct block_device image;
    unsigned order[IMGSLOT_COUNT];
    imgdisk_open(&d, dev, f->buffer);
    unsigned count = imgslot_order(d.slots, order);
    if (count == 0)
        return fetch_image(f, dev);
    int err = ERR_NOT_FOUND;
    for (unsigned i = 0; i < count && err && err != ERR_CANCELLED; i++) {
        const struct imgslot *slot = &d.slots[order[i]];
        if (i || slot->sequence)
            console_say("disk", "%s%s, sequence %llu", i ? "next: " : "", imgdisk_slot_name(&d, order[i]),
                        (unsigned long long)slot->sequence);
        imgdisk_image(&d, order[i], &image);
        err = fetch_image(f, &image);
    }
    return err;
}

// Whether the selector means this partition; if so, its image.
static int visit_partition(void *ctx, const struct block_device *dev, const struct partition *p)
{
    struct disk_fetch *f = ctx;
    if (!disk_select_matches(&f->selector, p))
        return ERR_DISK_PARTITION;
    console_say("disk", "reading partition %u%s%s of %s, %u MiB", p->number, p->label[0] ? " " : "", p->label, dev->name,
                (unsigned)((dev->sectors * dev->sector_size) >> 20));
    return fetch_images(f, dev);
}

static int visit_disk(void *ctx, const struct block_device *disk)
{
    struct disk_fetch *f = ctx;
    const struct disk_select *s = &f->selector;
    struct block_device range;
    if (s->by != DISK_BY_RANGE)
        return core_partitions(f->core, disk, visit_partition, f);
    if (!block_part(disk, s->first, s->sectors, &range))
        return ERR_DISK_PARTITION;
    console_say("disk", "reading from sector %llu of %s", (unsigned long long)s->first, disk->name);
    return fetch_images(f, &range);
}

int core_disk_fetch(struct core *core, const struct uri *uri)
{
    const struct platform *p = core->platform;
    struct disk_fetch *f = p->storage ? p->alloc(p->ctx, sizeof *f) : NULL;
    int err = p->storage ? ERR_NO_MEMORY : ERR_DISK_NONE;
    if (f) {
        f->core = core;
        f->uri = uri;
        f->found = 0;
        err = disk_select_parse(uri, &f->selector);
        if (!err)
            err = core_disks(core, uri->host, visit_disk, f);
    }
    if (err && (!f || f->found == 0))
        console_error("disk", err, "no image for disk:%s", uri->path);
    p->free(p->ctx, f);
    return err;
}
