// SPDX-License-Identifier: MPL-2.0
// lookimage: the files that a detached seal covers.
#include "base/bytes.h"
#include "file.h"
#include "lookimage.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATE_MAX 160

struct check {
    const struct seal *seal;
    const uint8_t *list;
    uint8_t *buf;  // a chunk
    uint32_t part;
    int fd;
    uint64_t size; // of the file
    char *path;
    char state[STATE_MAX];
};

static int say(struct check *c, int err, const char *format, ...) PRINTF_LIKE(3, 4);
static int say(struct check *c, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->state, sizeof c->state, format, args);
    va_end(args);
    return err;
}

// The name is the seal's: no step of it leads anywhere.
static char *path_of(const struct lookimage *look, const struct seal_part *part)
{
    const char *slash = strrchr(look->path, '/'), *last = strrchr(part->name, '/'), *name = last ? last + 1 : part->name;
    if (look->files)
        return tool_format("%s/%s", look->files, name);
    return tool_format("%.*s%s", slash ? (int)(slash - look->path) + 1 : 0, look->path, name);
}

static int open_part(struct check *c)
{
    struct stat st;
    c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c->fd < 0)
        return errno == ENOENT ? say(c, ERR_NOT_FOUND, "missing") : say(c, ERR_IO, "cannot be read: %s", strerror(errno));
    if (fstat(c->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say(c, ERR_IO, "cannot be read: is not a regular file");
    c->size = (uint64_t)st.st_size;
    posix_fadvise(c->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

// The chunk's bytes: what stands in front of the file, the file, zeros. 0 or -1 after a message.
static int fill(const struct check *c, uint64_t from, size_t len)
{
    const struct seal_part *part = &c->seal->parts[c->part];
    size_t front = from < part->front_len ? (size_t)MIN((uint64_t)len, part->front_len - from) : 0;
    uint64_t at = from + front - part->front_len, end = seal_file_size(part);
    size_t n = (size_t)MIN((uint64_t)(len - front), end - MIN(at, end));
    memset(c->buf, 0, len);
    if (front)
        memcpy(c->buf, c->seal->bytes + part->front_at + from, front);
    return file_read_at(c->fd, c->path, at, c->buf + front, n);
}

static int check_bytes(struct check *c)
{
    const struct seal *seal = c->seal;
    const struct seal_part *part = &seal->parts[c->part];
    uint64_t first_bad = 0;
    uint32_t first = (uint32_t)(part->offset / seal->chunk_size), chunk = first, bad = 0;
    struct sha256 file;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&file);
    for (uint64_t from = 0; from < part->size; from += seal->chunk_size, chunk++) {
        size_t len = seal_chunk_length(seal, chunk), front = from < part->front_len ? part->front_len - (size_t)from : 0;
        if (fill(c, from, len) != 0)
            return say(c, ERR_IO, "cannot be read");
        sha256(c->buf, len, digest);
        if (memcmp(digest, c->list + (size_t)chunk * SHA256_SIZE, SHA256_SIZE) != 0 && bad++ == 0)
            first_bad = from > part->front_len ? from - part->front_len : 0;
        if (front < len)
            sha256_update(&file, c->buf + front, (size_t)MIN((uint64_t)(len - front), part->size - from - front));
    }
    sha256_final(&file, digest);
    if (bad)
        return say(c, ERR_SEAL_CHUNK, "%u of %u chunks do not match their digests, the first one at byte %" PRIu64, bad, chunk - first, first_bad);
    if (memcmp(digest, seal->files[c->part], SHA256_SIZE) != 0)
        return say(c, ERR_SEAL_CHUNK, "matches the list, but is not the file whose SHA-256 the seal names");
    return 0;
}

// 0 or the error with c->state.
static int check_file(struct check *c)
{
    uint64_t sealed = seal_file_size(&c->seal->parts[c->part]);
    int r = open_part(c);
    if (r == 0 && c->size < sealed)
        r = say(c, ERR_TRUNCATED, "ends %" PRIu64 " bytes too early", sealed - c->size);
    if (r == 0)
        r = check_bytes(c);
    if (r == 0 && c->size > sealed)
        r = say(c, ERR_SEAL_TRAILING, "goes on for %" PRIu64 " bytes behind what is sealed", c->size - sealed);
    if (c->fd >= 0)
        close(c->fd);
    return r;
}

void look_files(const struct lookimage *look, struct report *report, const struct seal *seal, const uint8_t *list, struct look_result *ret)
{
    struct check c = { .seal = seal, .list = list, .buf = tool_alloc(seal->chunk_size) };
    uint32_t bad = 0;
    int first = 0;
    report_list(report, "files");
    for (c.part = 0; c.part < seal->part_count; c.part++) {
        c.path = path_of(look, &seal->parts[c.part]);
        int r = check_file(&c);
        report_item(report, "file", c.part);
        report_text(report, "path", "%s", c.path);
        report_number(report, "size", seal_file_size(&seal->parts[c.part]));
        if (r)
            report_text(report, "state", "%s (%s)", c.state, err_code(r));
        else
            report_text(report, "state", "ok");
        bad += r != 0;
        first = first ? first : r;
        free(c.path);
    }
    report_list_end(report);
    free(c.buf);
    if (!bad) {
        report_text(report, "check files", "ok");
        return;
    }
    report_text(report, "check files", "%u of %u are not as they were sealed (%s)", bad, seal->part_count, err_code(first));
    ret->damaged = true;
    if (ret->err)
        return;
    ret->err = first;
    ret->why = "files are not as they were sealed";
}
