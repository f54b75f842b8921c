// SPDX-License-Identifier: MPL-2.0
// Linux/x86 bzImage: the setup header and the zero page (Documentation/arch/x86/boot.rst and zero-page.rst). Pure:
// mkimage reads the header to fill in PART, the firmware to start the kernel by the 32-bit boot protocol.
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "base/region.h"

#define BZIMAGE_HEADER_MIN 0x270   // bytes of the file bzimage_parse looks at, at most
#define BZIMAGE_VERSION_MIN 0x020a // Linux 2.6.31: the first that says pref_address and init_size
#define BZIMAGE_SETUP_MAX (65 * 512) // boot sector and 64 setup sectors
#define BZIMAGE_PAGE_SIZE 4096     // struct boot_params
#define BZIMAGE_E820_MAX 128

// xloadflags
#define XLF_KERNEL_64 0x0001
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x0002
#define XLF_EFI_HANDOVER_32 0x0004
#define XLF_EFI_HANDOVER_64 0x0008

struct bzimage {
    uint16_t version;      // 0x020f
    uint32_t setup_size;   // boot sector and setup sectors, in bytes: PART's `split`
    uint64_t kernel_size;  // protected-mode code: the rest of the file
    bool relocatable;
    uint32_t alignment;    // kernel_alignment, a power of two (0 when not relocatable): PART's `align`
    uint32_t min_alignment;
    uint64_t pref_address; // PART's `address`
    uint32_t init_size;    // PART's `memory`
    uint32_t initrd_addr_max; // as in the header: highest address of an initrd's last byte
    uint32_t cmdline_size; // longest command line without NUL
    uint16_t xloadflags;
    uint32_t handover_offset; // EFI handover, 0 without
};

// Reads the header at the start of a bzImage. `data` holds the first `len` bytes of it (BZIMAGE_HEADER_MIN are
// enough), `file_size` is the size of the whole.
// ERR_TRUNCATED, ERR_BOOT_FORMAT (no bzImage, or a zImage that is not loaded high), ERR_BOOT_TOO_OLD.
int bzimage_parse(const uint8_t *data, size_t len, uint64_t file_size, struct bzimage *ret);

// One more than the highest address at which an initrd may have its last byte.
//
// A kernel with XLF_CAN_BE_LOADED_ABOVE_4G takes ramdisk and command line from anywhere, through the ext_ fields; it
// still says initrd_addr_max = 0x7fffffff for the sake of old loaders. So with the flag the limit is 4 GiB (what a
// 32-bit loader can reach), without it initrd_addr_max is respected.
uint64_t bzimage_initrd_limit(const struct bzimage *image);

// E820 types.
enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5, E820_PMEM = 7, E820_PRAM = 12 };
struct bzimage_e820 {
    uint64_t base, length;
    uint32_t type;
};

// What the loader knows at the start.
struct bzimage_start {
    uint64_t kernel_address;         // where the protected-mode code runs (code32_start)
    uint64_t initrd, initrd_len;     // 0, 0 without
    uint64_t cmdline;                // address of the NUL-terminated command line
    size_t cmdline_len;              // without NUL
    const struct bzimage_e820 *e820; // ascending
    unsigned e820_count;
    uint64_t rsdp;                   // ACPI RSDP, 0: the kernel looks for it
    uint16_t heap_end;               // offset of the end of the setup heap, 0: no CAN_USE_HEAP
    uint8_t video_mode, cursor_x, cursor_y; // text console as it is; 80x25, mode 3 normally
};

// Fills the zero page: the setup header copied from `setup` (the first setup_len bytes of the verified bzImage), and
// the loader's fields. Everything else is zero. ERR_BOOT_* as bzimage_parse, ERR_BOOT_CMDLINE when the command line
// is longer than the kernel takes, ERR_BOOT_NO_ROOM when the initrd lies above the kernel's limit, ERR_TOO_LARGE for
// too many E820 entries.
int bzimage_fill_setup(const uint8_t *setup, size_t setup_len, uint64_t file_size, const struct bzimage_start *start,
                       uint8_t page[BZIMAGE_PAGE_SIZE]);
