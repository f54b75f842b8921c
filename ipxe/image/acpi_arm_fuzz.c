// SPDX-License-Identifier: MPL-2.0
#include "image/acpi_arm.h"
#include "base/fuzz.h"

#define CAP 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t xsdt, ids[CAP];
    enum acpi_conduit conduit;
    if (size >= ACPI_RSDP_SIZE)
        (void)acpi_read_rsdp(data, &xsdt);
    (void)acpi_read_conduit(data, size, &conduit);
    int n = acpi_read_processors(data, size, 0, ids, CAP);
    if (n > CAP)
        __builtin_trap();
    for (int i = 0; i < n; i++)
        if (ids[i] == 0 || (ids[i] & ~ACPI_ARM_AFFINITY))
            __builtin_trap();
    // As a valid XSDT would be read.
    for (unsigned i = 0; size >= ACPI_HEADER_SIZE && i < acpi_xsdt_count(size); i++)
        (void)acpi_xsdt_entry(data, i);
    return 0;
}
