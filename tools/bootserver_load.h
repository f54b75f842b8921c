// SPDX-License-Identifier: MPL-2.0
// One image file of a boot server: opened, checked, mapped.
#pragma once
#include "bootserver_images.h"
#include <sys/stat.h>

// Where a file lies. What a folder held is looked at through the open folder: it may be renamed away in the midst of a scan.
struct image_spot {
    int folder;       // AT_FDCWD: none
    const char *name; // in it
    const char *path; // what people call it
};

struct image_stamp image_stamp_of(const struct stat *st);

// Maps and checks a file; to be freed by image_free. NULL with *ret_reason set (a phrase), and *ret_passing when the reason may
// not be the file's own. *ret_stamp is set once the file is open.
struct image *image_load(const struct image_spot *spot, const char **ret_reason, struct image_stamp *ret_stamp,
                         bool *ret_passing);

void image_free(struct image *image);
