// SPDX-License-Identifier: MPL-2.0
// See install_files.h. FAT keeps names and cluster chains in different sectors, and what a system writes reaches the disk in
// any order. So no cluster of the file in the boot path is freed while its name still leads to it: the new file first
// takes the place of the kept one, which nothing boots from, and then the two names change places (Linux 6.0 and later on
// FAT). Each name is one directory entry in one sector and leads to a whole file before, between and after.
// Where names cannot be exchanged, the new file is renamed over the old one, of which a copy was made before.
#include "install_files.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// ---- a mounted file system -----------------------------------------------------------------------------

static int read_file(struct install_files *f, const char *name, uint8_t **ret_data, size_t *ret_len)
{
    struct stat st;
    int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    int err = fstat(fd, &st) != 0 ? -errno : !S_ISREG(st.st_mode) ? -EISDIR : (uint64_t)st.st_size > INSTALL_FILE_MAX ? -EFBIG : 0;
    size_t len = err ? 0 : (size_t)st.st_size, done = 0;
    uint8_t *data = tool_alloc(len + 1);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); // what was synced is read from the disk itself
    while (!err && done < len) {
        ssize_t n = read(fd, data + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            err = n == 0 ? -EIO : -errno;
    }
    close(fd);
    if (err) {
        free(data);
        return err;
    }
    *ret_data = data;
    *ret_len = len;
    return 0;
}

static int write_file(struct install_files *f, const char *name, const void *data, size_t len)
{
    int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644), err = fd < 0 ? -errno : 0;
    for (size_t done = 0; !err && done < len;) {
        ssize_t n = write(fd, (const uint8_t *)data + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            err = n == 0 ? -ENOSPC : -errno;
    }
    if (!err && fsync(fd) != 0) // a full or failing disk shows here
        err = -errno;
    if (fd >= 0)
        close(fd);
    return err;
}

static int make_folder(struct install_files *f, const char *name)
{
    return mkdirat(f->fd, name, 0755) != 0 && errno != EEXIST ? -errno : 0;
}

static int rename_file(struct install_files *f, const char *from, const char *to)
{
    return renameat(f->fd, from, f->fd, to) != 0 ? -errno : 0;
}

static int exchange_files(struct install_files *f, const char *a, const char *b)
{
    if (renameat2(f->fd, a, f->fd, b, RENAME_EXCHANGE) == 0)
        return 0;
    return errno == ENOSYS ? -EINVAL : -errno;
}

static int remove_file(struct install_files *f, const char *name)
{
    if (unlinkat(f->fd, name, 0) == 0)
        return 0;
    return errno == EISDIR && unlinkat(f->fd, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

// Everything to the disk, then everything out of the disk's own cache.
static int sync_all(struct install_files *f)
{
    return syncfs(f->fd) != 0 || fsync(f->fd) != 0 ? -errno : 0;
}

int install_files_open(struct install_files *f, const char *path, bool writable)
{
    *f = (struct install_files){ .path = path, .read = read_file, .write = write_file, .folder = make_folder, .rename = rename_file,
                                 .exchange = exchange_files, .remove = remove_file, .sync = sync_all };
    f->fd = file_open_target(path, O_RDONLY | O_DIRECTORY);
    if (f->fd < 0)
        return -1;
    if (writable && flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
        tool_error(path, "is locked by another program (an installer at work?)");
        install_files_close(f);
        return -1;
    }
    return 0;
}

void install_files_close(struct install_files *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

// ---- single steps, with messages -----------------------------------------------------------------------

static int failed(const struct install_files *f, const char *name, const char *doing, int err)
{
    if (err == 0)
        return 0;
    char *subject = tool_format("%s/%s", f->path, name);
    tool_error(subject, "%s: %s", doing, strerror(-err));
    free(subject);
    return -1;
}

static int settle(struct install_files *f, const char *name)
{
    return failed(f, name, "cannot sync", f->sync(f));
}

// Rename and exchange by `step`, durable when it returns.
static int step(struct install_files *f, const char *doing, int (*call)(struct install_files *f, const char *a, const char *b),
                const char *from, const char *to)
{
    return failed(f, to, doing, call(f, from, to)) != 0 ? -1 : settle(f, to);
}

int install_files_may_change(const struct install_files *f)
{
    struct statvfs fs;
    if (fstatvfs(f->fd, &fs) != 0 || !(fs.f_flag & ST_RDONLY))
        return 0;
    tool_errno(f->path, EROFS);
    return -1;
}

// Whether a name is free, or taken by what it should be.
static int check_kind(const struct install_files *f, const char *name, bool folder)
{
    struct stat st;
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || (folder ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
        return 0;
    return failed(f, name, "cannot write", folder ? -ENOTDIR : S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST);
}

int install_files_may_replace(const struct install_files *f, const char *folder, const char *const *names, size_t count, const char *fresh,
                              size_t len)
{
    enum { FOLDERS = 3 }; // two that are made, and one that may have to grow
    struct statvfs fs;
    struct stat st;
    if (install_files_may_change(f) != 0)
        return -1;
    char *top = tool_format("%.*s", (int)strcspn(folder, "/"), folder);
    int r = check_kind(f, top, true);
    free(top);
    if (r == 0)
        r = check_kind(f, folder, true);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = check_kind(f, names[i], false);
    if (r != 0 || fstatvfs(f->fd, &fs) != 0 || fs.f_frsize == 0)
        return r;
    // What a run that was cut short has left goes first.
    uint64_t left = fstatat(f->fd, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size / fs.f_frsize : 0;
    uint64_t needed = (len + fs.f_frsize - 1) / fs.f_frsize + FOLDERS;
    return failed(f, fresh, "cannot write", needed > fs.f_bavail + left ? -ENOSPC : 0);
}

int install_files_get(struct install_files *f, const char *name, uint8_t **ret_data, size_t *ret_len)
{
    int err = f->read(f, name, ret_data, ret_len);
    return err == -ENOENT ? 1 : failed(f, name, "cannot read", err);
}

int install_files_folder(struct install_files *f, const char *name)
{
    if (f->dry_run)
        return 0;
    return failed(f, name, "cannot make the folder", f->folder(f, name)) != 0 ? -1 : settle(f, name);
}

int install_files_remove(struct install_files *f, const char *name)
{
    if (f->dry_run) {
        uint8_t *data;
        size_t len;
        int there = install_files_get(f, name, &data, &len);
        if (there == 0) {
            printf("%s/%s: remove\n", f->path, name);
            free(data);
        }
        return MIN(there, 0);
    }
    int err = f->remove(f, name);
    return err == -ENOENT ? 0 : failed(f, name, "cannot remove", err) != 0 ? -1 : settle(f, name);
}

// A new file of that name, durable and read back. On failure nothing is left of it.
static int put(struct install_files *f, const char *name, const uint8_t *data, size_t len)
{
    uint8_t *back = NULL;
    size_t back_len = 0;
    int err = f->remove(f, name); // of a run that was cut short
    int r = failed(f, name, "cannot remove", err == -ENOENT ? 0 : err);
    if (r != 0)
        return r;
    r = failed(f, name, "cannot write", f->write(f, name, data, len));
    if (r == 0)
        r = settle(f, name);
    if (r == 0)
        r = failed(f, name, "cannot read back", f->read(f, name, &back, &back_len));
    if (r == 0 && (back_len != len || memcmp(back, data, len) != 0))
        r = failed(f, name, "does not read back as it was written", -EIO);
    free(back);
    if (r != 0)
        (void)f->remove(f, name);
    return r;
}

// ---- replacing -----------------------------------------------------------------------------------------

// `name` and `other` are both there and change places. Without the file system's help `fresh`, a name that is free, takes a copy.
static int change_places(struct install_files *f, const char *name, const char *other, const char *fresh)
{
    uint8_t *data;
    size_t len;
    int err = f->exchange(f, other, name);
    if (err != -EINVAL)
        return failed(f, name, "cannot rename", err) != 0 ? -1 : settle(f, name);
    if (failed(f, name, "cannot read", f->read(f, name, &data, &len)) != 0)
        return -1;
    int r = put(f, fresh, data, len);
    free(data);
    if (r == 0)
        r = step(f, "cannot rename", f->rename, other, name);
    return r != 0 ? r : step(f, "cannot rename", f->rename, fresh, other);
}

int install_files_replace(struct install_files *f, const char *name, const char *keep, const uint8_t *data, size_t len)
{
    uint8_t *present;
    size_t present_len;
    int there = install_files_get(f, name, &present, &present_len);
    if (there < 0)
        return -1;
    if (there == 0)
        free(present);
    if (f->dry_run) {
        printf("%s/%s: write %zu bytes%s%s\n", f->path, name, len, there == 0 ? "; what is there stays as " : "", there == 0 ? keep : "");
        return 0;
    }
    char *fresh = tool_format("%s.new", name);
    int r = put(f, fresh, data, len);
    if (r == 0)
        r = step(f, "cannot rename", f->rename, fresh, there == 0 ? keep : name);
    if (r == 0 && there == 0)
        r = change_places(f, name, keep, fresh);
    free(fresh);
    return r;
}

int install_files_restore(struct install_files *f, const char *name, const char *kept)
{
    uint8_t *data;
    size_t len;
    int there = install_files_get(f, kept, &data, &len);
    if (there != 0)
        return there < 0 ? -1 : install_files_remove(f, name);
    free(data);
    if (f->dry_run) {
        printf("%s/%s: rename to %s\n", f->path, kept, name);
        return 0;
    }
    char *fresh = tool_format("%s.new", name);
    int r = change_places(f, name, kept, fresh);
    free(fresh);
    return r != 0 ? r : install_files_remove(f, kept);
}
