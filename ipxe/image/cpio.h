// SPDX-License-Identifier: MPL-2.0
// The head of a file in a cpio archive of the form "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst): what stands
// in front of its bytes, so that both together are an initial file system that holds it.
#pragma once
#include "base/base.h"

#define CPIO_ENTRY_SIZE 110 // before a name
#define CPIO_MODE 0644      // when nobody says otherwise
#define CPIO_MODE_MAX 07777
#define CPIO_FOLDERS_ALL (-1)

struct cpio_file {
    const char *path; // in the file system, with or without a slash in front
    uint32_t mode;    // permissions, at most CPIO_MODE_MAX
    int folders;      // of the folders that it lies in the innermost so many are made as well, or CPIO_FOLDERS_ALL
    uint64_t size;    // bytes that follow
};

// Writes the entries of the folders (mode 0755, the outermost first), then the file's, each with zeros up to a multiple of 4. Owner, group and
// time are 0. The length; ERR_INVALID for a path that is empty, has an empty step, ".", ".." or anything but printable ASCII without blanks,
// or a mode out of bounds; ERR_TOO_LARGE when `cap` bytes do not hold it, or when the archive cannot say the size (4 GiB and more).
int cpio_head(const struct cpio_file *file, uint8_t *buf, size_t cap);

// The last of the entries that fill `data` exactly, as cpio_head writes them. False: they are none.
struct cpio_view {
    const char *path; // not terminated
    size_t path_len;
    uint32_t mode, size;
};
bool cpio_last(const uint8_t *data, size_t len, struct cpio_view *ret);
