// SPDX-License-Identifier: MPL-2.0
// Inside the local copy (doc/boot-area.md, "The local copy"). Three files share it:
//   keep.c        finding the place, writing
//   keep_judge.c  what is there, and whether it would boot
//   keep_reuse.c  chunks of an older copy that need not be fetched
#pragma once
#include "block/imgdisk.h"
#include "core/disk_select.h"
#include "core/disks.h"

#define KEEP_PIECE (64 * 1024) // bytes of a transfer; a multiple of every sector size
#define KEEP_DIGESTS 128         // of a copy's list at a time; a copy may have any number
#define KEEP_SEAL_ROOM ((SEAL_MAX + BLOCK_SECTOR_MAX - 1) / BLOCK_SECTOR_MAX * BLOCK_SECTOR_MAX)

// What the image in a slot is, by its verified seal.
struct keep_copy {
    struct block_device dev; // the image, from its first byte on
    bool good;  // its seal is one that this Signet would boot, and nothing of it has proved damaged
    bool sound; // and all of it was read and is as its seal says
    bool same;  // the very seal of the image in memory
    uint32_t chunk_size, chunk_count;
    uint64_t payload_size;
    uint8_t list_digest[SHA256_SIZE];
    uint64_t list, payload, length; // bytes from the image's start
};

struct keep { // valid while the image's `keep` is KEEP_OPEN
    struct core *core;
    struct core_image *image; // that is to be kept
    struct disk_select selector;
    struct imgdisk place;
    struct keep_copy copies[IMGSLOT_COUNT];
    uint64_t turned; // when the rest of Signet last had its turn
    struct meter meter; // of what is written
    uint8_t buffer[KEEP_SEAL_ROOM];
    uint8_t digests[KEEP_DIGESTS * SHA256_SIZE]; // of a copy's chunk list, while it is judged
};
_Static_assert(KEEP_SEAL_ROOM >= KEEP_PIECE, "one buffer for both");

// Finds the place that the setting `keep` names and judges what lies there; once for each image. False when nothing is to
// be kept, or it cannot be: that was said.
bool keep_open(struct keep **ret, struct core *core, struct core_image *image);

// Judges a copy by its header and seal alone: fills k->copies[slot].
void keep_look(struct keep *k, unsigned slot);

// Reads all of a copy that is `good` and holds it to its seal, unless that was done: it is `sound` then. Of one that is not, the
// console says why, and it is not `good` any more. 0, or ERR_CANCELLED.
int keep_judge(struct keep *k, unsigned slot);

// Bytes of a copy, from any offset on, into a map; through k->buffer.
int keep_read(struct keep *k, unsigned slot, uint64_t from, const struct scatter *map, uint64_t to, uint64_t len);

// Whether there are zeros between a copy's list and its payload, as there must be: 0 or an error.
int keep_judge_padding(struct keep *k, unsigned slot);

// Says what is wrong with a copy.
void keep_complain(const struct keep *k, unsigned slot, int err, const char *what);
