// SPDX-License-Identifier: MPL-2.0
#include "bios/power.h"

#include "base/err.h"
#include "bios/clock.h"
#include "bios/leave.h"
#include "bios/ports.h"
#include "bios/receive.h"
#include "bios/tables.h"
#include "image/acpi.h"

#define BDA_RESET_FLAG 0x472
#define RESET_WAIT_US 100000
#define OFF_WAIT_US 1000000
#define SCI_ENABLED 1u
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_TYPE_MASK (7u << SLEEP_TYPE_SHIFT)
#define SLEEP_ENABLE (1u << 13)

static void wait_us(uint64_t us)
{
    uint64_t start = clock_us();
    while (clock_us() - start < us)
        halt(); // the BIOS's ticks go on, should they be the clock
}

void power_reboot(void)
{
    uint16_t cold = 0;
    memcpy(low_memory(BDA_RESET_FLAG), &cold, sizeof cold); // with all its tests
    out8(0xcf9, 0x02);
    out8(0xcf9, 0x06);
    wait_us(RESET_WAIT_US);
    for (unsigned i = 0; i < 100000 && (in8(0x64) & 2); i++)
        ;
    out8(0x64, 0xfe);
    wait_us(RESET_WAIT_US);
    triple_fault();
}

static int find_power(struct acpi_power *ret, uint8_t *ret_a, uint8_t *ret_b)
{
    size_t len;
    const uint8_t *fadt = table_find("FACP", &len);
    int err = fadt ? acpi_read_fadt(fadt, len, ret) : ERR_NOT_FOUND;
    if (err)
        return err;
    const uint8_t *dsdt = table_at(ret->dsdt, "DSDT", &len);
    return dsdt ? acpi_find_s5(dsdt, len, ret_a, ret_b) : ERR_NOT_FOUND;
}

static void sleep_now(uint32_t port, uint8_t type)
{
    uint16_t value = in16((uint16_t)port) & (uint16_t)~SLEEP_TYPE_MASK;
    out16((uint16_t)port, (uint16_t)(value | (uint32_t)type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
}

static void off_by_acpi(void)
{
    struct acpi_power power;
    uint8_t a, b;
    if (find_power(&power, &a, &b) != 0)
        return;
    if (power.smi_command && power.enable && !(in16((uint16_t)power.pm1a) & SCI_ENABLED)) {
        out8((uint16_t)power.smi_command, power.enable);
        uint64_t start = clock_us();
        while (!(in16((uint16_t)power.pm1a) & SCI_ENABLED) && clock_us() - start < OFF_WAIT_US)
            ;
    }
    sleep_now(power.pm1a, a);
    if (power.pm1b)
        sleep_now(power.pm1b, b);
    wait_us(OFF_WAIT_US);
}

static bool apm(uint32_t function, uint32_t ebx, uint32_t ecx)
{
    struct bios_regs regs = { .eax = 0x5300 | function, .ebx = ebx, .ecx = ecx };
    bios_call(&regs, 0x15);
    return !(regs.flags & FLAG_CARRY);
}

static void off_by_apm(void)
{
    // APM 1.2: there; connect in real mode (an error may mean "connected"); we know 1.2; all devices to "off".
    if (!apm(0x00, 0, 0))
        return;
    (void)apm(0x01, 0, 0);
    if (apm(0x0e, 0, 0x0102) && apm(0x07, 1, 3))
        wait_us(OFF_WAIT_US);
}

void power_off(void)
{
    off_by_acpi();
    off_by_apm();
}
