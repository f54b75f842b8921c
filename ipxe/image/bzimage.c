// SPDX-License-Identifier: MPL-2.0
// See bzimage.h. Offsets are of the file and, from 0x1f1 on, of the zero page as well.
#include "image/bzimage.h"

#include "base/range.h"

enum header {
    SETUP_SECTS = 0x1f1,  // u8
    SYSSIZE = 0x1f4,      // u32, in 16-byte units
    BOOT_FLAG = 0x1fe,    // u16 0xaa55
    JUMP = 0x200,         // u8 0xeb, u8 distance: where the header ends
    MAGIC = 0x202,        // "HdrS"
    VERSION = 0x206,      // u16
    LOADER_TYPE = 0x210,  // u8
    LOADFLAGS = 0x211,    // u8
    CODE32_START = 0x214, // u32
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END_PTR = 0x224, // u16, counted from 0x200 of the real-mode code
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    KERNEL_ALIGNMENT = 0x230,
    RELOCATABLE = 0x234,   // u8
    MIN_ALIGNMENT = 0x235, // u8, log2
    XLOADFLAGS = 0x236,    // u16, from 2.12 on
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258, // u64
    INIT_SIZE = 0x260,
    HANDOVER_OFFSET = 0x264,
    HEADER_END = 0x268, // of version 2.11; later fields are only copied
};
#define HDRS 0x53726448u
#define LOADED_HIGH 0x01
#define CAN_USE_HEAP 0x80
#define LOADER_UNDEFINED 0xff // no number assigned to Signet

// Fields of the zero page outside the setup header.
enum zero_page {
    SCREEN_X = 0x00,
    SCREEN_Y = 0x01,
    SCREEN_MODE = 0x06,
    SCREEN_COLUMNS = 0x07,
    SCREEN_LINES = 0x0e,
    SCREEN_IS_VGA = 0x0f,
    SCREEN_POINTS = 0x10, // u16, height of a character
    ACPI_RSDP = 0x70,     // u64
    EXT_RAMDISK_IMAGE = 0xc0,
    EXT_RAMDISK_SIZE = 0xc4,
    EXT_CMD_LINE_PTR = 0xc8,
    ALT_MEM_K = 0x1e0,
    E820_ENTRIES = 0x1e8, // u8
    HEADER_COPY_END = 0x290, // edd_mbr_sig_buffer follows
    E820_TABLE = 0x2d0,
};
#define E820_ENTRY_SIZE 20
_Static_assert(E820_TABLE + BZIMAGE_E820_MAX * E820_ENTRY_SIZE <= BZIMAGE_PAGE_SIZE, "the E820 table fits");

int bzimage_parse(const uint8_t *data, size_t len, uint64_t file_size, struct bzimage *ret)
{
    if (file_size < HEADER_END)
        return ERR_BOOT_FORMAT;
    if (len < HEADER_END)
        return ERR_TRUNCATED;
    if (load16_le(data + BOOT_FLAG) != 0xaa55 || load32_le(data + MAGIC) != HDRS)
        return ERR_BOOT_FORMAT;
    struct bzimage image = { .version = load16_le(data + VERSION) };
    if (image.version < BZIMAGE_VERSION_MIN)
        return ERR_BOOT_TOO_OLD;
    if (!(data[LOADFLAGS] & LOADED_HIGH))
        return ERR_BOOT_FORMAT;

    uint32_t sectors = data[SETUP_SECTS] ? data[SETUP_SECTS] : 4;
    image.setup_size = (sectors + 1) * 512;
    if (image.setup_size > BZIMAGE_SETUP_MAX)
        return ERR_BOOT_FORMAT;
    uint64_t code = (uint64_t)load32_le(data + SYSSIZE) * 16;
    if (image.setup_size >= file_size)
        return ERR_TRUNCATED;
    image.kernel_size = file_size - image.setup_size;
    // More may follow (a signature), less is a kernel that was cut off; syssize is rounded up.
    if (code > image.kernel_size + 15)
        return ERR_TRUNCATED;

    image.relocatable = data[RELOCATABLE] != 0;
    image.alignment = image.relocatable ? load32_le(data + KERNEL_ALIGNMENT) : 0;
    if (image.relocatable && !is_power_of_two(image.alignment))
        return ERR_BOOT_FORMAT;
    image.min_alignment = data[MIN_ALIGNMENT] < 32 ? (uint32_t)1 << data[MIN_ALIGNMENT] : 0;
    image.pref_address = load64_le(data + PREF_ADDRESS);
    image.init_size = load32_le(data + INIT_SIZE);
    image.initrd_addr_max = load32_le(data + INITRD_ADDR_MAX);
    image.cmdline_size = load32_le(data + CMDLINE_SIZE);
    image.xloadflags = image.version >= 0x020c ? load16_le(data + XLOADFLAGS) : 0;
    image.handover_offset = image.version >= 0x020b ? load32_le(data + HANDOVER_OFFSET) : 0;
    *ret = image;
    return 0;
}

uint64_t bzimage_initrd_limit(const struct bzimage *image)
{
    return image->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? 4 * GIB : (uint64_t)image->initrd_addr_max + 1;
}

static void fill_screen(const struct bzimage_start *start, uint8_t *page)
{
    page[SCREEN_X] = start->cursor_x;
    page[SCREEN_Y] = start->cursor_y;
    page[SCREEN_MODE] = start->video_mode;
    page[SCREEN_COLUMNS] = 80;
    page[SCREEN_LINES] = 25;
    page[SCREEN_IS_VGA] = 1;
    store16_le(page + SCREEN_POINTS, 16);
}

static void fill_memory(const struct bzimage_start *start, uint8_t *page)
{
    uint8_t *entry = page + E820_TABLE;
    for (unsigned i = 0; i < start->e820_count; i++, entry += E820_ENTRY_SIZE) {
        const struct bzimage_e820 *e = &start->e820[i];
        store64_le(entry, e->base);
        store64_le(entry + 8, e->length);
        store32_le(entry + 16, e->type);
        // KiB of RAM in one piece from 1 MiB on, for what does not read E820.
        if (e->type == E820_RAM && e->base <= MIB && e->length > MIB - e->base)
            store32_le(page + ALT_MEM_K, (uint32_t)MIN((e->length - (MIB - e->base)) / KIB, (uint64_t)UINT32_MAX));
    }
    page[E820_ENTRIES] = (uint8_t)start->e820_count;
    store64_le(page + ACPI_RSDP, start->rsdp);
}

static int check_start(const struct bzimage *image, const struct bzimage_start *start)
{
    if (start->e820_count > BZIMAGE_E820_MAX)
        return ERR_TOO_LARGE;
    if (start->cmdline_len > image->cmdline_size)
        return ERR_BOOT_CMDLINE;
    if (start->kernel_address > UINT32_MAX)
        return ERR_BOOT_NO_ROOM;
    uint64_t limit = bzimage_initrd_limit(image);
    // A kernel that takes things from anywhere may get them above 4 GiB, too, by a loader that reaches there.
    bool anywhere = image->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G;
    if (start->initrd_len && !anywhere && !range_fits(start->initrd, start->initrd_len, limit))
        return ERR_BOOT_NO_ROOM;
    if (!anywhere && start->cmdline > UINT32_MAX)
        return ERR_BOOT_CMDLINE;
    return 0;
}

int bzimage_fill_setup(const uint8_t *setup, size_t setup_len, uint64_t file_size, const struct bzimage_start *start,
                       uint8_t page[BZIMAGE_PAGE_SIZE])
{
    struct bzimage image;
    int rc = bzimage_parse(setup, setup_len, file_size, &image);
    if (rc == 0)
        rc = check_start(&image, start);
    if (rc < 0)
        return rc;

    // The header reaches to where its jump leads.
    size_t end = MIN(MIN((size_t)MAGIC + setup[JUMP + 1], (size_t)HEADER_COPY_END), setup_len);
    memset(page, 0, BZIMAGE_PAGE_SIZE);
    memcpy(page + SETUP_SECTS, setup + SETUP_SECTS, MAX(end, (size_t)HEADER_END) - SETUP_SECTS);

    page[LOADER_TYPE] = LOADER_UNDEFINED;
    if (start->heap_end > 0x200) {
        page[LOADFLAGS] |= CAN_USE_HEAP;
        store16_le(page + HEAP_END_PTR, (uint16_t)(start->heap_end - 0x200));
    }
    store32_le(page + CODE32_START, (uint32_t)start->kernel_address);
    store32_le(page + RAMDISK_IMAGE, (uint32_t)start->initrd);
    store32_le(page + RAMDISK_SIZE, (uint32_t)start->initrd_len);
    store32_le(page + EXT_RAMDISK_IMAGE, (uint32_t)(start->initrd >> 32));
    store32_le(page + EXT_RAMDISK_SIZE, (uint32_t)(start->initrd_len >> 32));
    store32_le(page + CMD_LINE_PTR, (uint32_t)start->cmdline);
    store32_le(page + EXT_CMD_LINE_PTR, (uint32_t)(start->cmdline >> 32));
    fill_screen(start, page);
    fill_memory(start, page);
    return 0;
}
