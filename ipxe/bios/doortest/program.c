// SPDX-License-Identifier: MPL-2.0
// A network bootstrap program on top of the door (bios/program.h): that its calls arrive, that the card works in them, and that Signet goes
// on when it has ended.
#include "bios/doortest/program.h"

#include "base/bytes.h"
#include "bios/away.h"
#include "bios/doortest/wire.h"
#include "bios/layout.h"
#include "real/real.h"

#define PROGRAM_AT 0x08000000u
#define FIRST 0x1234
#define SECOND 0x5678
#define BLOCK 0x600

extern const uint8_t door_program[], door_program_end[];
static unsigned calls;
static bool by_int18;

static uint16_t call(void *ctx, uint16_t function, uint32_t block)
{
    uint8_t *p = pl->map(NULL, block, 4);
    calls++;
    if (function == FIRST && block == BLOCK && p) {
        // Memory that Signet's addresses would be is the program's.
        uint8_t *high = pl->map(NULL, HIGH_BASE, 4096);
        memset(high, 0xee, 4096);
        store16_le(p, arp() && away() && high != low_memory(HIGH_BASE) ? 0x4321 : 0);
        p[2] = by_int18;
        return 0;
    }
    return function == SECOND && block == BLOCK + 16 ? 1 : 0;
}

static int run(void)
{
    struct platform_nbp nbp = { .card = card, .call = call };
    struct platform_boot boot = { .nbp = &nbp, .kernel = PROGRAM_AT, .kernel_len = (uint64_t)(door_program_end - door_program) };
    memcpy(low_memory(PROGRAM_AT), door_program, (size_t)boot.kernel_len);
    calls = 0;
    int err = pl->boot(NULL, &boot);
    say("program: %u calls, %s\n", calls, err ? err_text(err) : "ended well");
    return err;
}

bool try_program_on_rom(void)
{
    return run() == ERR_BOOT_STATUS && calls == 0 && arp();
}

bool try_program(bool int18)
{
    by_int18 = int18;
    int err = run();
    return calls == 2 && err == (int18 ? ERR_BOOT_STATUS : 0) && arp();
}
