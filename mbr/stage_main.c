// SPDX-License-Identifier: MPL-2.0
// The stage: chooses a slot, loads its Signet, judges it by its SHA-256 and enters it (doc/boot-area.md). Runs in
// protected mode below 64 KiB, behind stage.S; nothing of a slot is executed before its digest was right.
#include "base/bytes.h"
#include "block/bootslot.h"
#include "mbr/layout.h"
#include "real/real.h"

#define DISK_READ 0x42
#define DISK_WRITE 0x43
#define READ_MAX 64 // sectors a call
#define SEGMENT 0x10000u

// stage.S.
extern uint8_t stage_drive;
extern char stage_enter[];
struct bootslot_handoff stage_handoff;
void stage_main(void);

// Of EDD's functions 42h and 43h.
struct PACKED packet {
    uint16_t size, count;
    struct segoff buffer;
    uint64_t lba;
};

static struct packet packet;
static uint8_t sector[BOOTSLOT_SECTOR];
static struct slot {
    uint64_t lba; // of the header; 0: no such slot
    struct bootslot header;
    bool valid;
} slots[BOOTSLOT_COUNT]; // by address: A, B

static bool disk(uint32_t function, uint64_t lba, uint32_t count, uint32_t address)
{
    for (unsigned tries = 0; tries < 3; tries++) {
        struct segoff buffer = { .segment = (uint16_t)(address >> 4), .offset = (uint16_t)(address & 15) };
        packet = (struct packet){ .size = sizeof packet, .count = (uint16_t)count, .buffer = buffer, .lba = lba };
        // Writes are not to be verified: AL = 0.
        struct bios_regs regs = { .eax = function << 8, .edx = stage_drive, .esi = (uint32_t)&packet };
        bios_call(&regs, 0x13);
        if (!(regs.flags & FLAG_CARRY))
            return true;
    }
    return false;
}

static void say(unsigned slot, const char *text)
{
    char name[] = "\r\nSignet: slot A: ";
    name[15] = (char)('A' + slot);
    bios_print(name);
    bios_print(text);
    bios_print("\r\n");
}

// Reads `len` bytes to `address` and takes them into the digest. No read crosses a 64 KiB line: old controllers' DMA
// cannot.
static bool load(uint64_t lba, uint32_t address, uint32_t len, struct sha256 *digest)
{
    while (len > 0) {
        uint32_t room = (SEGMENT - address % SEGMENT) / BOOTSLOT_SECTOR;
        uint32_t count = MIN(MIN((len + BOOTSLOT_SECTOR - 1) / BOOTSLOT_SECTOR, room), (uint32_t)READ_MAX);
        if (!disk(DISK_READ, lba, count, address))
            return false;
        uint32_t used = MIN(len, count * BOOTSLOT_SECTOR);
        sha256_update(digest, (const void *)address, used);
        lba += count;
        address += used;
        len -= used;
    }
    return true;
}

// The slots as the MBR names them, in the order of their addresses.
static void find_slots(void)
{
    const uint8_t *entry = (const uint8_t *)(MBR_BASE + MBR_ENTRIES);
    uint64_t first = load64_le(entry + MBR_ENTRY_LBA), second = load64_le(entry + MBR_ENTRY_SIZE + MBR_ENTRY_LBA);
    unsigned first_at = second != 0 && second < first ? 1 : 0;
    slots[first_at].lba = first;
    slots[1 - first_at].lba = second;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        if (slots[i].lba <= BOOTSLOT_PAYLOAD_SECTORS) {
            slots[i].lba = 0;
            continue;
        }
        slots[i].lba -= BOOTSLOT_PAYLOAD_SECTORS;
        slots[i].valid = disk(DISK_READ, slots[i].lba, 1, (uint32_t)sector) &&
                         bootslot_parse(sector, sizeof sector, &slots[i].header) == 0;
        if (slots[i].valid)
            continue;
        say(i, "header damaged");
        stage_handoff.damaged |= (uint8_t)(1 << i);
    }
}

// The payload's leading stage is hashed and then overwritten by what follows it: this one runs already.
static bool load_slot(const struct slot *slot)
{
    struct sha256 ctx;
    uint8_t digest[SHA256_SIZE];
    uint64_t lba = slot->lba + BOOTSLOT_PAYLOAD_SECTORS;
    sha256_init(&ctx);
    if (!load(lba, SIGNET_BASE, BOOTSLOT_STAGE_SIZE, &ctx) ||
        !load(lba + BOOTSLOT_STAGE_SIZE / BOOTSLOT_SECTOR, SIGNET_BASE, slot->header.length - BOOTSLOT_STAGE_SIZE, &ctx))
        return false;
    sha256_final(&ctx, digest);
    return digest_equal(digest, slot->header.digest, SHA256_SIZE);
}

// On trial: one try less, on the disk, before the slot is entered.
static void count_down(unsigned i)
{
    struct slot *slot = &slots[i];
    if (slot->header.tries == 0) {
        say(i, "no tries left, and nothing better");
        stage_handoff.spent |= (uint8_t)(1 << i);
        return;
    }
    if (slot->header.tries == BOOTSLOT_CONFIRMED)
        return;
    slot->header.tries--;
    if (bootslot_build(&slot->header, sector) != 0 || !disk(DISK_WRITE, slot->lba, 1, (uint32_t)sector))
        say(i, "the try could not be counted");
}

void stage_main(void)
{
    find_slots();
    const struct bootslot *headers[BOOTSLOT_COUNT];
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        headers[i] = slots[i].valid ? &slots[i].header : NULL;
    unsigned order[BOOTSLOT_COUNT], count = bootslot_choose(headers, order);
    for (unsigned n = 0; n < count; n++) {
        unsigned i = order[n];
        if (!load_slot(&slots[i])) {
            say(i, "damaged, not entered");
            stage_handoff.damaged |= (uint8_t)(1 << i);
            continue;
        }
        if (n == 0 && count == 2 && slots[order[1]].header.tries == 0)
            stage_handoff.spent |= (uint8_t)(1 << order[1]);
        count_down(i);
        stage_handoff.size = sizeof stage_handoff;
        stage_handoff.drive = stage_drive;
        stage_handoff.slot = (uint8_t)i;
        stage_handoff.header_lba = slots[i].lba;
        stage_handoff.sequence = slots[i].header.sequence;
        stage_handoff.tries = slots[i].header.tries;
        real_call((uint32_t)stage_enter);
        return;
    }
    bios_print("Signet: no intact slot on this disk; next boot device\r\n");
}
