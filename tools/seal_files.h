// SPDX-License-Identifier: MPL-2.0
// The files that a script names, for `signet seal --from-script`: from the disk, from below a folder that stands for the servers, or by HTTP.
#pragma once
#include "tool.h"

#define SEAL_SCRIPT_MAX (1024 * 1024)

struct seal_files {
    const char *root; // folder of what servers have at "/"; NULL: asked for by HTTP
    struct seal_file {
        char *uri;
        int err;     // 0: the file is there
        int fd;
        char *path;  // of the descriptor, under the name of the URI for messages and seals (tool_alias)
        char *local; // where it lies on this machine, NULL for a download
        char *text;  // of a script
        size_t len;
    } *items;
    size_t count;
};

// The URI of a local file, against which those in it are resolved. free()
char *seal_files_local(const char *path);

// Finds the file; once for each URI. Shapes as walk_ops has them; *ret_text stays until seal_files_close.
int seal_files_find(void *files, const char *uri, const char **ret_text, size_t *ret_len);

// Where the file of a URI lies on this machine, or would: free(). NULL: elsewhere.
char *seal_files_path(const struct seal_files *files, const char *uri);

// One that was found.
const struct seal_file *seal_files_at(const struct seal_files *files, const char *uri);
void seal_files_close(struct seal_files *files);
