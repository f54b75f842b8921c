// SPDX-License-Identifier: MPL-2.0
// lookimage: Oxide boot images, in the form that the README of the Oxide tools shows.
#include "file.h"
#include "image/oxide.h"
#include "lookimage.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define BLOCK (1024 * 1024)

static void print_header(struct report *report, const struct oxide_header *h)
{
    bool compressed = h->flags & OXIDE_FLAG_COMPRESSED;
    char hex[2 * SHA256_SIZE + 1];
    report_text(report, "image name", "%s", h->name);
    report_text(report, "flags", "0x%llx (%s)", (unsigned long long)h->flags, compressed ? "COMPRESSED" : "(empty)");
    report_number(report, "data size", h->data_size);
    report_number(report, "image size", h->image_size);
    report_number(report, "target size", h->target_size);
    report_text(report, "image sum", "%s", tool_hex(h->sha256, SHA256_SIZE, hex));
    report_text(report, "dataset name", "%s", h->dataset);
    if (compressed)
        report_text(report, "ratio", "%.2fx", (double)h->image_size / (double)h->data_size);
}

struct summing {
    struct sha256 sha;
    uint64_t total, limit; // unpacked bytes so far, and how many there may be
    z_stream z;
    bool ended; // the zlib stream is complete
    uint8_t *unpacked;
};

// Adds a block of the file's data. NULL, or what is wrong.
static const char *add(struct summing *s, bool compressed, uint8_t *data, size_t len)
{
    if (!compressed) {
        sha256_update(&s->sha, data, len);
        s->total += len;
        return NULL;
    }
    s->z.next_in = data;
    s->z.avail_in = (uInt)len;
    do {
        if (s->ended)
            return s->z.avail_in ? "bytes behind the compressed data" : NULL;
        s->z.next_out = s->unpacked;
        s->z.avail_out = BLOCK;
        int r = inflate(&s->z, Z_NO_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return "compressed data is damaged";
        s->ended = r == Z_STREAM_END;
        size_t n = BLOCK - s->z.avail_out;
        sha256_update(&s->sha, s->unpacked, n);
        s->total += n;
        if (s->total > s->limit)
            return "unpacks to more than the header says";
    } while (s->z.avail_in || s->z.avail_out == 0);
    return NULL;
}

// NULL when the data matches the header, otherwise what is wrong. False in *readable after a message.
static const char *check_data(const struct lookimage *look, const struct oxide_header *h, bool *readable)
{
    bool compressed = h->flags & OXIDE_FLAG_COMPRESSED;
    uint64_t have = look->size - OXIDE_HEADER_SIZE;
    if (have != h->data_size)
        return have < h->data_size ? "ends too early" : "bytes behind the data";
    struct summing s = { .limit = h->image_size, .unpacked = tool_alloc(BLOCK) };
    uint8_t *buf = tool_alloc(BLOCK);
    uint8_t digest[SHA256_SIZE];
    const char *wrong = compressed && inflateInit(&s.z) != Z_OK ? "zlib has no memory" : NULL;
    sha256_init(&s.sha);
    for (uint64_t at = 0; at < have && !wrong && *readable;) {
        size_t len = (size_t)MIN(have - at, (uint64_t)BLOCK);
        *readable = file_read_at(look->fd, look->path, OXIDE_HEADER_SIZE + at, buf, len) == 0;
        if (*readable)
            wrong = add(&s, compressed, buf, len);
        at += len;
    }
    sha256_final(&s.sha, digest);
    if (compressed)
        inflateEnd(&s.z);
    if (!wrong && *readable && s.total != h->image_size)
        wrong = "unpacks to less than the header says";
    if (!wrong && *readable && memcmp(digest, h->sha256, SHA256_SIZE) != 0)
        wrong = err_text(ERR_OXIDE_DIGEST);
    free(s.unpacked);
    free(buf);
    return wrong;
}

bool look_oxide(const struct lookimage *look, struct report *report, struct look_result *ret)
{
    uint8_t data[OXIDE_HEADER_SIZE];
    struct oxide_header h;
    size_t len = (size_t)MIN(look->size, (uint64_t)sizeof data);
    bool readable = file_read_at(look->fd, look->path, 0, data, len) == 0;
    if (!readable)
        return false;
    int r = oxide_parse(data, len, &h);
    if (r < 0) {
        report_text(report, "check header", "%s (%s)", err_text(r), err_code(r));
        *ret = (struct look_result){ .damaged = true, .why = err_text(r) };
        return true;
    }
    print_header(report, &h);
    ret->why = "the format has no signatures"; // matters only when trust was asked for
    if (look->skip_sums)
        return true;
    const char *wrong = check_data(look, &h, &readable);
    if (wrong) {
        report_text(report, "check image sum", "%s (%s)", wrong, err_code(ERR_OXIDE_DIGEST));
        ret->damaged = true;
        ret->why = wrong;
    }
    return readable;
}
