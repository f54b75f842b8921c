// SPDX-License-Identifier: MPL-2.0
// Signet from a slot of a disk's boot area: the stage (mbr/) has loaded it to where a PXE ROM would, and entered it there.
#include "bios/entry.h"

#include "bios/console.h"
#include "bios/disk.h"
#include "bios/handed.h"
#include "bios/network.h"
#include "block/bootslot.h"

#define DRIVE_FIRST 0x80

static struct bootslot_handoff handoff;

static void say_slot(void)
{
    char other = (char)('A' + 1 - handoff.slot);
    unsigned bit = 1u << (1 - handoff.slot);
    bios_say("disk: Signet from slot %c (sequence %llu) of BIOS disk %02xh%s\n", 'A' + handoff.slot,
             (unsigned long long)handoff.sequence, handoff.drive, handoff.tries == BOOTSLOT_CONFIRMED ? "" : ", on trial");
    if (handoff.damaged & bit)
        bios_say("disk: slot %c is damaged and was passed over; write it anew with `signet install`\n", other);
    else if (handoff.spent & bit)
        bios_say("disk: slot %c never started an image and has no tries left\n", other);
}

// A slot on trial that starts a kernel becomes a confirmed one (block/bootslot.h).
static void confirm_slot(void)
{
    static uint8_t sector[BOOTSLOT_SECTOR];
    struct block_device disk;
    struct bootslot slot;
    if (handoff.tries == BOOTSLOT_CONFIRMED || bios_storage.device(NULL, 0, &disk) != 0 || !disk.boot ||
        disk.sector_size != BOOTSLOT_SECTOR)
        return;
    // Read again: only the slot that was entered is confirmed, and only its tries change.
    int err = block_read(&disk, handoff.header_lba, 1, sector);
    if (!err)
        err = bootslot_parse(sector, BOOTSLOT_SECTOR, &slot);
    if (!err && slot.sequence != handoff.sequence)
        err = ERR_INVALID;
    slot.tries = BOOTSLOT_CONFIRMED;
    if (!err)
        err = bootslot_build(&slot, sector);
    if (!err)
        err = block_write(&disk, handoff.header_lba, 1, sector);
    if (err)
        bios_say("disk: slot %c could not be confirmed: %s [%s]\n", 'A' + handoff.slot, err_text(err), err_code(err));
    else
        bios_say("disk: slot %c confirmed\n", 'A' + handoff.slot);
}

const struct bios_entry *entry_disk(void)
{
    static struct bios_entry entry = { .find_network = network_find, .said = say_slot, .before_kernel = confirm_slot };
    if (!handed_over(BOOTSLOT_HANDOFF_MAGIC, &handoff, sizeof handoff) || handoff.drive < DRIVE_FIRST || handoff.slot >= BOOTSLOT_COUNT)
        return NULL;
    entry.drive = handoff.drive;
    return &entry;
}
