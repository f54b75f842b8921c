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
    static const char *const numbers[] = { "1.4.0", "1.8.16", "3.8.0", "1.1.4.0", "0.4.4" };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const uint8_t *at;
        int n = smbios_field(data, size, numbers[i], &at);
        if (n > 0 && (at < data || at + n > data + size))
            __builtin_trap();
    }
    return 0;
}
