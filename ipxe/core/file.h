// SPDX-License-Identifier: MPL-2.0
// Files and folders in the file systems of the machine's disks, by URI: file:[//DISK]/PATH, doc/scripts.md.
#pragma once
#include "block/fs.h"
#include "core/session.h"
#include "proto/uri.h"

#define CORE_FILE_FOLDER "signet/"      // where paths that do not begin with '/' are
#define CORE_FILE_READ_SIZE (64 * 1024) // bytes a read; a multiple of every sector size

struct core_file {
    struct core *core;
    char path[sizeof CORE_FILE_FOLDER + URI_PATH_MAX]; // from the root, without a first '/'
    struct fs fs;                                      // in which it was found
    struct fs_node node;
    uint8_t buffer[CORE_FILE_READ_SIZE];
};

// The first file (or folder) of this name, on the disk that was booted from, then on the others. *ret is on the platform's heap, and
// the caller's to free. ERR_NOT_FOUND, ERR_DISK_PARTITION (no file system that can be read), ERR_NO_MEMORY, and those of core_disks().
int core_file_find(struct core *core, const struct uri *uri, bool folder, struct core_file **ret);
// The same by a URI's text, or a path alone. Also ERR_URI_MALFORMED, ERR_TOO_LARGE, ERR_URI_SCHEME (a URI of something else).
int core_file_find_text(struct core *core, const char *uri_text, bool folder, struct core_file **ret);

// Hands over all bytes of a file that was found, in order, and gives the keyboard and the network their turns. ERR_CANCELLED on
// ctrl-C, ERR_DISK_FILES, errors of reading, and what `bytes` returns.
typedef int core_file_bytes(void *ctx, const uint8_t *data, size_t len);
int core_file_read(struct core_file *f, core_file_bytes *bytes, void *ctx);
