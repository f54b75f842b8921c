// SPDX-License-Identifier: MPL-2.0
// The image files of a boot server, as a set that changes under it.
#include "bootserver_images.h"
#include "bootserver_load.h"
#include "file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BROKEN_RESTS 10 // scans after which a file whose bytes could not be read is tried again

static bool same_file(const struct image_stamp *a, const struct image_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

static bool same_stamp(const struct image_stamp *a, const struct image_stamp *b)
{
    return same_file(a, b) && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
           a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static struct image *find_path(const struct images *images, const char *path)
{
    for (struct image *i = images->current; i; i = i->next)
        if (strcmp(i->path, path) == 0)
            return i;
    return NULL;
}

static void unlink_current(struct images *images, struct image *image)
{
    for (struct image **p = &images->current; *p; p = &(*p)->next) {
        if (*p == image) {
            *p = image->next;
            images->count--;
            images->unnamed_known = false;
            return;
        }
    }
}

static void retire(struct images *images, struct image *image)
{
    unlink_current(images, image);
    image->next = images->retired;
    images->retired = image;
}

static void offer(struct images *images, struct image *image)
{
    // In the order of their appearance, so that nothing depends on the order of a folder's entries twice.
    struct image **p = &images->current;
    while (*p)
        p = &(*p)->next;
    image->next = NULL;
    image->seen = true;
    *p = image;
    images->count++;
    images->unnamed_known = false;
}

static void notice(struct images *images, enum image_change change, const char *path, const struct image *image,
                   const char *reason)
{
    images->notice(images->notice_ctx, change, path, image, reason);
}

// Complains about one version of a file once.
static void reject(struct images *images, const char *path, const struct image_stamp *stamp, const char *reason, bool passing)
{
    struct image_reject *r = images->rejects;
    while (r && strcmp(r->path, path) != 0)
        r = r->next;
    bool known = r && same_stamp(&r->stamp, stamp);
    if (!r) {
        r = tool_alloc(sizeof *r);
        *r = (struct image_reject){ .next = images->rejects, .path = tool_strdup(path) };
        images->rejects = r;
    }
    r->stamp = *stamp;
    r->passing = passing;
    r->seen = true;
    if (!known)
        notice(images, IMAGE_REFUSED, path, NULL, reason);
}

static bool rejected_before(struct images *images, const char *path, const struct image_stamp *stamp)
{
    for (struct image_reject *r = images->rejects; r; r = r->next) {
        if (strcmp(r->path, path) == 0 && same_stamp(&r->stamp, stamp)) {
            r->seen = true;
            return !r->passing;
        }
    }
    return false;
}

static void consider(struct images *images, const struct image_spot *spot)
{
    struct stat st;
    const char *path = spot->path;
    struct image *old = find_path(images, path);
    if (fstatat(spot->folder, spot->name, &st, 0) != 0) {
        if (old && errno != ENOENT && errno != ENOTDIR)
            old->seen = true; // not gone: it cannot be looked at just now
        return;
    }
    if (!S_ISREG(st.st_mode))
        return; // gone: not marked as seen
    struct image_stamp stamp = image_stamp_of(&st);
    if (old && same_stamp(&old->stamp, &stamp) && !(old->broken && ++old->rests % BROKEN_RESTS == 0)) {
        old->seen = true;
        return;
    }
    if (old && same_file(&old->stamp, &stamp)) {
        // The mapping shows the new bytes already: what boots under way read of it is of no use to them.
        if (!old->broken)
            notice(images, IMAGE_CHANGED_IN_PLACE, path, old, NULL);
        old->broken = true;
        retire(images, old);
        old = NULL;
    }
    if (rejected_before(images, path, &stamp)) {
        if (old)
            old->seen = true;
        return;
    }
    const char *reason = "too many images";
    bool passing = true;
    struct image *image = images->count < IMAGES_MAX ? image_load(spot, &reason, &stamp, &passing) : NULL;
    if (!image) {
        reject(images, path, &stamp, reason, passing);
        // What was good and is still mapped goes on being offered until there is a better one.
        if (old)
            old->seen = true;
        return;
    }
    if (old)
        retire(images, old);
    offer(images, image);
    notice(images, old ? IMAGE_REPLACED : IMAGE_LOADED, path, image, NULL);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.'; // what mkimage and editors write beside is hidden
}

static int consider_folder(struct images *images, const char *folder)
{
    struct dirent **entries;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, not_hidden, by_name);
    size_t len = strlen(folder);
    for (int i = 0; i < n; i++) {
        char *path = tool_format("%s%s%s", folder, len && folder[len - 1] == '/' ? "" : "/", entries[i]->d_name);
        consider(images, &(struct image_spot){ fd, entries[i]->d_name, path });
        free(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    int err = errno;
    if (fd >= 0)
        close(fd);
    errno = err;
    return n < 0 ? -1 : 0;
}

// What a folder held stays on offer while it cannot be read: a server of files that is away for a moment loses nothing.
static void keep_folder(struct images *images, size_t source, int err)
{
    const char *folder = images->sources.items[source];
    size_t len = strlen(folder);
    for (struct image *i = images->current; i; i = i->next)
        i->seen |= strncmp(i->path, folder, len) == 0 && (i->path[len] == '/' || (len && folder[len - 1] == '/'));
    if (!images->unreadable[source])
        notice(images, FOLDER_UNREADABLE, folder, NULL, strerror(err));
    images->unreadable[source] = true;
}

static void consider_source(struct images *images, size_t source)
{
    const char *path = images->sources.items[source];
    if (!images->folder[source])
        consider(images, &(struct image_spot){ AT_FDCWD, path, path });
    else if (consider_folder(images, path) != 0)
        keep_folder(images, source, errno);
    else
        images->unreadable[source] = false;
}

void images_rescan(struct images *images)
{
    for (struct image *i = images->current; i; i = i->next)
        i->seen = false;
    for (struct image_reject *r = images->rejects; r; r = r->next)
        r->seen = false;
    for (size_t i = 0; i < images->sources.count; i++)
        consider_source(images, i);
    for (struct image *i = images->current, *next; i; i = next) {
        next = i->next;
        if (!i->seen) {
            notice(images, IMAGE_GONE, i->path, i, NULL);
            retire(images, i);
        }
    }
    for (struct image_reject **p = &images->rejects; *p;) {
        struct image_reject *r = *p;
        if (r->seen) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        free(r->path);
        free(r);
    }
}

int images_open(struct images *images, const struct opt_list *sources, image_notice *notify, void *ctx)
{
    *images = (struct images){ .sources = *sources, .notice = notify, .notice_ctx = ctx };
    images->folder = tool_alloc(sources->count * sizeof *images->folder);
    images->unreadable = tool_alloc(sources->count * sizeof *images->unreadable);
    for (size_t i = 0; i < sources->count; i++) {
        struct stat st;
        struct image_stamp stamp;
        const char *path = sources->items[i], *reason;
        bool passing;
        if (stat(path, &st) != 0) {
            tool_errno(path, errno);
            return -1;
        }
        if (S_ISDIR(st.st_mode)) {
            images->folder[i] = true;
            if (consider_folder(images, path) == 0)
                continue;
            tool_errno(path, errno);
            return -1;
        }
        if (find_path(images, path))
            continue;
        struct image *image = image_load(&(struct image_spot){ AT_FDCWD, path, path }, &reason, &stamp, &passing);
        if (!image) {
            tool_error(path, "%s", reason);
            return -1;
        }
        offer(images, image);
        notice(images, IMAGE_LOADED, path, image, NULL);
    }
    return 0;
}

void images_release(struct images *images, const struct p2_server *server, uint64_t now, uint64_t idle)
{
    for (struct image **p = &images->retired; *p;) {
        struct image *image = *p;
        if (!image->broken && p2_server_in_use(server, image->p2.id, now, idle)) {
            p = &image->next;
            continue;
        }
        *p = image->next;
        images->last = NULL;
        notice(images, IMAGE_RELEASED, image->path, image, NULL);
        image_free(image);
    }
}

void images_close(struct images *images)
{
    struct image **const lists[] = { &images->current, &images->retired };
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
        for (struct image *i = *lists[l], *next; i; i = next) {
            next = i->next;
            image_free(i);
        }
        *lists[l] = NULL;
    }
    for (struct image_reject *r = images->rejects, *next; r; r = next) {
        next = r->next;
        free(r->path);
        free(r);
    }
    images->rejects = NULL;
    free(images->folder);
    free(images->unreadable);
    free(images->pieces);
}
