// SPDX-License-Identifier: MPL-2.0
// The seam between the core and the world it runs in: BIOS, UEFI and Linux each fill in one `struct
// platform`. Every call takes the platform's own context first; none may call back into the core but boot(), for what a
// network bootstrap program calls.
#pragma once
#include "base/err.h"
#include "base/region.h"
#include "block/block.h"
#include "net/card.h"

struct hashboard; // crypto/hashboard.h

#define PLATFORM_REGIONS_MAX 64

// A piece of memory to move just before the start, when the firmware is no longer needed (dst may lie in
// the firmware's own memory). Done in order.
struct platform_move {
    uint64_t dst, src, length;
};
#define PLATFORM_MOVES_MAX 4
#define PLATFORM_RAMDISKS_MAX 4

// What a network bootstrap program finds under it (Preboot Execution Environment 2.1) as long as boot() runs it.
struct platform_nbp {
    struct card *card; // the one that its calls are about
    void *ctx;
    // A call of the PXE API: the function's number and the address of its parameter block. What AX is to be: 0 (PXENV_EXIT_SUCCESS) or 1.
    // map() gives the program's memory then, NULL where that would be the firmware's own.
    uint16_t (*call)(void *ctx, uint16_t function, uint32_t block);
    // Set by call(): the program wants none of it any more, and the platform takes out of the machine what it has put there.
    bool unload;
    // Base memory for what the program gets far pointers to, as boot() has found it.
    uint32_t low, low_size;
};

// Linux, an EFI application or a network bootstrap program, ready to go. Pointers stay valid until boot() returns.
struct platform_boot {
    bool application;       // an EFI application: its file is the kernel's, `cmdline` its load options ("": none)
    struct platform_nbp *nbp; // a network bootstrap program, whose file is the kernel's: what it may call. NULL: it is none
    const uint8_t *setup;   // the bzImage's setup sectors, verified
    size_t setup_len;
    uint64_t kernel;        // where the protected-mode code is now
    uint64_t kernel_len;
    uint64_t kernel_address; // where it runs (equal to `kernel` unless a move brings it there)
    uint64_t initrd, initrd_len; // 0, 0 without
    const char *cmdline;    // NUL-terminated
    // Ramdisk images in place: ranges that the started system must not use as ordinary memory and sees as
    // persistent memory (E820 type 12 / EfiPersistentMemory).
    struct mem_region ramdisks[PLATFORM_RAMDISKS_MAX];
    unsigned ramdisk_count;
    struct platform_move moves[PLATFORM_MOVES_MAX];
    unsigned move_count;
};

// Disks. Disk `disk` of [0, count), the one that was booted from (if any) first.
struct platform_storage {
    unsigned (*count)(void *ctx);
    // The disk as a device. To be asked before the disk is used: reads and writes go to the medium that this has found.
    // ERR_INVALID (no such disk), ERR_DISK_NONE (no medium in it, or sectors of a size that is not served).
    int (*device)(void *ctx, unsigned disk, struct block_device *ret);
};

// Small values by name, of which the started system sees some. A value is written whole or not at all, whenever the power
// fails; length 0 removes it (which is not written where there is none).
enum platform_room {
    ROOM_FIRMWARE, // outlives the power; once a system runs, nothing can read or change it
    ROOM_SYSTEM,   // stored: seen by the system that is started now. Loaded: also what that system left for later
};
struct platform_nvram {
    // The length, ERR_NOT_FOUND, or ERR_NVRAM (also when it is longer than `cap`).
    int (*load)(void *ctx, enum platform_room room, const char *name, void *buf, size_t cap);
    int (*store)(void *ctx, enum platform_room room, const char *name, const void *data, size_t len); // 0, ERR_NVRAM
};

enum platform_leave { LEAVE_EXIT, LEAVE_REBOOT, LEAVE_POWEROFF };

// Client system architecture, RFC 4578 2.1 and IANA's list.
#define PXE_ARCH_BIOS 0
#define PXE_ARCH_EFI_X64 7
#define PXE_ARCH_EFI_ARM64 11

struct platform {
    void *ctx;
    const char *name;      // ${platform}: "pcbios", "efi", "host"
    const char *buildarch; // ${buildarch}: "i386", "x86_64", "arm64"
    uint16_t pxe_arch;     // what DHCP is told that this machine starts: PXE_ARCH_*

    // Microseconds since some start; never goes back.
    uint64_t (*now_us)(void *ctx);
    // Random bytes, the best there are (RDRAND, then timer jitter hashed together). Never fails.
    void (*random)(void *ctx, void *buf, size_t len);
    // General heap, 16-byte aligned. NULL when it is full. free(NULL) is allowed.
    void *(*alloc)(void *ctx, size_t len);
    void (*free)(void *ctx, void *ptr);
    // Console: text goes out as it is ('\n' becomes CR LF as needed), with the sequences of base/ansi.h in it; getkey gives a byte or -1 at
    // once, and of a key without a character the bytes that a VT220 sends.
    void (*console_write)(void *ctx, const char *text, size_t len);
    int (*console_getkey)(void *ctx);
    // Rows and columns of the console, which takes a text mode of `rows` rows, or as many as it can have, where it has fewer: it is clear then.
    // NULL: 25 and 80.
    void (*console_size)(void *ctx, unsigned rows, unsigned *ret_rows, unsigned *ret_columns);
    // Called in every turn of an idle loop: may sleep until a frame or a key may have come, or until `deadline_us` (of now_us; over: it
    // does not sleep), whichever comes first (a BIOS: at its next tick, 55 ms). To come back earlier is always right.
    void (*idle)(void *ctx, uint64_t deadline_us);

    // The network cards, net0 first: their number. They are the same ones each time.
    unsigned (*cards)(void *ctx, struct card *ret[CARDS_MAX]);

    // Memory a boot may use (usable RAM, neither the firmware's own nor the ROM's), ascending, not
    // overlapping, as of now. Returns the count.
    unsigned (*memory)(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX]);
    // Memory that the firmware itself holds and that is free once a kernel starts; NULL: none.
    unsigned (*firmware_memory)(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX]);
    // Addresses from here on cannot be reached by map() (4 GiB for 32-bit code).
    uint64_t memory_limit;
    // The address as a pointer (BIOS, UEFI: itself; host: into a sparse arena). NULL when out of reach.
    void *(*map)(void *ctx, uint64_t address, uint64_t length);
    // What map() gave for addresses within [address, address + length) is not used any more; NULL where map() takes nothing.
    void (*unmap)(void *ctx, uint64_t address, uint64_t length);
    // boot() wants the kernel's file in one piece: `kernel` lies directly behind `setup`.
    bool whole_kernel;
    // The images that boot() can start: bit 1 << t for each enum seal_target t.
    uint32_t targets;

    // Other processors work off the board (hashboard_serve) from helpers_start on, which opens it and returns how many there
    // are (0: none to be had), until the board is closed and helpers_stop called. NULL, both: none.
    unsigned (*helpers_start)(void *ctx, struct hashboard *board);
    void (*helpers_stop)(void *ctx);

    // Starts a kernel, an EFI application or a network bootstrap program. A kernel returns only on failure, with the machine as it was; 0
    // when one of the others has run and ended with success, ERR_BOOT_STATUS when it ended without. Open cards are open then as before, but for
    // their multicast groups, as they are when the program calls first: whoever opened them tells those again.
    int (*boot)(void *ctx, const struct platform_boot *boot);
    // Leaves Signet: back to the ROM/firmware's next boot device, or restart, or power off.
    void (*leave)(void *ctx, enum platform_leave how);

    // Disks for `disk:` and others; NULL where there are none.
    const struct platform_storage *storage;
    // For the kept anti-rollback floor; NULL where there is no such memory.
    const struct platform_nvram *nvram;
    // Extends a PCR of the TPM by the digest of `event`, which goes into the event log as it is. 0 or ERR_TPM; NULL where
    // there is no TPM.
    int (*measure)(void *ctx, uint32_t pcr, const void *event, size_t len);
    // The firmware checks what is started against keys of its own (Secure Boot), and boot() vouches for the image there.
    bool vouches;
    // SMBIOS facts for settings (uuid, serial, product, manufacturer, asset): text or NULL.
    const char *(*smbios)(void *ctx, const char *name);
    // All of them, as the firmware's tables have them; NULL, the call or what it gives: there are none.
    const uint8_t *(*smbios_table)(void *ctx, size_t *ret_len);
};
