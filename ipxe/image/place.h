// SPDX-License-Identifier: MPL-2.0
// Where everything goes: the memory plan of an image, made from its verified seal before the first chunk is asked
// for, so that each byte lands where it will be used and an image that does not fit is refused at once.
//
// - The kernel's protected-mode code goes to where it runs, with all of init_size reserved; only when firmware still
//   sits there does it wait in a staging place and move at the very end.
// - All initrds form one range, each followed by the zero padding that the payload has (the kernel skips zeros
//   between archives); as high as possible, below 2 GiB if there is room.
// - Ramdisks are 2 MiB aligned when that fits, else 4 KiB.
// - A part's address, memory and align are obeyed (doc/phase2-format.md, 4.1): what has no choice is placed first.
// - What is needed during the download only (chunk list, work memory, padding) and the setup sectors lie in the
//   part of the kernel's own memory that is not loaded (init_size is several times the file), so that a machine
//   that can run the kernel can also load it.
#pragma once
#include "base/err.h"
#include "base/region.h"
#include "base/scatter.h"
#include "image/place_room.h"
#include "phase2/seal.h"

#define PLACE_REGIONS_MAX 64  // usable and firmware regions taken into account, each
#define PLACE_PIECES_MAX SCATTER_PIECES_MAX
#define PLACE_RAMDISKS_MAX 4
#define PLACE_HELD_MAX (SEAL_PARTS_MAX + 5) // each part is one place, the kernel three at most; setup, list, work
#define PLACE_LOW_LIMIT (1024 * 1024) // nothing is placed below
#define PLACE_INITRD_SOFT_LIMIT 0x80000000u // where kernels without XLF_CAN_BE_LOADED_ABOVE_4G end

struct place_input {
    const struct seal *seal;
    const struct mem_region *usable; // RAM that may be used now: ascending, not overlapping
    unsigned usable_count;
    const struct mem_region *firmware; // RAM that is free once the kernel starts (the firmware's own); may be NULL
    unsigned firmware_count;
    // Plans of images that are in memory: nothing that they hold is used now, and all of it is free once the kernel starts. May be NULL.
    const struct place_plan *const *others;
    unsigned other_count;
    uint64_t limit;     // addresses from here on are out of reach (4 GiB for a 32-bit loader)
    uint64_t work_size; // bytes for the download's own bookkeeping, placed 16-byte aligned; may be 0
    // The kernel's (or EFI application's) file stays whole, anywhere, and a loader that makes copies starts it (UEFI's LoadImage): the kernel's
    // own memory, and room for a second copy of the initrds, are left free for it.
    bool whole_kernel;
};

struct place_piece {
    uint64_t offset, length; // of the payload
    uint64_t address;
};

struct place_plan {
    // Covers the payload from 0 to seal->payload_size, ascending, end to end (as struct scatter wants it).
    uint32_t piece_count;
    struct place_piece pieces[PLACE_PIECES_MAX];

    uint64_t part_address[SEAL_PARTS_MAX]; // where each part's bytes (behind its split) land

    // The kernel or EFI application; kernel_part is -1 for an image without one, and the fields then are 0.
    int kernel_part;
    uint64_t setup, setup_len;   // the setup sectors; where there are none, `setup` is the file's beginning
    uint64_t kernel, kernel_len; // where the protected-mode code lands
    uint64_t kernel_run;         // where it runs; differs from `kernel` when a move is needed at the start
    uint64_t kernel_memory;      // reserved from kernel_run on
    uint64_t initrd, initrd_len; // all of them, inner padding included; 0, 0 without
    uint32_t ramdisk_count;
    struct mem_region ramdisks[PLACE_RAMDISKS_MAX]; // with padding and the memory asked for: multiples of 4096
    struct mem_region list; // chunk_count * 32 bytes, for the chunk list
    struct mem_region work; // work_size bytes

    // All that it takes, what it keeps free for the loader included: no other plan may use it while this one's image is to start.
    uint32_t held_count;
    struct mem_region held[PLACE_HELD_MAX];

    // The planner's own: what is free, and what the kernel's memory leaves free until it starts.
    struct place_room room, hollow;
};

enum place_what { PLACE_KERNEL, PLACE_INITRD, PLACE_RAMDISK, PLACE_MODULE, PLACE_SETUP, PLACE_LIST, PLACE_WORK };

// Why it does not fit, in bytes, for the console.
struct place_shortfall {
    enum place_what what;
    int part;           // index in the seal, -1: none
    uint64_t address;   // the fixed address that it must be at, 0: any
    uint64_t needed;    // contiguous bytes
    uint64_t available; // the largest contiguous piece that could have been had for it
    uint64_t total_needed, total_available; // of everything
};

// Makes the plan in *ret (about 5 KiB, written to even on failure). ERR_BOOT_NO_ROOM with *shortfall filled in
// (what could not be placed in the attempt that came furthest), ERR_BOOT_FORMAT when the parts contradict each
// other (two kernels, more ramdisks than PLACE_RAMDISKS_MAX, a split beyond the part), ERR_SEAL_BODY when parts
// overlap or leave the payload.
int place_plan(const struct place_input *input, struct place_plan *ret, struct place_shortfall *shortfall);

// Bytes that a plan holds.
uint64_t place_held(const struct place_plan *plan);

// "kernel", "initrd", "ramdisk", ... for messages.
const char *place_what_name(enum place_what what);
