// SPDX-License-Identifier: MPL-2.0
#include "image/smbios.h"
#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smbios_entry e;
    struct smbios s;
    (void)smbios_find(data, size, &e);
    (void)smbios_parse(data, size, 0x0208, &s);
    static const char *const names[] = { "uuid", "serial", "product", "manufacturer", "asset" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *v = smbios_value(&s, names[i]);
        if (v && (strlen(v) == 0 || strlen(v) >= SMBIOS_TEXT_MAX))
            __builtin_trap();
    }
    return 0;
}
