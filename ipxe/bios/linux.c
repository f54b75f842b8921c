// SPDX-License-Identifier: MPL-2.0
// Linux, 32-bit boot protocol (Documentation/arch/x86/boot.rst): zero page and command line in base memory. Afterwards the
// cards are made silent, the planned moves done from base memory, and a jump with ESI = zero page follows.
#include "bios/linux.h"

#include "bios/layout.h"
#include "image/bzimage.h"
#include "real/real.h"

#define FOUR_GIB 0x100000000ull
#define BDA_VIDEO_MODE 0x449
#define BDA_CURSOR 0x450
#define MOVE_SIZE 12 // three words, as start_kernel reads them

_Static_assert(BOOT_MOVES + PLATFORM_MOVES_MAX * MOVE_SIZE <= BASE_END, "moves fit");
_Static_assert(BOOT_PARAMS + BZIMAGE_PAGE_SIZE <= BOOT_CMDLINE, "zero page fits");

static int write_moves(const struct platform_boot *boot)
{
    uint8_t *out = low_memory(BOOT_MOVES);
    if (boot->move_count > PLATFORM_MOVES_MAX)
        return ERR_INVALID;
    for (unsigned i = 0; i < boot->move_count; i++, out += MOVE_SIZE) {
        const struct platform_move *m = &boot->moves[i];
        // Nothing below 1 MiB: the code that moves is there.
        if (m->dst < HIGH_BASE || m->dst >= FOUR_GIB || m->src >= FOUR_GIB || m->length > FOUR_GIB - m->dst ||
            m->length > FOUR_GIB - m->src || m->length > UINT32_MAX)
            return ERR_BOOT_NO_ROOM;
        store32_le(out, (uint32_t)m->dst);
        store32_le(out + 4, (uint32_t)m->src);
        store32_le(out + 8, (uint32_t)m->length);
    }
    return 0;
}

int linux_prepare(const struct platform_boot *boot, const struct e820_map *map)
{
    static struct e820_map marked;
    static struct bzimage_e820 entries[BZIMAGE_E820_MAX];
    marked = *map;
    if (boot->ramdisk_count > PLATFORM_RAMDISKS_MAX)
        return ERR_INVALID;
    for (unsigned i = 0; i < boot->ramdisk_count; i++) {
        int err = e820_mark(&marked, boot->ramdisks[i].base, boot->ramdisks[i].length, E820_TYPE_PERSISTENT);
        if (err != 0)
            return err;
    }
    for (unsigned i = 0; i < marked.count; i++)
        entries[i] = (struct bzimage_e820){ marked.entries[i].base, marked.entries[i].length, marked.entries[i].type };

    size_t cmdline_len = strlen(boot->cmdline);
    if (cmdline_len >= BOOT_CMDLINE_SIZE)
        return ERR_BOOT_CMDLINE;
    if (boot->kernel_address < HIGH_BASE || boot->kernel_address >= FOUR_GIB)
        return ERR_BOOT_NO_ROOM;
    int err = write_moves(boot);
    if (err != 0)
        return err;
    const uint8_t *bda = low_memory(BDA_VIDEO_MODE);
    const uint8_t *cursor = low_memory(BDA_CURSOR);
    struct bzimage_start start = {
        .kernel_address = boot->kernel_address,
        .initrd = boot->initrd,
        .initrd_len = boot->initrd_len,
        .cmdline = BOOT_CMDLINE,
        .cmdline_len = cmdline_len,
        .e820 = entries,
        .e820_count = marked.count,
        .video_mode = *bda,
        .cursor_x = cursor[0],
        .cursor_y = cursor[1],
    };
    err = bzimage_fill_setup(boot->setup, boot->setup_len, boot->setup_len + boot->kernel_len, &start,
                             low_memory(BOOT_PARAMS));
    if (err != 0)
        return err;
    memcpy(low_memory(BOOT_CMDLINE), boot->cmdline, cmdline_len + 1);
    return 0;
}
