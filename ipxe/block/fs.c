// SPDX-License-Identifier: MPL-2.0
// See fs.h.
#include "block/fs.h"

const struct fs_type *const fs_types[] = {
    &fs_fat,
};
const size_t fs_type_count = ARRAY_SIZE(fs_types);

int fs_probe(struct fs *fs, const struct block_device *dev)
{
    int err = ERR_NOT_FOUND;
    fs->dev = *dev;
    for (size_t i = 0; i < fs_type_count && err == ERR_NOT_FOUND; i++) {
        fs->type = fs_types[i];
        err = fs->type->probe(fs);
    }
    return err;
}
