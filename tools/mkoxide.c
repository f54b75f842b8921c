// SPDX-License-Identifier: MPL-2.0
// mkimage: Oxide boot images, header version 2, unsigned. The raw image is streamed behind the place of the
// header, as it is or through zlib, and the header written at the end.
#include "base/bytes.h"
#include "file.h"
#include "image/oxide.h"
#include "mkimage.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK (1024 * 1024)

struct stream {
    const char *path;
    int fd;
    uint64_t size; // of the raw image
    struct file_extent holes;
    struct file_out *out;
    uint64_t written; // bytes of data behind the header
    uint8_t *in, *packed;
};

static int put(struct stream *s, const uint8_t *data, size_t len)
{
    uint64_t at = OXIDE_HEADER_SIZE + s->written;
    s->written += len;
    // A block of zeros becomes a hole; the size is set at the end.
    return len == 0 || all_zero(data, len) ? 0 : file_out_write(s->out, at, data, len);
}

// Feeds zlib and writes what comes out.
static int pack(struct stream *s, z_stream *z, size_t len, int flush)
{
    int r;
    z->next_in = s->in;
    z->avail_in = (uInt)len;
    do {
        z->next_out = s->packed;
        z->avail_out = BLOCK;
        r = deflate(z, flush);
        if (put(s, s->packed, BLOCK - z->avail_out) != 0)
            return -1;
    } while (z->avail_out == 0 || (flush == Z_FINISH && r == Z_OK));
    return 0;
}

static int copy(struct stream *s, bool compress, uint8_t digest[SHA256_SIZE])
{
    struct sha256 sha;
    z_stream z = { 0 };
    int r = 0;
    if (compress && deflateInit(&z, Z_DEFAULT_COMPRESSION) != Z_OK) {
        tool_error(s->path, "zlib has no memory");
        return -1;
    }
    sha256_init(&sha);
    for (uint64_t at = 0; r == 0 && at < s->size;) {
        size_t len = (size_t)MIN(s->size - at, (uint64_t)BLOCK);
        if (file_is_hole(s->fd, &s->holes, at, len))
            memset(s->in, 0, len);
        else
            r = file_read_at(s->fd, s->path, at, s->in, len);
        if (r != 0)
            break;
        at += len;
        sha256_update(&sha, s->in, len);
        r = compress ? pack(s, &z, len, at == s->size ? Z_FINISH : Z_NO_FLUSH) : put(s, s->in, len);
    }
    if (compress)
        deflateEnd(&z);
    sha256_final(&sha, digest);
    return r;
}

static int write_header(struct stream *s, const struct mkimage *m, struct oxide_header *h)
{
    uint8_t buf[OXIDE_HEADER_SIZE];
    h->data_size = s->written;
    if (m->compress && h->data_size > h->image_size) {
        tool_error(s->path, "does not become smaller by compressing: leave out -z");
        return -1;
    }
    int r = oxide_build(h, buf);
    if (r < 0) {
        tool_error(s->path, "%s (%s)", err_text(r), err_code(r));
        return -1;
    }
    if (file_out_write(s->out, 0, buf, sizeof buf) != 0)
        return -1;
    return file_out_size(s->out, OXIDE_HEADER_SIZE + s->written);
}

// The image, and the file with its sum if there is one: both or none.
static int commit(struct file_out *out, struct file_out *sum, const uint8_t digest[SHA256_SIZE])
{
    if (!sum->temp)
        return file_out_commit(out, true);
    return file_out_write(sum, 0, digest, SHA256_SIZE) != 0 ? -1 : file_out_commit_pair(out, sum, true);
}

int mkimage_oxide(const struct mkimage *m)
{
    struct stat st;
    struct file_out out = { .fd = -1 }, sum = { .fd = -1 };
    struct stream s = { .path = m->ramdisks.items[0], .out = &out };
    struct oxide_header h = { .flags = m->compress ? OXIDE_FLAG_COMPRESSED : 0, .target_size = m->target_mib * MIB };
    int status = EXIT_FAIL;
    s.fd = file_open(s.path, &st);
    if (s.fd < 0)
        return EXIT_FAIL;
    s.size = h.image_size = (uint64_t)st.st_size;
    s.in = tool_alloc(BLOCK);
    s.packed = tool_alloc(BLOCK);
    posix_fadvise(s.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    snprintf(h.dataset, sizeof h.dataset, "%s", m->dataset ? m->dataset : MKIMAGE_DATASET);
    if (m->name)
        snprintf(h.name, sizeof h.name, "%s", m->name);
    else
        file_seal_name(s.path, h.name, sizeof h.name);
    if (s.size == 0)
        tool_error(s.path, "is empty");
    else if (s.size > h.target_size)
        tool_error(s.path, "has %" PRIu64 " bytes and does not fit into %" PRIu64 " MiB: give a larger -s", s.size,
                   m->target_mib);
    else if (file_out_begin_apart(&out, m->output, 0666) == 0 && (!m->sum_file || file_out_begin_apart(&sum, m->sum_file, 0666) == 0) &&
             copy(&s, m->compress, h.sha256) == 0 && write_header(&s, m, &h) == 0 && commit(&out, &sum, h.sha256) == 0) {
        char hex[2 * SHA256_SIZE + 1];
        printf("image name = %s\nimage size = %" PRIu64 "\ndata size = %" PRIu64 "\nimage sum = %s\n", h.name,
               h.image_size, h.data_size, tool_hex(h.sha256, SHA256_SIZE, hex));
        status = tool_flush();
    }
    file_out_abort(&sum);
    file_out_abort(&out);
    close(s.fd);
    free(s.in);
    free(s.packed);
    return status;
}
