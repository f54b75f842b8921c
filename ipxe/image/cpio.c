// SPDX-License-Identifier: MPL-2.0
// See cpio.h.
#include "image/cpio.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/fmt.h"

#define MAGIC "070701"
#define NUMBER_SIZE 8 // digits; 13 numbers follow the magic
enum { FIELD_MODE = 1, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };
#define MODE_FOLDER 0040755u
#define MODE_FILE 0100000u

// A path has steps with one slash between them.
static bool path_ok(const char *path)
{
    size_t step = 0;
    for (const char *p = path;; p++) {
        if (*p == '/' || *p == '\0') {
            const char *from = p - step;
            if (step == 0 || (step == 1 && from[0] == '.') || (step == 2 && from[0] == '.' && from[1] == '.'))
                return false;
            if (*p == '\0')
                return true;
            step = 0;
        } else if (*p <= ' ' || *p > '~') {
            return false;
        } else {
            step++;
        }
    }
}

// With a name of so many characters.
static size_t entry_size(size_t len)
{
    return (CPIO_ENTRY_SIZE + len + 1 + 3) / 4 * 4;
}

// The entry of path[0..len). False: no room.
static bool put_entry(const char *path, size_t len, uint32_t mode, uint32_t size, uint8_t *buf, size_t cap, size_t *at)
{
    char text[CPIO_ENTRY_SIZE + 1];
    size_t whole = entry_size(len);
    if (whole > cap - *at)
        return false;
    // Magic, inode, mode, owner, group, links, time, size, four numbers of devices, length of the name with its zero, sum (of another form).
    fmt_snprintf(text, sizeof text, MAGIC "%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 0u, mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u,
                 (unsigned)len + 1, 0u);
    memset(buf + *at, 0, whole);
    memcpy(buf + *at, text, CPIO_ENTRY_SIZE);
    memcpy(buf + *at + CPIO_ENTRY_SIZE, path, len);
    *at += whole;
    return true;
}

int cpio_head(const struct cpio_file *file, uint8_t *buf, size_t cap)
{
    const char *path = file->path;
    size_t at = 0, steps = 0, seen = 0, len;
    while (*path == '/')
        path++;
    if (!path_ok(path) || file->mode > CPIO_MODE_MAX || file->folders < CPIO_FOLDERS_ALL)
        return ERR_INVALID;
    len = strlen(path);
    if (file->size > UINT32_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < len; i++)
        steps += path[i] == '/';
    size_t made = file->folders == CPIO_FOLDERS_ALL ? steps : MIN((size_t)file->folders, steps);
    for (size_t i = 0; i < len; i++)
        if (path[i] == '/' && ++seen > steps - made && !put_entry(path, i, MODE_FOLDER, 0, buf, cap, &at))
            return ERR_TOO_LARGE;
    return put_entry(path, len, MODE_FILE | file->mode, (uint32_t)file->size, buf, cap, &at) ? (int)at : ERR_TOO_LARGE;
}

// Eight hexadecimal digits.
static bool read_number(const uint8_t *text, uint32_t *ret)
{
    uint64_t n;
    bool good = fmt_parse_u64((const char *)text, NUMBER_SIZE, 16, &n);
    *ret = good ? (uint32_t)n : 0;
    return good;
}

bool cpio_last(const uint8_t *data, size_t len, struct cpio_view *ret)
{
    bool found = false;
    for (size_t at = 0; at < len; found = true) {
        uint32_t name;
        const uint8_t *entry = data + at, *fields = entry + sizeof MAGIC - 1;
        if (len - at < CPIO_ENTRY_SIZE || memcmp(entry, MAGIC, sizeof MAGIC - 1) != 0 || (found && ret->size) ||
            !read_number(fields + FIELD_MODE * NUMBER_SIZE, &ret->mode) || !read_number(fields + FIELD_SIZE * NUMBER_SIZE, &ret->size) ||
            !read_number(fields + FIELD_NAME_SIZE * NUMBER_SIZE, &name) || name < 2 || name > len - at - CPIO_ENTRY_SIZE ||
            entry_size(name - 1) > len - at)
            return false;
        ret->path = (const char *)entry + CPIO_ENTRY_SIZE;
        ret->path_len = name - 1;
        at += entry_size(ret->path_len);
    }
    return found;
}
