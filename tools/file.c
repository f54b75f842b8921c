// SPDX-License-Identifier: MPL-2.0
// Input files and atomic output files.
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

// ---- output --------------------------------------------------------------------------------------------

// Names that a deadly signal must remove. Only unlink() is called from the handler.
static char *volatile begun[FILE_OUT_MAX];

static void on_signal(int sig)
{
    for (int i = 0; i < FILE_OUT_MAX; i++)
        if (begun[i])
            unlink(begun[i]);
    signal(sig, SIG_DFL);
    raise(sig);
}

static void watch_signals(void)
{
    static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
    for (size_t i = 0; i < ARRAY_SIZE(deadly); i++) {
        struct sigaction old;
        struct sigaction act = { .sa_handler = on_signal };
        // What the caller ignores (nohup) stays ignored.
        if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(deadly[i], &act, NULL);
    }
}

static bool remember(char *temp)
{
    for (int i = 0; i < FILE_OUT_MAX; i++) {
        if (!begun[i]) {
            begun[i] = temp;
            return true;
        }
    }
    return false;
}

static void forget(const char *temp)
{
    for (int i = 0; i < FILE_OUT_MAX; i++)
        if (begun[i] == temp)
            begun[i] = NULL;
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

// Where the rename has to go: through symbolic links to the file that is really meant. NULL after a message.
static char *resolve(const char *path, struct stat *st, bool *exists)
{
    struct stat link;
    *exists = false;
    if (!*path || path[strlen(path) - 1] == '/') {
        tool_error(path, "is not the name of a file");
        return NULL;
    }
    if (lstat(path, &link) != 0) {
        if (errno == ENOENT)
            return tool_strdup(path);
        tool_errno(path, errno);
        return NULL;
    }
    char *real = realpath(path, NULL);
    if (!real || stat(real, st) != 0) {
        tool_errno(path, errno);
        free(real);
        return NULL;
    }
    if (!S_ISREG(st->st_mode)) {
        tool_error(path, S_ISDIR(st->st_mode) ? "is a folder: will not replace it"
                                              : "is not a regular file: will not replace it");
        free(real);
        return NULL;
    }
    *exists = true;
    return real;
}

int file_out_begin(struct file_out *out, const char *path, mode_t mode)
{
    struct stat st;
    bool exists;
    *out = (struct file_out){ .fd = -1 };
    char *real = resolve(path, &st, &exists);
    if (!real)
        return -1;
    size_t folder = folder_length(real);
    char *temp = tool_format("%.*s.%.200s.XXXXXX", (int)folder, real, real + folder);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        tool_error(path, "cannot be created: %s", strerror(errno));
        free(temp);
        free(real);
        return -1;
    }
    *out = (struct file_out){ .path = real, .temp = temp, .fd = fd };
    if (!remember(temp)) {
        file_out_abort(out);
        tool_error(path, "too many files at once");
        return -1;
    }
    watch_signals();
    mode_t mask = umask(0);
    umask(mask);
    mode_t wanted = mode & ~mask & 0777;
    if (exists && (mode & 077))
        wanted = st.st_mode & 0777;
    if (fchmod(fd, wanted) != 0) {
        tool_errno(path, errno);
        file_out_abort(out);
        return -1;
    }
    return 0;
}

int file_out_write(struct file_out *out, uint64_t offset, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = pwrite(out->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            tool_errno(out->path, n < 0 ? errno : ENOSPC);
            return -1;
        }
        p += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

int file_out_size(struct file_out *out, uint64_t size)
{
    if (ftruncate(out->fd, (off_t)size) == 0)
        return 0;
    tool_errno(out->path, errno);
    return -1;
}

// Makes the rename itself last through a power failure. Best effort: not every file system can.
static void sync_folder(const char *path)
{
    char *folder = tool_format("%.*s", (int)folder_length(path), path);
    int fd = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

// rename() that fails when the target exists. File systems without RENAME_NOREPLACE get a hard link.
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(from, to) != 0)
        return -1;
    unlink(from);
    return 0;
}

int file_out_commit(struct file_out *out, bool replace)
{
    int err = 0;
    if (fsync(out->fd) != 0)
        err = errno;
    if (close(out->fd) != 0 && !err)
        err = errno;
    out->fd = -1;
    if (!err && (replace ? rename(out->temp, out->path) : rename_new(out->temp, out->path)) != 0)
        err = errno;
    if (err) {
        tool_errno(out->path, err);
        file_out_abort(out);
        return -1;
    }
    sync_folder(out->path);
    forget(out->temp);
    free(out->temp);
    out->temp = NULL;
    return 0;
}

void file_out_abort(struct file_out *out)
{
    if (!out->temp)
        return;
    if (out->fd >= 0)
        close(out->fd);
    unlink(out->temp);
    forget(out->temp);
    free(out->temp);
    free(out->path);
    *out = (struct file_out){ .fd = -1 };
}

void file_seal_name(const char *path, char *ret, size_t max)
{
    const char *base = path + folder_length(path);
    size_t n = 0;
    for (; base[n] && n < max - 1; n++)
        ret[n] = base[n] > ' ' && base[n] < 0x7f ? base[n] : '-';
    if (n == 0)
        ret[n++] = '-';
    ret[n] = '\0';
}
