// SPDX-License-Identifier: MPL-2.0
// The transport disk: a signed image in a partition or in a raw range of a disk, read from front to back into the same
// verifier as HTTP and TFTP. URIs: disk://[DISK]/[SELECTOR], doc/scripts.md.
#include "core/disks.h"

#include "base/fmt.h"
#include "base/range.h"
#include "core/sink.h"

#define READ_SIZE (64 * 1024) // bytes a read of payload; a multiple of every sector size
#define STEP_SIZE PAYLOAD_ALIGN // before the payload: its start is a multiple of this in the file
#define MBR_TYPE_IMAGE 0xda   // "no file system"
#define SELECTOR_MAX 128
#define TURN_INTERVAL_US 500000 // a turn may idle until the next interrupt; reads are what takes the time here

enum select_by { BY_DEFAULT, BY_NUMBER, BY_LABEL, BY_UUID, BY_TYPE, BY_RANGE };
struct selector {
    enum select_by by;
    uint64_t number, first, sectors;
    uint8_t guid[GPT_GUID_SIZE];
    char label[GPT_LABEL_MAX];
};

struct disk_fetch {
    struct core *core;
    const struct uri *uri;
    struct selector selector;
    unsigned found; // places that the selector chose, on all disks
    uint8_t buffer[READ_SIZE];
};

// --- choosing ---

static bool split_value(const char *text, const char *name, const char **ret_value)
{
    size_t len = strlen(name);
    if (strncmp(text, name, len) != 0 || text[len] != '=')
        return false;
    *ret_value = text + len + 1;
    return true;
}

// "FIRST+COUNT", in sectors.
static bool parse_range(const char *value, struct selector *s)
{
    const char *plus = strchr(value, '+');
    return plus && fmt_parse_u64(value, (size_t)(plus - value), 0, &s->first) &&
           fmt_parse_u64(plus + 1, strlen(plus + 1), 0, &s->sectors) && s->sectors > 0;
}

static bool parse_type(const char *value, struct selector *s)
{
    uint64_t type;
    if (strlen(value) != 2)
        return gpt_guid_parse(value, strlen(value), s->guid);
    if (!fmt_parse_u64(value, 2, 16, &type))
        return false;
    memset(s->guid, 0, sizeof s->guid);
    s->guid[0] = (uint8_t)type;
    return true;
}

static int parse_selector(const struct uri *uri, struct selector *s)
{
    char text[SELECTOR_MAX];
    const char *value;
    int err = uri_path_name(uri, text, sizeof text);
    if (err < 0)
        return err;
    memset(s, 0, sizeof *s);
    bool ok;
    if (text[0] == 0) {
        s->by = BY_DEFAULT;
        ok = true;
    } else if (split_value(text, "part", &value)) {
        s->by = BY_NUMBER;
        ok = fmt_parse_u64(value, strlen(value), 10, &s->number);
    } else if (split_value(text, "label", &value)) {
        s->by = BY_LABEL;
        ok = value[0] && strlen(value) < sizeof s->label;
        if (ok)
            memcpy(s->label, value, strlen(value) + 1);
    } else if (split_value(text, "partuuid", &value)) {
        s->by = BY_UUID;
        ok = gpt_guid_parse(value, strlen(value), s->guid);
    } else if (split_value(text, "type", &value)) {
        s->by = BY_TYPE;
        ok = parse_type(value, s);
    } else {
        s->by = BY_RANGE;
        ok = split_value(text, "range", &value) && parse_range(value, s);
    }
    return ok ? 0 : ERR_URI_MALFORMED;
}

static bool chosen(const struct selector *s, const struct partition *p)
{
    static const uint8_t mbr_type[GPT_GUID_SIZE] = { MBR_TYPE_IMAGE };
    switch (s->by) {
    case BY_DEFAULT:
        return memcmp(p->type, GPT_TYPE_SIGNET_IMAGE, GPT_GUID_SIZE) == 0 || memcmp(p->type, mbr_type, GPT_GUID_SIZE) == 0;
    case BY_NUMBER:
        return p->number == s->number;
    case BY_LABEL:
        return strcmp(p->label, s->label) == 0;
    case BY_UUID:
        return memcmp(p->uuid, s->guid, GPT_GUID_SIZE) == 0;
    case BY_TYPE:
        return memcmp(p->type, s->guid, GPT_GUID_SIZE) == 0;
    default:
        return false;
    }
}

// --- reading an image ---

// Bytes of the next read: none when the image is whole, never beyond its end.
static size_t next_step(const struct core_sink *sink)
{
    const struct stream *s = &sink->stream;
    if (sink->kind == SINK_IMAGE && s->state == STREAM_VERIFIED)
        return 0;
    if (sink->kind == SINK_IMAGE && s->state == STREAM_PAYLOAD)
        return (size_t)MIN((uint64_t)READ_SIZE, s->seal.payload_size - s->position);
    return STEP_SIZE;
}

static int read_image(struct disk_fetch *f, const struct core_disk *disk, struct core_sink *sink, uint64_t lba, uint64_t sectors)
{
    uint64_t end = lba + sectors, turned = core_now(f->core);
    size_t step;
    int err = 0;
    while (!err && (step = next_step(sink)) > 0) {
        uint32_t count = (uint32_t)step / disk->info.sector_size;
        if (count > end - lba)
            return ERR_TRUNCATED;
        err = core_disk_read(disk, lba, count, f->buffer);
        lba += count;
        if (!err)
            err = core_sink_data(sink, f->buffer, step);
        if (!err && sink->kind != SINK_IMAGE)
            err = ERR_SEAL_MAGIC; // a script has no end on a disk
        if (!err && core_now(f->core) - turned >= TURN_INTERVAL_US) {
            err = core_turn(f->core);
            turned = core_now(f->core);
        }
    }
    return err;
}

static int fetch_range(struct disk_fetch *f, const struct core_disk *disk, uint64_t lba, uint64_t sectors)
{
    struct core_sink *sink;
    f->found++;
    int err = core_sink_open(&sink, f->core, f->uri);
    if (err) {
        console_error("disk", err, "cannot read an image");
        return err;
    }
    return core_sink_close(sink, read_image(f, disk, sink, lba, sectors));
}

// Whether the selector means this partition; if so, its image.
static int visit_partition(void *ctx, const struct core_disk *disk, const struct partition *p)
{
    struct disk_fetch *f = ctx;
    if (!chosen(&f->selector, p))
        return ERR_DISK_PARTITION;
    console_say("disk", "reading partition %u%s%s of %s, %u MiB", p->number, p->label[0] ? " " : "", p->label, disk->info.name,
                (unsigned)((p->sectors * disk->info.sector_size) >> 20));
    return fetch_range(f, disk, p->first, p->sectors);
}

static int visit_disk(void *ctx, const struct core_disk *disk)
{
    struct disk_fetch *f = ctx;
    const struct selector *s = &f->selector;
    if (s->by != BY_RANGE)
        return core_partitions(disk, visit_partition, f);
    if (!range_fits(s->first, s->sectors, disk->info.sectors))
        return ERR_DISK_PARTITION;
    console_say("disk", "reading from sector %llu of %s", (unsigned long long)s->first, disk->info.name);
    return fetch_range(f, disk, s->first, s->sectors);
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
        err = parse_selector(uri, &f->selector);
        if (!err)
            err = core_disks(core, uri->host, visit_disk, f);
    }
    if (err && (!f || f->found == 0))
        console_error("disk", err, "no image for disk:%s", uri->path);
    p->free(p->ctx, f);
    return err;
}
