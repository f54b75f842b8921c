// SPDX-License-Identifier: MPL-2.0
// The boot bits on one disk: MBR, two slots in a boot area, and the installer's record; and how they are changed so
// that the disk boots the old or the new version whenever the power goes.
//
// The record (install_record.h) lies 4 KiB before the area's end. Order of an install, each step flushed and read back
// before the next one:
//   record (first install, or another MBR code) -> payload of the slot not in use, and no header -> its header (sequence number) -> MBR.
// The slot in use is one that was read whole and has its digest, and to which the MBR leads. If an install that was cut short
// has left an MBR that reaches it only by the other slot's stage, its entry is written before that slot.
// Until the header is there the other slot stays the newer one; until the MBR is there the MBR's entries
// still name the stage of the other slot first, whose sum holds. Header and MBR are single sectors; what fills the header's block
// of 4 KiB up is zero before and after.
#pragma once
#include "block/bootslot.h"
#include "install_record.h"

struct install_slots {
    uint64_t lba, sectors;             // the boot area
    struct bootslot_place places[BOOTSLOT_COUNT];
    uint64_t record_lba;
    uint8_t sector0[INSTALL_SECTOR];
    bool mbr_ours;                     // sector 0 holds Signet's MBR
    bool mbr_here;                     // and it names this area
    bool has_record;
    struct install_record record;
    bool header[BOOTSLOT_COUNT];       // a header that parses
    bool unreadable[BOOTSLOT_COUNT];   // header or payload could not be read
    bool good[BOOTSLOT_COUNT];         // and whose payload has its digest
    bool named[BOOTSLOT_COUNT];        // an entry of the MBR names it
    bool stage[BOOTSLOT_COUNT];        // and has the sum of its stage
    struct bootslot slots[BOOTSLOT_COUNT];
    uint8_t *payloads[BOOTSLOT_COUNT]; // of good slots, padded to sectors; freed by install_slots_free
    uint64_t first_unknown;            // first sector of the area that is not zero (UINT64_MAX: none), with no record here
};

// What shall be installed. The caller's.
struct install_bits {
    const uint8_t *mbr; // MBR_CODE_SIZE bytes: code with MBR_MAGIC, entries empty
    const uint8_t *payload;
    uint32_t length;
    uint64_t sequence;  // at least; 0: the next one of the disk
    int slot;           // 0, 1, or -1: the one not in use
    bool rewrite;       // also when the slot in use holds these very bits
};

// Whether an area is large enough for the record and two slots with the smallest payload.
bool install_slots_fit(uint64_t lba, uint64_t sectors);

// Reads what is there. 0, or -1 after a message (the area is too small, the disk cannot be read). A slot with sectors that
// cannot be read is an unsound one.
int install_slots_read(struct install_dev *dev, uint64_t lba, uint64_t sectors, struct install_slots *ret);
void install_slots_free(struct install_slots *s);

// Whether the area is Signet's already: by its record, a header, or the MBR that names it.
bool install_slots_ours(const struct install_slots *s);

// The slot that the next boot enters: tried first among those that the MBR names and whose digest holds. -1: none.
int install_slots_boots(const struct install_slots *s);

// The slot that an install leaves alone: the one that boots, or else the one that would with an MBR that names both. -1: none.
int install_slots_active(const struct install_slots *s);

// Highest sequence number of any header here; 0: none.
uint64_t install_slots_sequence(const struct install_slots *s);

// Everything for which install_slots_write would refuse before its first write. 0, or -1 after a message.
int install_slots_may_write(const struct install_dev *dev, const struct install_slots *s, const struct install_bits *bits);

// Installs or updates. `s` is what install_slots_read gave; it is read anew at the end. 0: done, 1: nothing was to
// be done, -1 after a message.
int install_slots_write(struct install_dev *dev, struct install_slots *s, const struct install_bits *bits);

// Puts the former MBR code back and empties the area. 0, or -1 after a message.
int install_slots_remove(struct install_dev *dev, struct install_slots *s);

// Says (by messages) what is not as an install leaves it. Number of differences.
unsigned install_slots_check(struct install_dev *dev, const struct install_slots *s);

// Whether the code of sector 0 is this one, the fields that the installer writes apart.
bool install_slots_code_is(const struct install_slots *s, const uint8_t *mbr);
