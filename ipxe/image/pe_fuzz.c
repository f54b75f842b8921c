// SPDX-License-Identifier: MPL-2.0
#include "image/pe.h"

#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pe_image image;
    if (pe_parse(data, size, size, &image) == 0 && image.memory == 0)
        __builtin_trap();
    return 0;
}
