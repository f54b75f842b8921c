// SPDX-License-Identifier: MPL-2.0
// struct platform for a machine with UEFI, and the application's entry. doc/efi.md tells how it works.
#include "core/core.h"
#include "base/bytes.h"
#include "efi/boot/application.h"
#include "efi/cards/cards.h"
#include "efi/clock.h"
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/entropy.h"
#include "efi/heap.h"
#include "efi/processors/helpers.h"
#include "efi/boot/linux.h"
#include "efi/boot/memory.h"
#include "efi/cards/nic.h"
#include "efi/nvram.h"
#include "efi/outside.h"
#include "efi/boot/start.h"
#include "efi/disks/storage.h"
#include "efi/tcg2.h"
#include "efi/boot/vouch.h"
#include "image/embed.h"
#include "image/smbios.h"
#include "options.h"

#define SNP_ONLY "snponly" // in our file's name: every card stays the firmware driver's, as with iPXE's file of that name
#define BUSY_US 20000     // after a frame: look at the card without resting
#define REST_US 1000      // no card wakes us; the firmware's timer may be coarser
#define SMBIOS_ENTRY_MAX 32
#define SMBIOS_TABLE_MAX 0x20000

extern const uint8_t embed_slot[]; // slot.S
static struct smbios smbios;
static const uint8_t *smbios_bytes; // the tables, NULL: there are none
static size_t smbios_len;
static efi_event rest_timer;
static uint64_t last_frame_us; // as idle() knows it

efi_status efi_main(efi_handle image, struct efi_system_table *system);

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
    return heap_alloc(len);
}

static void release(void *ctx, void *ptr)
{
    heap_free(ptr);
}

static void console_out(void *ctx, const char *text, size_t len)
{
    console_write_text(text, len);
}

static int console_key(void *ctx)
{
    return console_read_key();
}

static void console_rows(void *ctx, unsigned rows, unsigned *ret_rows, unsigned *ret_columns)
{
    console_size(rows, ret_rows, ret_columns);
}

// Waiting for an event lets the firmware halt the processor until its next timer tick, which is too long between two
// frames of a download and right in a wait.
static void idle(void *ctx, uint64_t deadline_us)
{
    uint64_t index, now = clock_us();
    if (nic_frame_passed())
        last_frame_us = now;
    if (!rest_timer || now - last_frame_us < BUSY_US || deadline_us < now + REST_US)
        return;
    if (!efi_failed(efi_boot->set_timer(rest_timer, EFI_TIMER_RELATIVE, REST_US * 10)))
        (void)efi_boot->wait_for_event(1, &rest_timer, &index);
}

static unsigned memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    return memory_free(ret, PLATFORM_REGIONS_MAX);
}

static void *map(void *ctx, uint64_t address, uint64_t length)
{
    return memory_claim(address, length);
}

static void unmap(void *ctx, uint64_t address, uint64_t length)
{
    memory_release(address, length);
}

static unsigned start_helpers(void *ctx, struct hashboard *board)
{
    return helpers_start(board);
}

static void stop_helpers(void *ctx)
{
    helpers_stop();
}

static int boot(void *ctx, const struct platform_boot *what)
{
    helpers_settle();
    return what->application ? application_run(what) : linux_start(what);
}

// As if we had never been here.
static void give_back(void)
{
    helpers_settle();
    nic_close_all();
    memory_release(0, UINT64_MAX);
    heap_free_all();
    if (rest_timer)
        (void)efi_boot->close_event(rest_timer);
    rest_timer = NULL;
}

static void leave(void *ctx, enum platform_leave how)
{
    give_back();
    if (how == LEAVE_EXIT)
        (void)efi_boot->exit(efi_image, EFI_ABORTED, 0, NULL);
    efi_system->runtime->reset(how == LEAVE_POWEROFF ? EFI_RESET_SHUTDOWN : EFI_RESET_COLD, EFI_SUCCESS, 0, NULL);
}

static const char *smbios_text(void *ctx, const char *name)
{
    return smbios_value(&smbios, name);
}

static const uint8_t *smbios_table(void *ctx, size_t *ret_len)
{
    *ret_len = smbios_len;
    return smbios_bytes;
}

static void read_smbios(void)
{
    static const struct efi_guid guids[] = { EFI_SMBIOS3_GUID, EFI_SMBIOS_GUID };
    for (size_t i = 0; i < ARRAY_SIZE(guids); i++) {
        const uint8_t *point = efi_table(&guids[i]);
        struct smbios_entry entry;
        if (!point || smbios_find(point, SMBIOS_ENTRY_MAX, &entry) != 0)
            continue;
        smbios_bytes = (const void *)(uintptr_t)entry.table;
        smbios_len = MIN(entry.length, (uint32_t)SMBIOS_TABLE_MAX);
        (void)smbios_parse(smbios_bytes, smbios_len, entry.version, &smbios);
        return;
    }
}

static int measure(void *ctx, uint32_t pcr, const void *event, size_t len)
{
    return tcg2_measure(pcr, event, len);
}

static struct platform efi_platform = {
    .name = "efi",
#if defined(__x86_64__)
    .buildarch = "x86_64",
    .pxe_arch = PXE_ARCH_EFI_X64,
#else
    .buildarch = "arm64",
    .pxe_arch = PXE_ARCH_EFI_ARM64,
#endif
    .now_us = now_us,
    .random = random_bytes,
    .alloc = allocate,
    .free = release,
    .console_write = console_out,
    .console_getkey = console_key,
    .console_size = console_rows,
    .idle = idle,
    .cards = nic_cards,
    .memory = memory,
    .memory_limit = UINT64_MAX,
    .map = map,
    .unmap = unmap,
    .whole_kernel = true,
    .helpers_start = start_helpers,
    .helpers_stop = stop_helpers,
    .targets = START_TARGETS,
    .boot = boot,
    .leave = leave,
    .storage = &efi_storage,
    .nvram = &efi_nvram,
    .smbios = smbios_text,
    .smbios_table = smbios_table,
};

static void seed_entropy(void)
{
    struct {
        uint8_t mac[CARDS_MAX][6];
        char uuid[SMBIOS_UUID_TEXT];
    } unique = { 0 };
    for (unsigned i = 0; i < cards_count(); i++)
        memcpy(unique.mac[i], card_at(i)->card.info.mac, 6);
    memcpy(unique.uuid, smbios.uuid, sizeof unique.uuid);
    entropy_init(&unique, sizeof unique);
}

efi_status efi_main(efi_handle image, struct efi_system_table *system)
{
    if (!efi_begin(image, system))
        return EFI_UNSUPPORTED;
    (void)efi_boot->set_watchdog(0, 0, 0, NULL); // a boot over the network may take longer than its five minutes
    if (efi_failed(efi_boot->create_event(EFI_EVT_TIMER, 0, NULL, NULL, &rest_timer)))
        rest_timer = NULL;
    clock_init();
    read_smbios();
    bool firmware_drivers = load32_le(embed_slot + SLOT_FLAGS) & EMBED_FLAG_FIRMWARE_DRIVERS;
    cards_find(NATIVE_DRIVERS && !firmware_drivers && !outside_called(SNP_ONLY));
    seed_entropy();

    uint32_t length = load32_le(embed_slot + SLOT_LENGTH);
    struct core_options options = { .embed = length ? embed_slot + EMBED_SLOT_SIZE : NULL, .embed_len = length };
    outside_find(&options);
    efi_platform.measure = tcg2_find() ? measure : NULL;
    efi_platform.vouches = vouch_wanted();
    (void)core_main(&efi_platform, &options);
    give_back();
    return EFI_ABORTED; // an error makes the boot manager try its next option
}
