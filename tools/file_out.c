// SPDX-License-Identifier: MPL-2.0
// Atomic output files: file.h.
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define TEMP_RANDOM 12 // characters

// Names that a deadly signal must remove. Only unlink() is called from the handler.
static char *volatile begun[FILE_OUT_MAX];

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

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
    bool there = lstat(path, &link) == 0;
    if (!there && errno != ENOENT) {
        tool_errno(path, errno);
        return NULL;
    }
    char *real = file_without_links(path);
    if (!real)
        return NULL;
    if (lstat(real, st) != 0) {
        if (!there)
            return real;
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

// The folder of a path that has no links any more.
static int open_folder(const char *path)
{
    char *folder = tool_format("%.*s", (int)folder_length(path), path);
    const char *name = *folder ? folder : ".";
    int fd = file_open_plain(name, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == EACCES) // a folder may be written and searched, but not read
        fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int err = errno;
    free(folder);
    errno = err;
    return fd;
}

// A new file beside the one that is meant, of a name that nobody can know before. The descriptor, or -1.
static int open_temp(int folder, char *temp)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678901";
    char *random = temp + strlen(temp) - TEMP_RANDOM;
    uint8_t bytes[TEMP_RANDOM];
    for (unsigned tries = 0; tries < 100; tries++) {
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
            return -1;
        for (unsigned i = 0; i < TEMP_RANDOM; i++)
            random[i] = letters[bytes[i] % 64];
        int fd = openat(folder, temp + folder_length(temp), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

// The same, and its name is one to be removed before a signal can come in between.
static int open_watched(int folder, char *temp, bool *ret_remembered)
{
    sigset_t held, before;
    sigemptyset(&held);
    for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
        sigaddset(&held, deadly[i]);
    watch_signals();
    sigprocmask(SIG_BLOCK, &held, &before);
    int fd = open_temp(folder, temp), err = errno;
    *ret_remembered = fd >= 0 && remember(temp);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = err;
    return fd;
}

int file_out_begin(struct file_out *out, const char *path, mode_t mode)
{
    struct stat st;
    bool exists, remembered;
    *out = (struct file_out){ .fd = -1, .folder = -1 };
    char *real = resolve(path, &st, &exists);
    if (!real)
        return -1;
    size_t length = folder_length(real);
    char *temp = tool_format("%.*s.%.200s.%0*d", (int)length, real, real + length, TEMP_RANDOM, 0);
    int folder = open_folder(real), fd = folder < 0 ? -1 : open_watched(folder, temp, &remembered);
    if (fd < 0) {
        tool_error(path, "cannot be created: %s", strerror(errno));
        if (folder >= 0)
            close(folder);
        free(temp);
        free(real);
        return -1;
    }
    *out = (struct file_out){ .path = real, .temp = temp, .fd = fd, .folder = folder };
    if (!remembered) {
        file_out_abort(out);
        tool_error(path, "too many files at once");
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    mode_t wanted = mode & ~mask & 0777;
    // The permissions of one's own file stay; another's could be such that he may write to the new one.
    if (exists && (mode & 077) && st.st_uid == geteuid())
        wanted = st.st_mode & 0777;
    if (fchmod(fd, wanted) != 0) {
        tool_errno(path, errno);
        file_out_abort(out);
        return -1;
    }
    return 0;
}

int file_out_begin_apart(struct file_out *out, const char *path, mode_t mode)
{
    if (!file_is_input(path))
        return file_out_begin(out, path, mode);
    tool_error(path, "is one of the inputs: will not replace it");
    return -1;
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

int (*file_rename)(int folder, const char *from, int to_folder, const char *to, unsigned flags) = renameat2;

static const char *name_of(const char *path)
{
    return path + folder_length(path);
}

// From one name to another in the output's folder. File systems without RENAME_NOREPLACE get a hard link. 0, or -1 with errno.
static int move(const struct file_out *out, const char *from, const char *to, bool replace)
{
    from = name_of(from);
    to = name_of(to);
    if (file_rename(out->folder, from, out->folder, to, replace ? 0 : RENAME_NOREPLACE) == 0)
        return 0;
    if (replace || (errno != EINVAL && errno != ENOSYS))
        return -1;
    if (linkat(out->folder, from, out->folder, to, 0) != 0)
        return -1;
    unlinkat(out->folder, from, 0);
    return 0;
}

// Everything to the disk but the name. 0 or an errno.
static int finish(struct file_out *out)
{
    int err = fsync(out->fd) != 0 ? errno : 0;
    if (close(out->fd) != 0 && !err)
        err = errno;
    out->fd = -1;
    return err;
}

// After the rename, which is made to last through a power failure. Best effort: not every file system can.
static void release(struct file_out *out)
{
    (void)fsync(out->folder);
    close(out->folder);
    out->folder = -1;
    forget(out->temp);
    free(out->temp);
    out->temp = NULL;
}

int file_out_commit(struct file_out *out, bool replace)
{
    int err = finish(out);
    if (!err && move(out, out->temp, out->path, replace) != 0)
        err = errno;
    if (err) {
        tool_errno(out->path, err);
        file_out_abort(out);
        return -1;
    }
    release(out);
    return 0;
}

char *file_out_former(const char *path)
{
    return tool_format("%.*s.%s.signet-former", (int)folder_length(path), path, name_of(path));
}

// Whether both would get one name, or replace one file by two names of it (some file systems do not tell A from a).
static bool same_target(const struct file_out *a, const struct file_out *b)
{
    struct stat folders[2], files[2];
    if (fstat(a->folder, &folders[0]) != 0 || fstat(b->folder, &folders[1]) != 0 || folders[0].st_dev != folders[1].st_dev ||
        folders[0].st_ino != folders[1].st_ino)
        return false;
    if (strcmp(name_of(a->path), name_of(b->path)) == 0)
        return true;
    return lstat(a->path, &files[0]) == 0 && lstat(b->path, &files[1]) == 0 && files[0].st_dev == files[1].st_dev &&
           files[0].st_ino == files[1].st_ino;
}

int file_out_commit_pair(struct file_out *first, struct file_out *second, bool replace)
{
    if (same_target(first, second)) {
        tool_error(second->path, "is named for two outputs: each needs a file of its own");
        file_out_abort(first);
        file_out_abort(second);
        return -1;
    }
    char *former = file_out_former(first->path);
    const char *failed = first->path;
    int err = finish(first);
    if (!err && (err = finish(second)))
        failed = second->path;
    // Without `replace` a file that is there stops it at its rename, as in file_out_commit.
    bool kept = !err && replace && move(first, first->path, former, true) == 0;
    if (!err && replace && !kept && errno != ENOENT)
        err = errno;
    bool named = !err && move(first, first->temp, first->path, replace) == 0;
    if (!err && !named)
        err = errno;
    if (named) {
        (void)fsync(first->folder);
        if (move(second, second->temp, second->path, replace) != 0) {
            err = errno;
            failed = second->path;
        }
    }
    if (err) {
        if (kept && move(first, former, first->path, true) != 0)
            tool_error(former, "is what %s was before: rename it back", first->path);
        else if (!kept && named)
            unlinkat(first->folder, name_of(first->path), 0);
        tool_errno(failed, err);
        file_out_abort(first);
        file_out_abort(second);
        free(former);
        return -1;
    }
    (void)fsync(second->folder);
    if (replace) // also what an earlier run left, which was cut short
        unlinkat(first->folder, name_of(former), 0);
    free(former);
    release(first);
    release(second);
    return 0;
}

void file_out_abort(struct file_out *out)
{
    if (!out->temp) {
        free(out->path);
        out->path = NULL;
        return;
    }
    if (out->fd >= 0)
        close(out->fd);
    if (out->folder >= 0) {
        unlinkat(out->folder, name_of(out->temp), 0);
        close(out->folder);
    }
    forget(out->temp);
    free(out->temp);
    free(out->path);
    *out = (struct file_out){ .fd = -1, .folder = -1 };
}
