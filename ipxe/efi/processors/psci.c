// SPDX-License-Identifier: MPL-2.0
// See psci.h.
#include "efi/processors/psci.h"

#include "efi/efi.h"
#include "image/acpi_arm.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_FEATURES 0x8400000au
#define PSCI_VERSION_1 0x10000
#define AFFINITY_OFF 1

static enum acpi_conduit conduit;

// SMC calling convention 1.0 (Arm DEN 0028): x4 to x17 are not kept.
static int32_t call(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;
#define CALL(instruction)                                                                                              \
    __asm__ volatile(instruction " #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5", "x6", "x7", "x8", "x9", \
                     "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory")
    if (conduit == ACPI_CONDUIT_HVC)
        CALL("hvc");
    else
        CALL("smc");
#undef CALL
    return (int32_t)x0;
}

// A table that ACPI lists, whole and with a right checksum, or NULL.
static const uint8_t *find_table(const char *signature, size_t *ret_len)
{
    static const struct efi_guid guid = EFI_ACPI2_GUID;
    const uint8_t *rsdp = efi_table(&guid);
    uint64_t address;
    if (!rsdp || acpi_read_rsdp(rsdp, &address) != 0)
        return NULL;
    const uint8_t *xsdt = (const uint8_t *)(uintptr_t)address;
    size_t xsdt_len = acpi_table_length(xsdt);
    if (!acpi_table_valid(xsdt, xsdt_len, "XSDT"))
        return NULL;
    for (unsigned i = 0; i < acpi_xsdt_count(xsdt_len); i++) {
        const uint8_t *table = (const uint8_t *)(uintptr_t)acpi_xsdt_entry(xsdt, i);
        *ret_len = acpi_table_length(table);
        if (acpi_table_valid(table, *ret_len, signature))
            return table;
    }
    return NULL;
}

unsigned psci_find(uint64_t *ret, unsigned cap)
{
    size_t fadt_len, madt_len;
    const uint8_t *fadt = find_table("FACP", &fadt_len), *madt = find_table("APIC", &madt_len);
    if (!fadt || !madt || acpi_read_conduit(fadt, fadt_len, &conduit) != 0)
        return 0;
    if (call(PSCI_VERSION, 0, 0, 0) < PSCI_VERSION_1 || call(PSCI_FEATURES, PSCI_CPU_ON, 0, 0) < 0 ||
        call(PSCI_FEATURES, PSCI_CPU_OFF, 0, 0) < 0 || call(PSCI_FEATURES, PSCI_AFFINITY_INFO, 0, 0) < 0)
        return 0;
    uint64_t self;
    __asm__("mrs %0, mpidr_el1" : "=r"(self));
    int count = acpi_read_processors(madt, madt_len, self & ACPI_ARM_AFFINITY, ret, cap);
    return count < 0 ? 0 : (unsigned)count;
}

bool psci_on(uint64_t processor, uint64_t entry, uint64_t context)
{
    return call(PSCI_CPU_ON, processor, entry, context) == 0;
}

bool psci_is_off(uint64_t processor)
{
    return call(PSCI_AFFINITY_INFO, processor, 0, 0) == AFFINITY_OFF;
}

void psci_off(void)
{
    for (;;) // it returns only where the firmware refuses, and then nothing else is left to do
        (void)call(PSCI_CPU_OFF, 0, 0, 0);
}
