// SPDX-License-Identifier: MPL-2.0
// The two slots of an image partition (doc/boot-area.md, "Images on a disk"): each a header and a signed image as
// `signet mkimage` writes it. A partition whose first bytes are an image's is read as well: a raw image, in the place of
// slot A and without a header.
//
//   partition = slot A | slot B       equal halves, multiples of 4096 bytes
//   slot      = header (one sector) | zeros to 4096 | image
//
// The header says which slot is newer and, by being there, that all of the image was written. It vouches for nothing: what
// is read is verified as from the network, and the image id ties the header to the seal behind it. A header without an
// image is the mark of an empty slot: it says no more than that the place is Signet's to write to.
#pragma once
#include "block/slothead.h"
#include "phase2/seal.h"

#define IMGSLOT_COUNT 2
#define IMGSLOT_MAGIC "SGNTIMGS" // 8 bytes, no NUL
#define IMGSLOT_VERSION 1
#define IMGSLOT_IMAGE 4096 // bytes from the slot's start to its image; a multiple of every sector size

// Offsets in the header, beside slothead.h's; integers little-endian; what is not named is zero.
enum imgslot_offset {
    IMGSLOT_AT_ZERO = 12,     // u32
    IMGSLOT_AT_SEQUENCE = 16, // u64, the larger one is the newer; from 1 on
    IMGSLOT_AT_LENGTH = 24,   // u64 bytes of the image
    IMGSLOT_AT_IMAGE_ID = 32, // SHA-256 of the signed message (phase2/seal.h)
};

struct imgslot {
    bool present;      // false: empty, being written, or damaged; the rest but `marked` is zero then
    bool marked;       // there is a sound header, of an image or of an empty slot: somebody made this Signet's
    uint64_t sequence; // 0: a raw image, older than any with a header
    uint64_t length;   // of the image; 0 for a raw one, whose seal tells
    uint8_t image_id[SHA256_SIZE]; // zeros for a raw one
};

// Sectors of one slot of a partition of so many sectors of sector_size bytes (a power of two from 512 to 4096); the second
// slot begins there.
uint64_t imgslot_sectors(uint64_t partition_sectors, uint32_t sector_size);

// Bytes from the slot's start to its image.
static inline uint32_t imgslot_image(const struct imgslot *slot)
{
    return slot->sequence ? IMGSLOT_IMAGE : 0;
}

// Reads the first sector of slot `number` (0 or 1). 0 with ret->present, ret->marked or both; or ERR_TRUNCATED (less than a
// header), ERR_NOT_FOUND (neither header nor raw image), ERR_UNSUPPORTED (version), ERR_INVALID (sum or field wrong) and
// *ret empty.
int imgslot_parse(const uint8_t *sector, size_t len, unsigned number, struct imgslot *ret);

// Writes a header. ERR_INVALID for fields that imgslot_parse would refuse.
int imgslot_build(const struct imgslot *slot, uint8_t sector[SLOTHEAD_SIZE]);

// Writes the mark of an empty slot.
void imgslot_build_mark(uint8_t sector[SLOTHEAD_SIZE]);

// The first IMGSLOT_FRONT bytes of a place: do they look as Signet leaves them, whatever a power cut did to the first header?
// False where somebody else's label lies (md, LVM, ext, swap, LUKS and others put theirs into these bytes), also over a
// place that was Signet's before. It is no mark by itself: an empty partition looks so, too.
#define IMGSLOT_FRONT (IMGSLOT_IMAGE + SLOTHEAD_SIZE)
bool imgslot_front_fits(const uint8_t front[IMGSLOT_FRONT]);

// The numbers of the slots that are present, the newer one first. Returns how many.
unsigned imgslot_order(const struct imgslot slots[IMGSLOT_COUNT], unsigned ret_order[IMGSLOT_COUNT]);

// The slot that a new image goes to, and its sequence number: one that is not `good` (its image is damaged, or its seal not
// trusted), else the older one.
unsigned imgslot_spare(const struct imgslot slots[IMGSLOT_COUNT], const bool good[IMGSLOT_COUNT], uint64_t *ret_sequence);
