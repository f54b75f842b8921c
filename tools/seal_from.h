// SPDX-License-Identifier: MPL-2.0
// `signet seal --from-script`: a seal for each kernel that a script starts.
#pragma once
#include "mkimage.h"

struct seal_from {
    const char *script; // file or http:// URI
    const char *root;   // folder with the servers' files; NULL: by HTTP
    const char *folder; // where the seals go; NULL: beside the kernels
    struct opt_list sets;
    const struct mkimage *options; // keys, names and the like for all of them; its patterns are added to each
};

// An exit status.
int seal_from_script(const struct seal_from *from);
