// SPDX-License-Identifier: MPL-2.0
// Any bytes as a bzImage whose size its last bytes claim.
#include "base/fuzz.h"
#include "image/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bzimage image;
    static uint8_t page[BZIMAGE_PAGE_SIZE];
    uint64_t file_size = size >= 4 ? size + load32_le(data + size - 4) : size;
    if (bzimage_parse(data, size, file_size, &image) != 0)
        return 0;
    if (image.setup_size + image.kernel_size != file_size || image.kernel_size == 0 ||
        image.setup_size > BZIMAGE_SETUP_MAX || (image.relocatable && !image.alignment))
        __builtin_trap();
    struct bzimage_e820 map[] = { { 0, 0x9f000, E820_RAM }, { MIB, GIB, E820_RAM } };
    struct bzimage_start start = {
        .kernel_address = image.pref_address, .initrd = GIB, .initrd_len = MIB, .cmdline = 0x90000, .cmdline_len = 100,
        .e820 = map, .e820_count = 2, .heap_end = 0xe000,
    };
    if (bzimage_fill_setup(data, size, file_size, &start, page) == 0 && (page[0x1ef] != 0 || page[0x210] != 0xff))
        __builtin_trap();
    return 0;
}
