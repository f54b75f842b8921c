// SPDX-License-Identifier: MPL-2.0
// Any bytes as the head of an archive; and what is read as one can be written again, for a path that the writer takes.
#include "base/fuzz.h"
#include "image/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[4096];
    static char path[256];
    struct cpio_view view, other;
    if (!cpio_last(data, size, &view) || view.path_len >= sizeof path)
        return 0;
    memcpy(path, view.path, view.path_len);
    path[view.path_len] = '\0';
    const struct cpio_file file = { path, view.mode & CPIO_MODE_MAX, 0, view.size };
    int len = cpio_head(&file, again, sizeof again);
    if (len < 0)
        return 0;
    const char *plain = path;
    while (*plain == '/')
        plain++;
    if (!cpio_last(again, (size_t)len, &other) || other.size != view.size || other.path_len != strlen(plain) ||
        memcmp(other.path, plain, other.path_len) != 0)
        __builtin_trap();
    return 0;
}
