// SPDX-License-Identifier: MPL-2.0
// Input files to chunks.
#include "payload.h"
#include "base/bytes.h"
#include "base/range.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define HOLE_GRAIN 4096 // zeros are left out in pieces of this size: a file system's block

void payload_init(struct payload *p, struct seal *seal)
{
    *p = (struct payload){ .seal = seal };
}

struct seal_part *payload_add(struct payload *p, uint32_t kind, const char *path)
{
    struct stat st;
    struct seal *seal = p->seal;
    if (seal->part_count == SEAL_PARTS_MAX) {
        tool_error(path, "is one part too many: an image holds %d", SEAL_PARTS_MAX);
        return NULL;
    }
    int fd = file_open(path, &st);
    if (fd < 0)
        return NULL;
    uint64_t end;
    if (st.st_size <= 0 || !align_up_checked(seal->payload_size + (uint64_t)st.st_size, PAYLOAD_ALIGN, &end)) {
        tool_error(path, st.st_size ? "is too large" : "is empty");
        close(fd);
        return NULL;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    struct seal_part *part = &seal->parts[seal->part_count];
    *part = (struct seal_part){ .kind = kind, .offset = seal->payload_size, .size = (uint64_t)st.st_size };
    file_seal_name(path, part->name, sizeof part->name);
    p->files[seal->part_count++] = (struct payload_file){ .path = path, .fd = fd };
    seal->payload_size = end;
    return part;
}

int payload_replace(struct payload *p, int fd, uint64_t size)
{
    uint32_t last = p->seal->part_count - 1;
    struct seal_part *part = &p->seal->parts[last];
    struct payload_file *file = &p->files[last];
    close(file->fd);
    file->fd = fd;
    part->size = size;
    if (size && align_up_checked(part->offset + size, PAYLOAD_ALIGN, &p->seal->payload_size))
        return 0;
    tool_error(file->path, size ? "is too large" : "is empty when it is unpacked");
    return -1;
}

int payload_chunks(struct payload *p, uint32_t chunk_size, const char *output)
{
    uint64_t count = (p->seal->payload_size + chunk_size - 1) / chunk_size;
    if (count > CHUNK_COUNT_MAX) {
        tool_error(output, "would have %llu chunks, more than the limit of %u: use a larger --chunk-size",
                   (unsigned long long)count, CHUNK_COUNT_MAX);
        return -1;
    }
    p->seal->chunk_size = chunk_size;
    p->seal->chunk_count = (uint32_t)count;
    return 0;
}

// Fills [offset, offset + len) of the payload: bytes of files, zeros between them.
static int fill(struct payload *p, uint64_t offset, uint8_t *buf, size_t len)
{
    memset(buf, 0, len);
    for (uint32_t i = 0; i < p->seal->part_count; i++) {
        const struct seal_part *part = &p->seal->parts[i];
        uint64_t from = MAX(offset, part->offset), to = MIN(offset + len, part->offset + part->size);
        if (from < to && file_read_at(p->files[i].fd, p->files[i].path, from - part->offset, buf + (from - offset),
                                      (size_t)(to - from)) != 0)
            return -1;
    }
    return 0;
}

// True when no part has data in the range.
static bool is_hole(struct payload *p, uint64_t offset, size_t len)
{
    for (uint32_t i = 0; i < p->seal->part_count; i++) {
        const struct seal_part *part = &p->seal->parts[i];
        uint64_t from = MAX(offset, part->offset), to = MIN(offset + len, part->offset + part->size);
        if (from < to && !file_is_hole(p->files[i].fd, &p->files[i].holes, from - part->offset, to - from))
            return false;
    }
    return true;
}

// Writes what is not zero, in as few calls as the holes allow.
static int write_sparse(struct file_out *out, uint64_t offset, const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t grain = MIN(len - at, (size_t)HOLE_GRAIN);
        if (all_zero(data + at, grain)) {
            at += grain;
            continue;
        }
        size_t end = at + grain;
        while (end < len && !all_zero(data + end, MIN(len - end, (size_t)HOLE_GRAIN)))
            end += MIN(len - end, (size_t)HOLE_GRAIN);
        if (file_out_write(out, offset + at, data + at, end - at) != 0)
            return -1;
        at = end;
    }
    return 0;
}

int payload_write(struct payload *p, struct file_out *out, uint64_t offset, uint8_t *list)
{
    const struct seal *seal = p->seal;
    uint8_t *buf = tool_alloc(seal->chunk_size);
    uint8_t zero_digest[SHA256_SIZE];
    sha256(buf, seal->chunk_size, zero_digest); // sparse images have many chunks of nothing
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < seal->chunk_count; i++) {
        size_t len = seal_chunk_length(seal, i);
        uint64_t at = (uint64_t)i * seal->chunk_size;
        uint8_t *digest = list + (size_t)i * SHA256_SIZE;
        if (len == seal->chunk_size && is_hole(p, at, len)) {
            memcpy(digest, zero_digest, SHA256_SIZE);
            continue;
        }
        r = fill(p, at, buf, len);
        if (r != 0)
            break;
        if (len == seal->chunk_size && all_zero(buf, len)) {
            memcpy(digest, zero_digest, SHA256_SIZE);
        } else {
            sha256(buf, len, digest);
            r = write_sparse(out, offset + at, buf, len);
        }
    }
    free(buf);
    return r == 0 ? file_out_size(out, offset + seal->payload_size) : r;
}

void payload_close(struct payload *p)
{
    for (uint32_t i = 0; i < p->seal->part_count; i++)
        close(p->files[i].fd);
}
