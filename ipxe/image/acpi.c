// SPDX-License-Identifier: MPL-2.0
// See acpi.h. AML is not interpreted: _S5_ is a constant package in every DSDT, found by its bytes.
#include "image/acpi.h"

#include "base/cursor.h"

#define RSDP_SIZE 20
#define RSDP_RSDT 16
#define TABLE_LENGTH 4
#define FADT_DSDT 40
#define FADT_SMI_COMMAND 48
#define FADT_ENABLE 52
#define FADT_PM1A 64
#define FADT_PM1B 68
#define FADT_END 72
#define MADT_ENTRIES 44
#define MADT_APIC 0
#define APIC_ID 3
#define APIC_FLAGS 4
#define APIC_END 8
#define APIC_ENABLED 1u
#define APIC_ALL 0xff // all of them at once: no processor's number

// AML (20.2)
#define OP_ZERO 0x00
#define OP_ONE 0x01
#define OP_NAME 0x08
#define OP_BYTE 0x0a
#define OP_PACKAGE 0x12
#define SLEEP_TYPE_MAX 7

int acpi_find_rsdt(const uint8_t *area, size_t len, uint32_t *ret_rsdt)
{
    for (size_t i = 0; len >= RSDP_SIZE && i <= len - RSDP_SIZE; i += 16)
        if (memcmp(area + i, "RSD PTR ", 8) == 0 && byte_sum(area + i, RSDP_SIZE) == 0) {
            *ret_rsdt = load32_le(area + i + RSDP_RSDT);
            return 0;
        }
    return ERR_NOT_FOUND;
}

uint32_t acpi_table_length(const uint8_t *header)
{
    uint32_t len = load32_le(header + TABLE_LENGTH);
    return len >= ACPI_HEADER_SIZE && len <= ACPI_TABLE_MAX ? len : 0;
}

bool acpi_table_valid(const uint8_t *table, size_t len, const char *signature)
{
    return len >= ACPI_HEADER_SIZE && memcmp(table, signature, 4) == 0 && acpi_table_length(table) == len &&
           byte_sum(table, len) == 0;
}

int acpi_read_fadt(const uint8_t *fadt, size_t len, struct acpi_power *ret)
{
    if (len < FADT_END)
        return ERR_TRUNCATED;
    struct acpi_power p = { .dsdt = load32_le(fadt + FADT_DSDT),
                            .smi_command = load32_le(fadt + FADT_SMI_COMMAND),
                            .enable = fadt[FADT_ENABLE],
                            .pm1a = load32_le(fadt + FADT_PM1A),
                            .pm1b = load32_le(fadt + FADT_PM1B) };
    // Hardware-reduced machines have no such ports.
    if (p.pm1a == 0 || p.pm1a > UINT16_MAX || p.pm1b > UINT16_MAX || p.smi_command > UINT16_MAX)
        return ERR_UNSUPPORTED;
    *ret = p;
    return 0;
}

static bool small_number(struct cursor *c, uint8_t *ret)
{
    uint8_t op = cursor_u8(c);
    uint8_t value = op == OP_BYTE ? cursor_u8(c) : op;
    if (!cursor_ok(c) || (op != OP_BYTE && op != OP_ZERO && op != OP_ONE) || value > SLEEP_TYPE_MAX)
        return false;
    *ret = value;
    return true;
}

int acpi_find_s5(const uint8_t *dsdt, size_t len, uint8_t *ret_a, uint8_t *ret_b)
{
    for (size_t i = ACPI_HEADER_SIZE; i < len; i++) {
        struct cursor c = cursor_make(dsdt + i, len - i);
        if (cursor_u8(&c) != OP_NAME)
            continue;
        const uint8_t *name = cursor_bytes(&c, 1);
        if (name && *name == '\\') // the root's name may be spelled out
            name = cursor_bytes(&c, 4);
        else if (name && cursor_bytes(&c, 3) == NULL)
            name = NULL;
        if (!name || memcmp(name, "_S5_", 4) != 0 || cursor_u8(&c) != OP_PACKAGE)
            continue;
        // PkgLength: the two high bits of its first byte say how many more there are.
        uint8_t lead = cursor_u8(&c), count, a, b;
        (void)cursor_bytes(&c, lead >> 6);
        count = cursor_u8(&c);
        if (!cursor_ok(&c) || count == 0 || !small_number(&c, &a))
            continue;
        if (count < 2 || !small_number(&c, &b))
            b = a;
        *ret_a = a;
        *ret_b = b;
        return 0;
    }
    return ERR_NOT_FOUND;
}

struct cursor acpi_madt_begin(const uint8_t *madt, size_t len)
{
    struct cursor c = cursor_make(madt, len);
    (void)cursor_bytes(&c, MADT_ENTRIES);
    return c;
}

const uint8_t *acpi_madt_next(struct cursor *c)
{
    const uint8_t *head = c->len ? cursor_bytes(c, 2) : NULL;
    // One that is shorter than its own head would have no end.
    return head && cursor_bytes(c, head[1] < 2 ? SIZE_MAX : head[1] - 2u) ? head : NULL;
}

int acpi_read_apics(const uint8_t *madt, size_t len, uint8_t self, uint8_t *ret, unsigned cap)
{
    unsigned count = 0;
    struct cursor c = acpi_madt_begin(madt, len);
    for (const uint8_t *head; (head = acpi_madt_next(&c)) != NULL;) {
        if (head[0] != MADT_APIC || head[1] < APIC_END || !(load32_le(head + APIC_FLAGS) & APIC_ENABLED))
            continue;
        if (head[APIC_ID] != self && head[APIC_ID] != APIC_ALL && count < cap)
            ret[count++] = head[APIC_ID];
    }
    return cursor_ok(&c) ? (int)count : ERR_TRUNCATED;
}
