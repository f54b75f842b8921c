// SPDX-License-Identifier: MPL-2.0
// See tables.h.
#include "bios/tables.h"

#include "image/acpi.h"
#include "real/real.h"

#define BDA_EBDA 0x40e
#define EBDA_SEARCH 1024
#define BIOS_AREA 0xe0000
#define BIOS_AREA_SIZE 0x20000

const uint8_t *table_at(uint32_t address, const char *signature, size_t *ret_len)
{
    if (address == 0 || address > UINT32_MAX - ACPI_TABLE_MAX)
        return NULL;
    const uint8_t *t = low_memory(address);
    *ret_len = acpi_table_length(t);
    return *ret_len && acpi_table_valid(t, *ret_len, signature) ? t : NULL;
}

const uint8_t *table_find(const char *signature, size_t *ret_len)
{
    uint16_t ebda;
    uint32_t rsdt_at;
    size_t len;
    memcpy(&ebda, low_memory(BDA_EBDA), sizeof ebda);
    if ((ebda < 0x400 || acpi_find_rsdt(low_memory((uint32_t)ebda << 4), EBDA_SEARCH, &rsdt_at) != 0) &&
        acpi_find_rsdt(low_memory(BIOS_AREA), BIOS_AREA_SIZE, &rsdt_at) != 0)
        return NULL;
    const uint8_t *rsdt = table_at(rsdt_at, "RSDT", &len), *found = NULL;
    for (size_t i = ACPI_HEADER_SIZE; rsdt && !found && len - i >= 4; i += 4)
        found = table_at(load32_le(rsdt + i), signature, ret_len);
    return found;
}
