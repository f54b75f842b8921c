// SPDX-License-Identifier: MPL-2.0
#include "image/optrom.h"
#include "base/fuzz.h"
#include "image/romfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // A file of our own: nothing of it is written until it is closed.
    struct romfile own;
    if (romfile_open((uint8_t *)data, size, &own) == 0 && (own.length > own.room || own.program + own.room > data + size))
        __builtin_trap();
    // The whole chain, as a ROM in flash has it.
    for (unsigned images = 0; images < 16; images++) {
        struct optrom rom;
        if (optrom_parse(data, size, &rom) != 0)
            break;
        if (rom.size > size || (rom.undi_code_size && rom.undi_loader >= rom.size) || rom.device_list >= rom.size)
            __builtin_trap();
        (void)optrom_serves(data, &rom, rom.vendor, (uint16_t)(rom.device + 1));
        if (rom.last || rom.image_size == 0 || rom.image_size >= size)
            break;
        data += rom.image_size;
        size -= rom.image_size;
    }
    return 0;
}
