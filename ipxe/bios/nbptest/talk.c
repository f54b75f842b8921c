// SPDX-License-Identifier: MPL-2.0
// See nbptest.h: what is said, and calls of the API.
#include "bios/nbptest/nbptest.h"

#include "base/fmt.h"
#include "real/real.h"

#define BDA_TICKS 0x46c

extern uint32_t pxe_kept[2 * REGISTERS], pxe_sp_moved;
extern uint16_t pxe_function, pxe_ax;
extern char real_pxe[];

struct addresses addresses;
uint16_t last_status;
unsigned failed, registers_lost, disagreements;

static void put(const char *text)
{
    for (const char *p = text; *p; p++) {
        while (!(in8(COM1 + 5) & 0x20))
            ;
        out8(COM1, (uint8_t)*p);
    }
    bios_print(text);
}

void note(const char *format, ...)
{
    static char text[160];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(text, sizeof text - 2, format, args);
    va_end(args);
    memcpy(text + strlen(text), "\r\n", 3);
    put(text);
}

bool result(bool good, const char *name)
{
    failed += !good;
    note("%s nbp-%s", good ? "ok" : "FAIL", name);
    return good;
}

uint32_t ticks(void)
{
    struct bios_regs regs = { 0 };
    bios_call(&regs, 0x12); // the BIOS counts while a call is under way
    return load32_le(low_memory(BDA_TICKS));
}

// ---- calls ----------------------------------------------------------------------------------------------

void call(uint16_t function, void *block, size_t len)
{
    memcpy(low_memory(BLOCK_AT), block, len);
    pxe_function = function;
    pxe_ax = 0xdead;
    real_call((uint32_t)real_pxe);
    memcpy(block, low_memory(BLOCK_AT), len);
    last_status = load16_le(block);
    for (unsigned i = 0; i < REGISTERS; i++) {
        bool counts = i < 6 || ((pxe_kept[i] ^ pxe_kept[REGISTERS + i]) & 0xffff) != 0;
        if (!counts || pxe_kept[i] == pxe_kept[REGISTERS + i])
            continue;
        if (registers_lost++ < 3)
            note("nbp: call %02x changes register %u from %08x to %08x", function, i, pxe_kept[i], pxe_kept[REGISTERS + i]);
    }
    if (pxe_sp_moved && registers_lost++ < 3)
        note("nbp: call %02x changes ESP by %x", function, pxe_sp_moved);
    if (pxe_ax > 1 || (pxe_ax == 0) != (last_status == 0)) {
        if (disagreements++ < 3)
            note("nbp: call %02x says %04x in AX, %04x in Status", function, pxe_ax, last_status);
    }
}

bool api(uint16_t function, void *block, size_t len)
{
    call(function, block, len);
    if (pxe_ax != 0)
        note("nbp: call %02x: AX %04x, status %02x", function, pxe_ax, last_status);
    return pxe_ax == 0;
}

bool refused(uint16_t function, void *block, size_t len)
{
    call(function, block, len);
    return pxe_ax == 1 && last_status != 0;
}
