// SPDX-License-Identifier: MPL-2.0
#include "image/arm64.h"

#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arm64_image image;
    if (arm64_parse(data, size, size, &image) == 0 && image.memory < size)
        __builtin_trap();
    return 0;
}
