// SPDX-License-Identifier: MPL-2.0
// The way to a file that is written to: file.h.
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX 40

// The rule of the kernel's protected_symlinks, which may be off: in a folder like /tmp a link is followed only if it is one's own or
// the folder's owner's.
static bool may_follow(const char *folder, const struct stat *link)
{
    struct stat st;
    if (stat(*folder ? folder : ".", &st) != 0)
        return false;
    bool shared = (st.st_mode & S_ISVTX) && (st.st_mode & (S_IWGRP | S_IWOTH));
    return !shared || link->st_uid == geteuid() || link->st_uid == st.st_uid;
}

char *file_without_links(const char *path)
{
    char *done = tool_strdup(*path == '/' ? "/" : ""), *rest = tool_strdup(path), *next = rest;
    unsigned links = 0;
    int err = 0;
    while (!err && *(next += strspn(next, "/"))) {
        size_t n = strcspn(next, "/"), len = strlen(done);
        char *step = tool_format("%s%s%.*s", done, len && done[len - 1] != '/' ? "/" : "", (int)n, next), target[PATH_MAX];
        struct stat st;
        ssize_t size = lstat(step, &st) == 0 && S_ISLNK(st.st_mode) ? readlink(step, target, sizeof target - 1) : -1;
        next += n;
        if (size < 0) {
            free(done);
            done = step;
            continue;
        }
        target[size] = '\0';
        if (!may_follow(done, &st)) {
            tool_error(path, "is a symbolic link of another user (or leads through one) in a folder that all may write to: will not follow it");
            err = -1;
        } else if (++links > LINKS_MAX) {
            tool_errno(path, ELOOP);
            err = -1;
        }
        char *more = tool_format("%s/%s", target, next);
        free(step);
        free(rest);
        next = rest = more;
        if (*target == '/') {
            free(done);
            done = tool_strdup("/");
        }
    }
    free(rest);
    if (err) {
        free(done);
        done = NULL;
    }
    return done;
}

int file_open_plain(const char *path, int flags)
{
    struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_SYMLINKS };
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) // older kernels; sandboxes
        fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd;
}

int file_open_target(const char *path, int flags)
{
    char *real = file_without_links(path);
    int fd = real ? file_open_plain(real, flags) : -1, err = errno;
    if (real && fd < 0)
        tool_errno(path, err);
    free(real);
    errno = err;
    return fd;
}
