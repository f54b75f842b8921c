// SPDX-License-Identifier: MPL-2.0
// The start of everything in protected mode: start.S calls bios_main on a fresh stack; a return goes back to the ROM.
#include "bios/clock.h"
#include "bios/console.h"
#include "bios/disk.h"
#include "bios/entropy.h"
#include "bios/entry.h"
#include "bios/handed.h"
#include "bios/leave.h"
#include "bios/machine.h"
#include "bios/memory.h"
#include "bios/network.h"
#include "bios/panic.h"
#include "bios/platform.h"
#include "core/core.h"
#include "crypto/digest_hw.h"

void bios_main(void);

static void seed_entropy(void)
{
    struct {
        struct card_info info;
        const char *uuid;
    } unique = { .uuid = machine_smbios("uuid") };
    struct card *cards[CARDS_MAX];
    if (network_cards(NULL, cards))
        unique.info = cards[0]->info;
    entropy_init(&unique, sizeof unique);
    if (unique.uuid)
        entropy_add(unique.uuid, strlen(unique.uuid));
}

void bios_main(void)
{
    panic_init();
    if (sha256_hw_present())
        vectors_on();
    clock_init(true);
    memory_init();
    bios_console_init();
    const struct bios_entry *entry = entry_disk();
    if (!entry)
        entry = entry_rom();
    if (!entry)
        entry = entry_nbp();
    bios_disk_init(entry->drive);
    if (entry->said)
        entry->said();
    entry->find_network();
    machine_init(); // the memory map: what a ROM has taken is missing from it
    seed_entropy();

    const struct core_options options = { .embed = embed_length ? embed_area : NULL, .embed_len = embed_length,
                                          .folder = entry->drive != 0 };
    (void)core_main(bios_platform(entry->before_kernel), &options);
    network_release();
}
