// SPDX-License-Identifier: MPL-2.0
// See acpi_arm.h.
#include "image/acpi_arm.h"

#include "base/cursor.h"

#define RSDP_SIZE_1 20 // of revision 1, which has a checksum of its own
#define RSDP_REVISION 15
#define RSDP_XSDT 24
#define FADT_ARM_BOOT 129
#define FADT_ARM_BOOT_END 131
#define ARM_BOOT_PSCI 1u
#define ARM_BOOT_HVC 2u
#define MADT_GICC 0x0b
#define GICC_FLAGS 12
#define GICC_MPIDR 68
#define GICC_END 76 // what later revisions add is not read
#define GICC_ENABLED 1u

int acpi_read_rsdp(const uint8_t rsdp[ACPI_RSDP_SIZE], uint64_t *ret_xsdt)
{
    if (memcmp(rsdp, "RSD PTR ", 8) != 0 || rsdp[RSDP_REVISION] < 2 || byte_sum(rsdp, RSDP_SIZE_1) != 0 ||
        byte_sum(rsdp, ACPI_RSDP_SIZE) != 0)
        return ERR_NOT_FOUND;
    *ret_xsdt = load64_le(rsdp + RSDP_XSDT);
    return 0;
}

unsigned acpi_xsdt_count(size_t len)
{
    return (unsigned)((len - ACPI_HEADER_SIZE) / 8);
}

uint64_t acpi_xsdt_entry(const uint8_t *xsdt, unsigned i)
{
    return load64_le(xsdt + ACPI_HEADER_SIZE + (size_t)i * 8);
}

int acpi_read_conduit(const uint8_t *fadt, size_t len, enum acpi_conduit *ret)
{
    if (len < FADT_ARM_BOOT_END)
        return ERR_UNSUPPORTED;
    uint16_t flags = load16_le(fadt + FADT_ARM_BOOT);
    if (!(flags & ARM_BOOT_PSCI))
        return ERR_UNSUPPORTED;
    *ret = flags & ARM_BOOT_HVC ? ACPI_CONDUIT_HVC : ACPI_CONDUIT_SMC;
    return 0;
}

int acpi_read_processors(const uint8_t *madt, size_t len, uint64_t self, uint64_t *ret, unsigned cap)
{
    unsigned count = 0;
    struct cursor c = acpi_madt_begin(madt, len);
    for (const uint8_t *head; (head = acpi_madt_next(&c)) != NULL;) {
        if (head[0] != MADT_GICC || head[1] < GICC_END || !(load32_le(head + GICC_FLAGS) & GICC_ENABLED))
            continue;
        uint64_t affinity = load64_le(head + GICC_MPIDR);
        if (affinity != self && !(affinity & ~ACPI_ARM_AFFINITY) && count < cap)
            ret[count++] = affinity;
    }
    return cursor_ok(&c) ? (int)count : ERR_TRUNCATED;
}
