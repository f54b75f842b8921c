// SPDX-License-Identifier: MPL-2.0
// See seal_files.h.
#include "seal_files.h"
#include "file.h"
#include "phase2/seal.h"
#include "proto/uri.h"
#include "script/script.h"
#include "seal_http.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// What stands for an image of mkimage, which needs no other seal: a script goes no further than to its start.
#define WHOLE_IMAGE "#!ipxe\nreboot\n"
#define DOWNLOADS "/var/tmp" // files of any size, which nobody sees and which end with the process

char *seal_files_local(const char *path)
{
    static const char coded[] = "%?#";
    char folder[PATH_MAX] = "";
    if (*path != '/' && !getcwd(folder, sizeof folder))
        folder[0] = '\0';
    char *whole = tool_format("%s/%s", folder, path), *uri = tool_alloc(3 * strlen(whole) + 10), *to = uri;
    to = stpcpy(to, "file://");
    for (const char *p = whole; *p; p++) {
        if (strchr(coded, *p)) {
            static const char digits[] = "0123456789ABCDEF";
            *to++ = '%';
            *to++ = digits[(unsigned char)*p >> 4];
            *to++ = digits[*p & 15];
        } else {
            *to++ = *p;
        }
    }
    free(whole);
    return uri;
}

// No step of a server's path leads out of the folder.
static bool leads_out(const char *path)
{
    for (const char *p = path; *p; p += strspn(p, "/")) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
        p += n;
    }
    return false;
}

static int open_local(struct seal_file *file, char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool plain = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (fd >= 0 && !plain)
        close(fd);
    if (!plain) {
        free(path);
        return fd >= 0 || errno != ENOENT ? ERR_IO : ERR_NOT_FOUND;
    }
    file->fd = fd;
    file->local = path;
    return 0;
}

static int download(struct seal_file *file, const struct uri *uri)
{
    int fd = open(DOWNLOADS, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = memfd_create("download", MFD_CLOEXEC); // file systems without such files
    if (fd < 0)
        return ERR_IO;
    int r = seal_http_get(uri, fd);
    if (r == 0)
        file->fd = fd;
    else
        close(fd);
    return r;
}

// 0: *ret_path is the file's on this machine, NULL for one that has to be fetched.
static int local_path(const struct seal_files *files, const struct uri *uri, char **ret_path)
{
    char name[URI_PATH_MAX];
    bool local = strcmp(uri->scheme, "file") == 0;
    *ret_path = NULL;
    if (!local && !files->root)
        return 0;
    int r = uri_path_name(uri, name, sizeof name);
    if (r < 0)
        return r;
    if (!local && leads_out(name))
        return ERR_NOT_FOUND;
    *ret_path = tool_format("%s/%s", local ? "" : files->root, name);
    return 0;
}

char *seal_files_path(const struct seal_files *files, const char *uri)
{
    struct uri *parsed = tool_alloc(sizeof *parsed);
    char *path = NULL;
    if (uri_parse(uri, parsed) == 0)
        (void)local_path(files, parsed, &path);
    free(parsed);
    return path;
}

static int bring(const struct seal_files *files, struct seal_file *file, const struct uri *uri)
{
    char *path;
    int r = local_path(files, uri, &path);
    if (r < 0)
        return r;
    return path ? open_local(file, path) : strcmp(uri->scheme, "http") == 0 ? download(file, uri) : ERR_UNSUPPORTED;
}

// A script's text is wanted; what else it is, is judged later.
static int look(struct seal_file *file)
{
    char head[16];
    ssize_t n = pread(file->fd, head, sizeof head, 0);
    if (n < 0)
        return ERR_IO;
    if ((size_t)n >= strlen(SEAL_MAGIC) && memcmp(head, SEAL_MAGIC, strlen(SEAL_MAGIC)) == 0) {
        file->text = tool_strdup(WHOLE_IMAGE);
        file->len = strlen(WHOLE_IMAGE);
        return 0;
    }
    if (!script_is_script(head, (size_t)n))
        return 0;
    char *text = tool_alloc(SEAL_SCRIPT_MAX + 1);
    n = pread(file->fd, text, SEAL_SCRIPT_MAX + 1, 0);
    if (n < 0 || n > SEAL_SCRIPT_MAX) {
        free(text);
        return n < 0 ? ERR_IO : ERR_TOO_LARGE;
    }
    file->text = text;
    file->len = (size_t)n;
    return 0;
}

int seal_files_find(void *ctx, const char *uri, const char **ret_text, size_t *ret_len)
{
    struct seal_files *files = ctx;
    const struct seal_file *known = seal_files_at(files, uri);
    if (!known) {
        struct uri *parsed = tool_alloc(sizeof *parsed);
        char last[URI_PATH_MAX] = "";
        struct seal_file file = { .uri = tool_strdup(uri), .fd = -1 };
        file.err = uri_parse(uri, parsed);
        if (file.err == 0)
            file.err = bring(files, &file, parsed);
        if (file.err == 0)
            file.err = look(&file);
        (void)uri_last_name(parsed, last, sizeof last);
        file.path = tool_format("/proc/self/fd/%d", file.fd);
        if (file.err == 0)
            tool_alias(file.path, file.local ? file.local : uri, last);
        free(parsed);
        files->items = tool_realloc(files->items, (files->count + 1) * sizeof file);
        files->items[files->count++] = file;
        known = &files->items[files->count - 1];
    }
    *ret_text = known->text;
    *ret_len = known->len;
    return known->err;
}

const struct seal_file *seal_files_at(const struct seal_files *files, const char *uri)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].uri, uri) == 0)
            return &files->items[i];
    return NULL;
}

void seal_files_close(struct seal_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct seal_file *file = &files->items[i];
        if (file->fd >= 0)
            close(file->fd);
        free(file->uri);
        free(file->path);
        free(file->local);
        free(file->text);
    }
    free(files->items);
}
