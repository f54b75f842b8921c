// SPDX-License-Identifier: MPL-2.0
// Input files: file.h.
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// ---- input ---------------------------------------------------------------------------------------------

// What was opened, by device and inode number.
static struct {
    dev_t dev;
    ino_t ino;
} *inputs;
static size_t input_count;

bool file_is_input(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    for (size_t i = 0; i < input_count; i++)
        if (inputs[i].dev == st.st_dev && inputs[i].ino == st.st_ino)
            return true;
    return false;
}

int file_open(const char *path, struct stat *ret_stat)
{
    struct stat st;
    // O_NONBLOCK: a pipe without a writer must give its message, not wait.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        tool_errno(path, errno);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        tool_error(path, S_ISDIR(st.st_mode) ? "is a folder, not a file" : "is not a regular file");
        close(fd);
        return -1;
    }
    inputs = tool_realloc(inputs, (input_count + 1) * sizeof *inputs);
    inputs[input_count].dev = st.st_dev;
    inputs[input_count++].ino = st.st_ino;
    if (ret_stat)
        *ret_stat = st;
    return fd;
}

int file_read_at(int fd, const char *path, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len) {
        ssize_t n = pread(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            tool_errno(path, errno);
            return -1;
        }
        if (n == 0) {
            tool_error(path, "ends too early (was it changed while it was read?)");
            return -1;
        }
        p += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

bool file_is_hole(int fd, struct file_extent *known, uint64_t offset, uint64_t len)
{
    if (offset < known->begin || offset >= known->end) {
        off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
        *known = (struct file_extent){ .begin = offset, .end = UINT64_MAX };
        if (data < 0) {
            known->hole = errno == ENXIO; // nothing but a hole up to the end; otherwise: it cannot tell
        } else if ((uint64_t)data > offset) {
            known->end = (uint64_t)data;
            known->hole = true;
        } else {
            off_t hole = lseek(fd, (off_t)offset, SEEK_HOLE);
            if (hole > data)
                known->end = (uint64_t)hole;
        }
    }
    return known->hole && len <= known->end - offset;
}

uint8_t *file_read(const char *path, size_t max, size_t *ret_len)
{
    struct stat st;
    int fd = file_open(path, &st);
    if (fd < 0)
        return NULL;
    if ((uint64_t)st.st_size > max) {
        tool_error(path, "is larger than the limit of %zu bytes", max);
        close(fd);
        return NULL;
    }
    size_t len = (size_t)st.st_size;
    uint8_t *data = tool_alloc(len + 1);
    int r = file_read_at(fd, path, 0, data, len);
    close(fd);
    if (r != 0) {
        free(data);
        return NULL;
    }
    *ret_len = len;
    return data;
}

void file_seal_name(const char *path, char *ret, size_t max)
{
    const char *slash = strrchr(path, '/'), *alias = tool_alias_name(path), *base = alias ? alias : slash ? slash + 1 : path;
    size_t n = 0;
    for (; base[n] && n < max - 1; n++)
        ret[n] = base[n] > ' ' && base[n] < 0x7f ? base[n] : '-';
    if (n == 0)
        ret[n++] = '-';
    ret[n] = '\0';
}
