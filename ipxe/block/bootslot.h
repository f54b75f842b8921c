// SPDX-License-Identifier: MPL-2.0
// Where Signet lies on a disk that a BIOS boots: two slots (A and B) inside a boot area, each a header and a payload.
// Shared by the boot stage (mbr/), the firmware and `signet install`; doc/boot-area.md is normative.
//
//   slot    = header (one sector) | zeros to 4096 | payload
//   payload = bin/bootarea.bin: the stage (BOOTSLOT_STAGE_SIZE bytes) and behind it Signet, script and anchors included
//
// The MBR (mbr/layout.h) names both slots. Writing a slot: payload, flush, header, flush, then the MBR's entry.
#pragma once
#include "block/slothead.h"

#define BOOTSLOT_SECTOR 512
#define BOOTSLOT_COUNT 2
#define BOOTSLOT_MAGIC "SGNTSLOT" // 8 bytes, no NUL
#define BOOTSLOT_VERSION 1
#define BOOTSLOT_HEADER_SIZE SLOTHEAD_SIZE
#define BOOTSLOT_PAYLOAD 4096     // byte offset of the payload in the slot
#define BOOTSLOT_PAYLOAD_SECTORS 8 // the same in sectors
#define BOOTSLOT_STAGE_SIZE 16384 // leading bytes of the payload that the MBR loads
#define BOOTSLOT_ALIGN 4096       // slots start and end on multiples of it, counted from the start of the disk
#define BOOTSLOT_SIZE_MAX 0x1b3000 // 1.7 MiB: the largest slot, header included
#define BOOTSLOT_IMAGE_MAX 0x50000 // bytes of Signet behind the stage: what fits into base memory (bios/layout.h FILE_MAX)
#define BOOTSLOT_LENGTH_MAX (BOOTSLOT_STAGE_SIZE + BOOTSLOT_IMAGE_MAX)
// Tries left: the stage counts a slot on trial down before it enters it, and passes over one at 0 as long as there is
// another. Signet makes a slot that started an image a confirmed one.
#define BOOTSLOT_CONFIRMED 0xffffffffu
#define BOOTSLOT_TRIES_DEFAULT 3

// Offsets in the header, beside slothead.h's; integers little-endian; what is not named is zero.
enum bootslot_offset {
    BOOTSLOT_AT_TRIES = 12,   // u32, 1.. on trial, 0 none left, BOOTSLOT_CONFIRMED
    BOOTSLOT_AT_SEQUENCE = 16, // u64, the larger one is the newer; from 1 on
    BOOTSLOT_AT_LENGTH = 24,  // u32 bytes of the payload, more than BOOTSLOT_STAGE_SIZE
    BOOTSLOT_AT_ZERO = 28,    // u32
    BOOTSLOT_AT_DIGEST = 32,  // SHA-256 of the payload
};

struct bootslot {
    uint64_t sequence;
    uint32_t length, tries;
    uint8_t digest[SHA256_SIZE];
};

// Reads a header. ERR_TRUNCATED (less than a sector), ERR_NOT_FOUND (no magic), ERR_UNSUPPORTED (version),
// ERR_INVALID (sum wrong, or a field out of bounds).
int bootslot_parse(const uint8_t *sector, size_t len, struct bootslot *ret);

// Writes a header. ERR_INVALID for fields that bootslot_parse would refuse.
int bootslot_build(const struct bootslot *slot, uint8_t sector[BOOTSLOT_HEADER_SIZE]);

// In which order to try the slots; slots[i] is NULL where bootslot_parse failed. Those with tries left come before
// those without, then the newer one. Returns how many there are (0..2), ret_order holds their numbers.
unsigned bootslot_choose(const struct bootslot *const slots[BOOTSLOT_COUNT], unsigned ret_order[BOOTSLOT_COUNT]);

// The two slots of a boot area of `sectors` sectors from `lba` on: equal halves, aligned, at most BOOTSLOT_SIZE_MAX.
// ERR_TOO_LARGE when a payload of `length` bytes does not fit.
struct bootslot_place {
    uint64_t lba;     // of the header
    uint32_t sectors; // of the whole slot
};
int bootslot_place(uint64_t lba, uint64_t sectors, uint32_t length, struct bootslot_place ret[BOOTSLOT_COUNT]);

// What the stage hands to Signet in real mode, besides a far return address: EAX = BOOTSLOT_HANDOFF_MAGIC, ECX its
// complement, ESI the address of this, below 64 KiB. Signet returns when the next boot device's turn has come.
#define BOOTSLOT_HANDOFF_MAGIC 0x46484753 // "SGHF"
struct PACKED bootslot_handoff {
    uint32_t size;        // of this structure
    uint8_t drive;        // BIOS number of the disk that was booted from
    uint8_t slot;         // 0: the slot with the lower address, 1: the other
    uint8_t damaged;      // bit n: slot n was passed over, since its header or payload is damaged
    uint8_t spent;        // bit n: slot n was passed over or comes last, since it has no tries left
    uint64_t header_lba;  // of the slot that was entered
    uint64_t sequence;    // its sequence number
    uint32_t tries;       // tries left now, BOOTSLOT_CONFIRMED
};
