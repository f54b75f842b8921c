// SPDX-License-Identifier: MPL-2.0
// See bootserver_load.h.
//
// The mappings are never read by this process (the seal is read by pread, the rest only by the kernel when
// it sends), so a file that is cut short in place is EFAULT from a send and not a deadly signal.
#include "bootserver_load.h"
#include "base/range.h"
#include "file.h"
#include "phase2/seal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct image_stamp image_stamp_of(const struct stat *st)
{
    return (struct image_stamp){ st->st_dev, st->st_ino, st->st_size, st->st_mtim };
}

void image_free(struct image *image)
{
    if (image->map)
        munmap((void *)image->map, image->map_len);
    free(image->path);
    free(image);
}

static bool read_whole(int fd, uint64_t offset, uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = pread(fd, buf, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
    return true;
}

// The seal's structure and the chunk list; signatures are the clients' business, which have the keys.
static const char *read_seal(int fd, struct image *image, bool *ret_passing)
{
    const char *reason = "cannot be read";
    uint64_t size = (uint64_t)image->stamp.size;
    size_t len = (size_t)MIN(size, (uint64_t)SEAL_MAX);
    uint8_t *data = tool_alloc(SEAL_MAX), *list = NULL;
    struct seal *seal = tool_alloc(sizeof *seal);
    struct seal_view view;
    int r = ERR_IO;
    *ret_passing = true;
    if (!read_whole(fd, 0, data, len))
        goto done;
    *ret_passing = false;
    if ((r = seal_view(data, len, &view)) < 0 ||
        (r = seal_parse_body(&view, seal)) < 0)
        goto done;
    r = ERR_SEAL_DETACHED;
    if (seal->detached)
        goto done;
    r = ERR_TRUNCATED;
    if (!range_fits(seal_payload_offset(&view), view.payload_size, size))
        goto done;
    size_t list_size = (size_t)seal_list_size(&view);
    list = tool_alloc(list_size);
    r = ERR_IO;
    *ret_passing = !read_whole(fd, seal_list_offset(&view), list, list_size);
    if (*ret_passing || (r = seal_check_list(seal, list, list_size)) < 0)
        goto done;
    image->list_offset = seal_list_offset(&view);
    image->payload_offset = seal_payload_offset(&view);
    image->counter = seal->counter;
    image->signatures = view.signature_count;
    snprintf(image->name, sizeof image->name, "%s", seal->name);
    image->p2 = (struct p2_image){ .seal_size = seal_size(&view), .list_size = (uint32_t)list_size,
                                   .payload_size = view.payload_size, .chunk_size = view.chunk_size, .handle = image,
                                   .name = image->name };
    seal_image_id(&view, image->p2.id);
    r = 0;
done:
    if (r < 0)
        reason = err_text(r);
    free(seal);
    free(list);
    free(data);
    return r < 0 ? reason : NULL;
}

struct image *image_load(const struct image_spot *spot, const char **ret_reason, struct image_stamp *ret_stamp, bool *ret_passing)
{
    struct stat st;
    *ret_passing = true;
    int fd = openat(spot->folder, spot->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        *ret_reason = fd >= 0 && !S_ISREG(st.st_mode) ? "is not a regular file" : strerror(errno);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct image *image = tool_alloc(sizeof *image);
    *image = (struct image){ .path = tool_strdup(spot->path), .stamp = image_stamp_of(&st) };
    const char *slash = strrchr(image->path, '/');
    image->file_name = slash ? slash + 1 : image->path;
    *ret_stamp = image->stamp;
    *ret_reason = read_seal(fd, image, ret_passing);
    if (!*ret_reason) {
        image->map_len = (size_t)st.st_size;
        void *map = mmap(NULL, image->map_len, PROT_READ, MAP_SHARED, fd, 0);
        *ret_passing = map == MAP_FAILED;
        if (map == MAP_FAILED)
            *ret_reason = strerror(errno);
        else
            image->map = map;
    }
    close(fd);
    if (!*ret_reason)
        return image;
    image_free(image);
    return NULL;
}
