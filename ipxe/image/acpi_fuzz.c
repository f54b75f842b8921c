// SPDX-License-Identifier: MPL-2.0
#include "image/acpi.h"
#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t rsdt;
    struct acpi_power power;
    uint8_t a, b, ids[3];
    int count = acpi_read_apics(data, size, 0, ids, ARRAY_SIZE(ids));
    for (int i = 0; i < count; i++)
        if (i >= (int)ARRAY_SIZE(ids) || ids[i] == 0 || ids[i] == 0xff)
            __builtin_trap();
    (void)acpi_find_rsdt(data, size, &rsdt);
    if (size >= ACPI_HEADER_SIZE)
        (void)acpi_table_valid(data, size, "FACP");
    (void)acpi_read_fadt(data, size, &power);
    if (acpi_find_s5(data, size, &a, &b) == 0 && (a > 7 || b > 7))
        __builtin_trap();
    return 0;
}
