// SPDX-License-Identifier: MPL-2.0
// Files that a firmware boots from, replaced so that it finds the old or the new one whole whenever the power goes. Made for
// FAT, which has no journal, no links and no permissions. Behind the calls lies a mounted file system; tests put one
// in memory behind them, and cut its power.
#pragma once
#include "tool.h"

struct install_files {
    const char *path; // of the folder that names are relative to
    bool dry_run;     // nothing is changed: what would be is printed
    // 0 or a negative errno. Nothing is durable before the next sync, and in no certain order.
    int (*read)(struct install_files *f, const char *name, uint8_t **ret_data, size_t *ret_len); // *ret_data: free()
    int (*write)(struct install_files *f, const char *name, const void *data, size_t len);       // a new file
    int (*folder)(struct install_files *f, const char *name);
    int (*rename)(struct install_files *f, const char *from, const char *to);
    int (*exchange)(struct install_files *f, const char *a, const char *b); // -EINVAL: cannot be done here
    int (*remove)(struct install_files *f, const char *name);               // a file, or an empty folder
    int (*sync)(struct install_files *f);
    int fd; // of install_files_open
};

#define INSTALL_FILE_MAX (16 * MIB)

// Opens a folder, and locks it against another installer where something shall be written. 0, or -1 after a message.
int install_files_open(struct install_files *f, const char *path, bool writable);
void install_files_close(struct install_files *f);

// Whether files can be changed there at all. 0, or -1 after a message: it is mounted read-only.
int install_files_may_change(const struct install_files *f);

// Whether a file of `len` bytes can be put into a folder as `fresh`, beside `names`, as far as that can be told before: the file system may
// be written and has the room, the folder is one or can be made, and none of the names is taken by a folder. 0, or -1 after a message.
int install_files_may_replace(const struct install_files *f, const char *folder, const char *const *names, size_t count, const char *fresh,
                              size_t len);

// Reads a file: 0; 1: there is none; -1 after a message.
int install_files_get(struct install_files *f, const char *name, uint8_t **ret_data, size_t *ret_len);

// Puts a file in the place of `name`, whose folder is there. What was there before stays, as `keep` ("EFI/x/name.old");
// what `keep` was before goes. 0, or -1 after a message; `name` is the old or the new file then, and whole.
int install_files_replace(struct install_files *f, const char *name, const char *keep, const uint8_t *data, size_t len);

// Puts the file `kept` back in the place of `name`, which is there, or removes `name` when there is no `kept`. 0, or -1 after
// a message.
int install_files_restore(struct install_files *f, const char *name, const char *kept);

// The same for a folder to be made (it may be there), for a file or an empty folder to be removed (it need not be there).
int install_files_folder(struct install_files *f, const char *name);
int install_files_remove(struct install_files *f, const char *name);
