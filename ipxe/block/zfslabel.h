// SPDX-License-Identifier: MPL-2.0
// ZFS vdev labels, as far as a boot installer needs them: which pool, which vdev, where its boot area lies and whether
// that area is free to be written. Nothing of a label is ever changed here.
//
// A vdev (a partition, or a whole file) of `size` bytes, rounded down to 256 KiB, has four labels: L0 at 0, L1 at
// 256 KiB, L2 and L3 in the last 512 KiB. Inside a label: 8 KiB blank, 8 KiB boot environment, 112 KiB name-value
// list (XDR, "vdev_phys"), 128 KiB of uberblocks in slots of 1 << clamp(ashift, 10, 13) bytes. List and
// uberblocks end with a trailer of 40 bytes: a magic and a SHA-256 that is seeded with the block's place in the vdev, so that a
// copy at another place does not pass. On-disk format: "ZFS On-Disk Specification" (Sun, 2006) chapter 1;
// raidz expansion and the trailer as found on pools of OpenZFS 2.3.
#pragma once
#include "base/base.h"
#include "base/err.h"

#define ZFSLABEL_SIZE (256 * 1024)
#define ZFSLABEL_COUNT 4
#define ZFSLABEL_LIST_OFFSET (16 * 1024)
#define ZFSLABEL_LIST_SIZE (112 * 1024)
#define ZFSLABEL_UBERBLOCKS_OFFSET (128 * 1024)
#define ZFSLABEL_UBERBLOCKS_SIZE (128 * 1024)

// The boot area: after L0 and L1, before the first data block. ZFS itself leaves it alone, but for raidz expansion.
#define ZFSLABEL_BOOT_OFFSET (512 * 1024)
#define ZFSLABEL_BOOT_SIZE (3584 * 1024)

// No vdev is smaller: labels, boot area and some data (ZFS itself wants 64 MiB).
#define ZFSLABEL_VDEV_MIN (8 * MIB)

#define ZFSLABEL_NAME_MAX 256  // with its NUL; ZFS's own limit
#define ZFSLABEL_TYPE_MAX 16
#define ZFSLABEL_LEAVES_MAX 64 // leaves of one top-level vdev whose guids are kept; more are counted only
#define ZFSLABEL_DEPTH_MAX 8   // nesting of lists: list > vdev_tree > mirror > replacing > disk, and some room

enum zfslabel_state { // "state" in the list
    ZFSLABEL_ACTIVE = 0,
    ZFSLABEL_EXPORTED = 1,
    ZFSLABEL_DESTROYED = 2,
    ZFSLABEL_SPARE = 3,
    ZFSLABEL_CACHE = 4,
};

struct zfslabel {
    char pool[ZFSLABEL_NAME_MAX];     // "" for a spare or cache device, which knows no pool
    uint64_t pool_guid;
    uint64_t guid;                    // of this vdev
    uint64_t top_guid;                // of the top-level vdev that it belongs to
    uint64_t version, state, txg;
    uint64_t top_count;               // top-level vdevs of the pool ("vdev_children")
    char top_type[ZFSLABEL_TYPE_MAX]; // "disk", "file", "mirror", "raidz", ...
    uint64_t parity;                  // of a raidz
    uint32_t ashift;
    bool expanding;                   // the list says that a raidz expansion is under way
    bool expanded;                    // there was an expansion: its leftovers may lie in the boot area
    uint32_t leaf_count;              // of the top-level vdev; at least 1 unless it is a spare or cache device
    uint64_t leaves[ZFSLABEL_LEAVES_MAX];
};

// Where label `index` (0..3) of a vdev of `size` bytes lies. `size` is at least ZFSLABEL_VDEV_MIN.
uint64_t zfslabel_offset(uint64_t size, unsigned index);

// Whether the trailer of the `len` bytes (a multiple of 64) that lie at `offset` in the vdev fits them.
bool zfslabel_sum_ok(const uint8_t *block, size_t len, uint64_t offset);

// Parses the label that lies at `offset` in the vdev. `label` holds ZFSLABEL_SIZE bytes. ERR_NOT_FOUND: nothing like a
// label is here; ERR_INVALID: its sum or its list does not hold; ERR_UNSUPPORTED: an encoding that
// is not XDR. *ret is set on success only.
int zfslabel_parse(const uint8_t *label, uint64_t offset, struct zfslabel *ret);

enum zfslabel_reflow { // state of the scratch area of a raidz expansion
    ZFSLABEL_REFLOW_NONE = 0,
    ZFSLABEL_REFLOW_SCRATCH = 1, // the boot area holds live data
};

struct zfslabel_uberblock {
    uint64_t txg, timestamp, version;
    uint64_t reflow_state;  // 0 = none; 1 = the boot area holds data; others: the area was given back
    uint64_t reflow_offset; // bytes of the expansion done
};

// The newest intact uberblock of the label (highest txg, then timestamp). ERR_NOT_FOUND when there is none.
int zfslabel_uberblock(const uint8_t *label, uint64_t offset, uint32_t ashift, struct zfslabel_uberblock *ret);

// True when `a` is newer than `b`.
bool zfslabel_newer(const struct zfslabel_uberblock *a, const struct zfslabel_uberblock *b);
