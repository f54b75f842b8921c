// SPDX-License-Identifier: MPL-2.0
// struct platform for a BIOS machine, and the start of everything in protected mode (start.S calls
// bios_main on a fresh stack; a return goes back to the ROM).
#include "base/fmt.h"
#include "bios/clock.h"
#include "bios/console.h"
#include "bios/disk.h"
#include "bios/entropy.h"
#include "bios/heap.h"
#include "bios/layout.h"
#include "bios/leave.h"
#include "bios/linux.h"
#include "bios/machine.h"
#include "bios/panic.h"
#include "bios/power.h"
#include "bios/pxe.h"
#include "bios/receive.h"
#include "bios/undi.h"
#include "bios/undi_rom.h"
#include "core/core.h"
#include "crypto/digest_hw.h"
#include "image/embed.h"
#include "phase2/seal.h"

#define FOUR_GIB 0x100000000ull

// start.S copies the blob of `signet embed` here.
_Alignas(16) uint8_t embed_area[EMBED_BLOB_MAX];
uint32_t embed_length;
__asm__(".globl embed_area_size\n.set embed_area_size, 65536");
_Static_assert(EMBED_BLOB_MAX == 65536, "as the assembler's embed_area_size");

extern char heap_start[], heap_end[];
static struct heap heap;
void bios_main(void);

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
    return heap_alloc(&heap, len);
}

static void release(void *ctx, void *ptr)
{
    heap_free(&heap, ptr);
}

// Mbed TLS allocates through these (config/mbedtls_config.h declares them).
void *calloc(size_t count, size_t size);
void free(void *ptr);

void *calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        return NULL;
    void *p = heap_alloc(&heap, count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void free(void *ptr)
{
    heap_free(&heap, ptr);
}

static void console_out(void *ctx, const char *text, size_t len)
{
    bios_console_write(text, len);
}

static int console_key(void *ctx)
{
    return bios_console_getkey();
}

static void idle(void *ctx)
{
    undi_idle();
}

static unsigned nic_count(void *ctx)
{
    return undi_count();
}

static int nic_info(void *ctx, unsigned nic, struct platform_nic *ret)
{
    if (!undi_nic(nic))
        return ERR_NET_NO_CARD;
    *ret = *undi_nic(nic);
    return 0;
}

static int nic_open(void *ctx, unsigned nic)
{
    return undi_open(nic);
}

static void nic_close(void *ctx, unsigned nic)
{
    undi_close(nic);
}

static int nic_multicast(void *ctx, unsigned nic, const uint8_t (*macs)[6], unsigned count)
{
    return undi_multicast(nic, macs, count);
}

static int frame_send(void *ctx, unsigned nic, const void *frame, size_t len)
{
    return undi_send(nic, frame, len);
}

static int frame_recv(void *ctx, unsigned nic, uint8_t **ret_frame)
{
    return undi_receive(nic, ret_frame);
}

static unsigned memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    return machine_memory((uint32_t)heap_end, ret, PLATFORM_REGIONS_MAX);
}

static unsigned firmware_memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    ret[0] = (struct mem_region){ .base = HIGH_BASE, .length = (uint32_t)heap_end - HIGH_BASE };
    return 1;
}

static void *map(void *ctx, uint64_t address, uint64_t length)
{
    return address < FOUR_GIB && length <= FOUR_GIB - address ? (void *)(uint32_t)address : NULL;
}

static int boot(void *ctx, const struct platform_boot *what)
{
    return linux_boot(what, machine_map());
}

// For the next boot device, which may be a ROM whose cards these are.
static void release_network(void)
{
    undi_close_all();
    undi_rom_stop();
}

static void leave(void *ctx, enum platform_leave how)
{
    if (how == LEAVE_EXIT) {
        release_network();
        leave_to_rom();
    }
    undi_shutdown();
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

static const struct platform bios_platform = {
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
    .nic_count = nic_count,
    .nic_info = nic_info,
    .nic_open = nic_open,
    .nic_close = nic_close,
    .nic_multicast = nic_multicast,
    .frame_send = frame_send,
    .frame_recv = frame_recv,
    .memory = memory,
    .firmware_memory = firmware_memory,
    .memory_limit = FOUR_GIB,
    .targets = 1u << TARGET_LINUX_X86,
    .map = map,
    .boot = boot,
    .leave = leave,
    .storage = &bios_storage,
    .smbios = smbios,
};

// The card that Signet was booted from; after a start from a disk, those that have ROMs in memory.
static void find_network(void)
{
    if (pxe_find() != 0)
        undi_rom_start();
    else if (undi_add(true) != 0)
        bios_say("undi: the PXE ROM does not say which card it has\n");
}

void bios_main(void)
{
    panic_init();
    if (sha256_hw_present())
        vectors_on();
    clock_init(true);
    heap_init(&heap, heap_start, (size_t)(heap_end - heap_start));
    bios_console_init();
    bios_disk_init();
    find_network();
    machine_init(); // the memory map: what a ROM has taken is missing from it
    struct {
        struct platform_nic nic;
        const char *uuid;
    } unique = { .uuid = machine_smbios("uuid") };
    if (undi_nic(0))
        unique.nic = *undi_nic(0);
    entropy_init(&unique, sizeof unique);
    if (unique.uuid)
        entropy_add(unique.uuid, strlen(unique.uuid));

    const struct core_options options = { .embed = embed_length ? embed_area : NULL, .embed_len = embed_length,
                                          .folder = bios_disk_booted() };
    (void)core_main(&bios_platform, &options);
    release_network();
}
