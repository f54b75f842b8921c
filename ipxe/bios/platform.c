// SPDX-License-Identifier: MPL-2.0
// See platform.h: each call goes to the part that does it.
#include "bios/platform.h"

#include "bios/away.h"
#include "bios/clock.h"
#include "bios/console.h"
#include "bios/disk.h"
#include "bios/entropy.h"
#include "bios/leave.h"
#include "bios/linux.h"
#include "bios/machine.h"
#include "bios/memory.h"
#include "bios/network.h"
#include "bios/power.h"
#include "bios/processors.h"
#include "bios/program.h"
#include "bios/receive.h"

#define FOUR_GIB 0x100000000ull

static void (*last_thing)(void);

static uint64_t now_us(void *ctx)
{
    return clock_us();
}

static void random_bytes(void *ctx, void *buf, size_t len)
{
    entropy_bytes(buf, len);
}

static void *allocate(void *ctx, size_t len)
{
    return memory_alloc(len);
}

static void release(void *ctx, void *ptr)
{
    memory_free(ptr);
}

static void console_out(void *ctx, const char *text, size_t len)
{
    bios_console_write(text, len);
}

static int console_key(void *ctx)
{
    return bios_console_getkey();
}

static void idle(void *ctx, uint64_t deadline_us)
{
    network_idle(); // until the next tick at the latest
}

static unsigned memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    return machine_memory(HIGH_BASE + memory_own().length, ret, PLATFORM_REGIONS_MAX);
}

static unsigned firmware_memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    ret[0] = memory_own();
    return 1;
}

static void *map(void *ctx, uint64_t address, uint64_t length)
{
    return address < FOUR_GIB && length <= FOUR_GIB - address ? away_map((uint32_t)address, length) : NULL;
}

static int boot(void *ctx, const struct platform_boot *what)
{
    if (what->nbp) {
        if (last_thing)
            last_thing();
        return program_run(what);
    }
    int err = linux_prepare(what, machine_map());
    if (err)
        return err;
    processors_stop(NULL); // they are stopped already, as after every download
    network_silence();
    if (last_thing)
        last_thing();
    start_kernel((uint32_t)what->kernel_address, what->move_count);
}

static void leave(void *ctx, enum platform_leave how)
{
    processors_stop(NULL);
    if (how == LEAVE_EXIT) {
        network_release();
        leave_to_rom();
    }
    network_silence();
    if (how == LEAVE_POWEROFF) {
        power_off();
        bios_say("bios: this machine does not power itself off; it is safe to do so now.\n");
        for (;;)
            halt();
    }
    power_reboot();
}

static const char *smbios(void *ctx, const char *name)
{
    return machine_smbios(name);
}

static const uint8_t *smbios_table(void *ctx, size_t *ret_len)
{
    return machine_smbios_table(ret_len);
}

static const struct platform pc = {
    .name = "pcbios",
    .buildarch = "i386",
    .pxe_arch = PXE_ARCH_BIOS,
    .now_us = now_us,
    .random = random_bytes,
    .alloc = allocate,
    .free = release,
    .console_write = console_out,
    .console_getkey = console_key,
    .idle = idle,
    .cards = network_cards,
    .memory = memory,
    .firmware_memory = firmware_memory,
    .memory_limit = FOUR_GIB,
    .targets = 1u << TARGET_LINUX_X86 | 1u << TARGET_NBP,
    .map = map,
    .boot = boot,
    .leave = leave,
    .storage = &bios_storage,
    .smbios = smbios,
    .smbios_table = smbios_table,
    .helpers_start = processors_start,
    .helpers_stop = processors_stop,
};

const struct platform *bios_platform(void (*before_kernel)(void))
{
    last_thing = before_kernel;
    return &pc;
}
