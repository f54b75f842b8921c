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
    if (st.st_size <= 0) {
        tool_error(path, "is empty");
        close(fd);
        return NULL;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    struct seal_part *part = &seal->parts[seal->part_count];
    *part = (struct seal_part){ .kind = kind, .size = (uint64_t)st.st_size };
    file_seal_name(path, part->name, sizeof part->name);
    p->files[seal->part_count++] = (struct payload_file){ .path = tool_strdup(path), .fd = fd };
    return part;
}

int payload_replace(struct payload *p, int fd, uint64_t size)
{
    uint32_t last = p->seal->part_count - 1;
    struct payload_file *file = &p->files[last];
    close(file->fd);
    file->fd = fd;
    p->seal->parts[last].size = size;
    if (size)
        return 0;
    tool_error(file->path, "is empty when it is unpacked");
    return -1;
}

void payload_front(struct payload *p, const uint8_t *bytes, uint32_t len)
{
    struct seal_part *part = &p->seal->parts[p->seal->part_count - 1];
    p->fronts = tool_realloc(p->fronts, p->front_len + len);
    memcpy(p->fronts + p->front_len, bytes, len);
    p->seal->bytes = p->fronts;
    part->front_at = p->front_len;
    part->front_len = len;
    part->size += len;
    p->front_len += len;
}

// Lays the parts end to end. False: the file of *ret_part is too large.
static bool lay_out(struct seal *seal, uint32_t *ret_part)
{
    seal->payload_size = 0;
    for (uint32_t i = 0; i < seal->part_count; i++) {
        seal->parts[i].offset = seal->payload_size;
        seal->payload_size = seal_part_end(seal, i);
        *ret_part = i;
        if (seal->payload_size <= seal->parts[i].offset)
            return false;
    }
    return true;
}

int payload_chunks(struct payload *p, uint32_t chunk_size, const char *output)
{
    uint32_t part;
    p->seal->chunk_size = chunk_size;
    if (!lay_out(p->seal, &part)) {
        tool_error(p->files[part].path, "is too large");
        return -1;
    }
    uint64_t count = (p->seal->payload_size - 1) / chunk_size + 1;
    if (count > CHUNK_COUNT_MAX) {
        tool_error(output, "would have %llu chunks, more than the limit of %u: use a larger --chunk-size",
                   (unsigned long long)count, CHUNK_COUNT_MAX);
        return -1;
    }
    p->seal->chunk_count = (uint32_t)count;
    return 0;
}

// Where bytes of the payload lie in a part's file: [from, to) of the payload, `at` in the file. False: nowhere in it.
struct stretch {
    uint64_t from, to, at;
};

static bool in_file(const struct seal_part *part, uint64_t offset, size_t len, struct stretch *ret)
{
    uint64_t begin = part->offset + part->front_len;
    ret->from = MAX(offset, begin);
    ret->to = MIN(offset + len, part->offset + part->size);
    ret->at = ret->from - begin;
    return ret->from < ret->to;
}

// Copies what stands in front of the part's file, as far as it lies in [offset, offset + len).
static void fill_front(const struct seal *seal, const struct seal_part *part, uint64_t offset, uint8_t *buf, size_t len)
{
    uint64_t from = MAX(offset, part->offset), to = MIN(offset + len, part->offset + part->front_len);
    if (from < to)
        memcpy(buf + (from - offset), seal->bytes + part->front_at + (from - part->offset), (size_t)(to - from));
}

// Fills [offset, offset + len) of the payload: bytes of files and in front of them, zeros between them.
static int fill(struct payload *p, uint64_t offset, uint8_t *buf, size_t len)
{
    struct stretch s;
    memset(buf, 0, len);
    for (uint32_t i = 0; i < p->seal->part_count; i++) {
        const struct seal_part *part = &p->seal->parts[i];
        fill_front(p->seal, part, offset, buf, len);
        if (in_file(part, offset, len, &s) &&
            file_read_at(p->files[i].fd, p->files[i].path, s.at, buf + (s.from - offset), (size_t)(s.to - s.from)) != 0)
            return -1;
    }
    return 0;
}

// True when no part has data in the range.
static bool is_hole(struct payload *p, uint64_t offset, size_t len)
{
    struct stretch s;
    for (uint32_t i = 0; i < p->seal->part_count; i++)
        if (in_file(&p->seal->parts[i], offset, len, &s) && !file_is_hole(p->files[i].fd, &p->files[i].holes, s.at, s.to - s.from))
            return false;
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

// Digests of chunks and files. Each chunk belongs to one part.
static int hash_detached(struct payload *p, uint8_t *buf, uint8_t *list)
{
    struct seal *seal = p->seal;
    struct sha256 file;
    struct stretch s;
    for (uint32_t i = 0, part = 0; i < seal->chunk_count; i++) {
        size_t len = seal_chunk_length(seal, i);
        uint64_t at = (uint64_t)i * seal->chunk_size;
        if (at == seal->parts[part].offset)
            sha256_init(&file);
        if (fill(p, at, buf, len) != 0)
            return -1;
        sha256(buf, len, list + (size_t)i * SHA256_SIZE);
        if (in_file(&seal->parts[part], at, len, &s))
            sha256_update(&file, buf + (s.from - at), (size_t)(s.to - s.from));
        if (at + len == seal_part_end(seal, part))
            sha256_final(&file, seal->files[part++]);
    }
    return 0;
}

static int write_attached(struct payload *p, struct file_out *out, uint64_t offset, uint8_t *buf, uint8_t *list)
{
    const struct seal *seal = p->seal;
    uint8_t zero_digest[SHA256_SIZE];
    sha256(buf, seal->chunk_size, zero_digest); // sparse images have many chunks of nothing
    for (uint32_t i = 0; i < seal->chunk_count; i++) {
        size_t len = seal_chunk_length(seal, i);
        uint64_t at = (uint64_t)i * seal->chunk_size;
        uint8_t *digest = list + (size_t)i * SHA256_SIZE;
        if (len == seal->chunk_size && is_hole(p, at, len)) {
            memcpy(digest, zero_digest, SHA256_SIZE);
            continue;
        }
        if (fill(p, at, buf, len) != 0)
            return -1;
        if (len == seal->chunk_size && all_zero(buf, len)) {
            memcpy(digest, zero_digest, SHA256_SIZE);
            continue;
        }
        sha256(buf, len, digest);
        if (write_sparse(out, offset + at, buf, len) != 0)
            return -1;
    }
    return file_out_size(out, offset + seal->payload_size);
}

int payload_write(struct payload *p, struct file_out *out, uint64_t offset, uint8_t *list)
{
    uint8_t *buf = tool_alloc(p->seal->chunk_size);
    int r = p->seal->detached ? hash_detached(p, buf, list) : write_attached(p, out, offset, buf, list);
    free(buf);
    return r;
}

void payload_close(struct payload *p)
{
    for (uint32_t i = 0; i < p->seal->part_count; i++) {
        close(p->files[i].fd);
        free(p->files[i].path);
    }
    free(p->fronts);
}
