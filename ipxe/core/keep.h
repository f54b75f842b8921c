// SPDX-License-Identifier: MPL-2.0
// Inside the local copy (doc/boot-area.md, "The local copy"). Two files share it:
//   keep.c        finding the place, judging what is there, writing
//   keep_reuse.c  chunks of an older copy that need not be fetched
#pragma once
#include "core/disk_select.h"
#include "core/imgdisk.h"

#define KEEP_PIECE (64 * 1024) // bytes of a transfer; a multiple of every sector size
#define KEEP_SEAL_ROOM ((SEAL_MAX + DISK_SECTOR_MAX - 1) / DISK_SECTOR_MAX * DISK_SECTOR_MAX)

// What the image in a slot is, by its verified seal.
struct keep_copy {
    bool good; // its seal is one that this Signet trusts, and nothing of it has proved damaged
    bool same; // the very seal of the image in memory
    uint32_t chunk_size, chunk_count;
    uint64_t payload_size;
    uint8_t list_digest[SHA256_SIZE];
    uint64_t list, payload, length; // bytes from the image's start
};

struct keep {
    struct core *core;
    bool tried, open; // once for each image; open: all below is valid
    struct disk_select selector;
    struct imgdisk place;
    struct keep_copy copies[IMGSLOT_COUNT];
    uint64_t turned; // when the rest of Signet last had its turn
    struct meter meter; // of what is written
    uint8_t buffer[KEEP_SEAL_ROOM];
};
_Static_assert(KEEP_SEAL_ROOM >= KEEP_PIECE, "one buffer for both");

// Finds the place that the setting `keep` names and judges what lies there; once for each image. False when nothing is to
// be kept, or it cannot be: that was said.
bool keep_open(struct keep **ret, struct core *core);
