// SPDX-License-Identifier: MPL-2.0
// The bzImage header and the zero page, on a header made here and on Debian's kernel when it has been fetched.
#include "base/test.h"
#include "image/bzimage.h"

#define SETUP (16 * 512)
#define FILE_SIZE (SETUP + 1000000)

static uint8_t file[SETUP];
static struct bzimage image;
static uint8_t page[BZIMAGE_PAGE_SIZE];

// The header of a 64-bit kernel, protocol 2.15.
static void make_header(void)
{
    memset(file, 0xcc, sizeof file);
    file[0x1f1] = 15;
    store32_le(file + 0x1f4, 1000000 / 16);
    store16_le(file + 0x1fe, 0xaa55);
    file[0x200] = 0xeb;
    file[0x201] = 0x6a; // header ends at 0x26c
    memcpy(file + 0x202, "HdrS", 4);
    store16_le(file + 0x206, 0x020f);
    file[0x211] = 0x01;
    store32_le(file + 0x22c, 0x7fffffff);
    store32_le(file + 0x230, 0x200000);
    file[0x234] = 1;
    file[0x235] = 21;
    store16_le(file + 0x236, 0x003f);
    store32_le(file + 0x238, 2047);
    store64_le(file + 0x250, 0);
    store64_le(file + 0x258, 0x1000000);
    store32_le(file + 0x260, 0x2000000);
    store32_le(file + 0x264, 0x190);
    store32_le(file + 0x268, 0x12345678);
}

static int parse(void)
{
    return bzimage_parse(file, sizeof file, FILE_SIZE, &image);
}

TEST(reads_the_header)
{
    make_header();
    CHECK_EQ(parse(), 0);
    CHECK_EQ(image.version, 0x20f);
    CHECK_EQ(image.setup_size, SETUP);
    CHECK_EQ(image.kernel_size, 1000000);
    CHECK(image.relocatable);
    CHECK_EQ(image.alignment, 0x200000);
    CHECK_EQ(image.min_alignment, 0x200000);
    CHECK_EQ(image.pref_address, 0x1000000);
    CHECK_EQ(image.init_size, 0x2000000);
    CHECK_EQ(image.initrd_addr_max, 0x7fffffff);
    CHECK_EQ(image.cmdline_size, 2047);
    CHECK_EQ(image.xloadflags, 0x3f);
    CHECK_EQ(image.handover_offset, 0x190);
    file[0x1f1] = 0; // historic: means 4
    CHECK_EQ(parse(), 0);
    CHECK_EQ(image.setup_size, 5 * 512);
    make_header();
    file[0x234] = 0;
    CHECK_EQ(parse(), 0);
    CHECK(!image.relocatable);
    CHECK_EQ(image.alignment, 0);
}

TEST(refuses_what_it_is_not)
{
    make_header();
    CHECK_EQ(bzimage_parse(file, sizeof file, 100, &image), ERR_BOOT_FORMAT);
    CHECK_EQ(bzimage_parse(file, 0x267, FILE_SIZE, &image), ERR_TRUNCATED);
    CHECK_EQ(bzimage_parse(file, 0x268, FILE_SIZE, &image), 0);
    CHECK_EQ(bzimage_parse(file, sizeof file, SETUP, &image), ERR_TRUNCATED);
    CHECK_EQ(bzimage_parse(file, sizeof file, FILE_SIZE - 16, &image), ERR_TRUNCATED);
    CHECK_EQ(bzimage_parse(file, sizeof file, FILE_SIZE + 5000, &image), 0); // a signature behind
    file[0x1fe] = 0;
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    file[0x202] = 'h';
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    store16_le(file + 0x206, 0x0209);
    CHECK_EQ(parse(), ERR_BOOT_TOO_OLD);
    make_header();
    file[0x211] = 0; // a zImage
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    file[0x1f1] = 65;
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    store32_le(file + 0x230, 0x300000);
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    store32_le(file + 0x230, 0);
    CHECK_EQ(parse(), ERR_BOOT_FORMAT);
    make_header();
    store32_le(file + 0x1f4, 0xffffffff);
    CHECK_EQ(parse(), ERR_TRUNCATED);
}

TEST(initrd_limit)
{
    make_header();
    CHECK_EQ(parse(), 0);
    CHECK_EQ(bzimage_initrd_limit(&image), 4 * GIB);
    store16_le(file + 0x236, XLF_KERNEL_64);
    CHECK_EQ(parse(), 0);
    CHECK_EQ(bzimage_initrd_limit(&image), 2 * GIB);
    make_header();
    store16_le(file + 0x206, 0x020a); // has no xloadflags yet: not to be read
    CHECK_EQ(parse(), 0);
    CHECK_EQ(bzimage_initrd_limit(&image), 2 * GIB);
    CHECK_EQ(image.handover_offset, 0);
}

static const struct bzimage_e820 map[] = {
    { 0, 0x9fc00, E820_RAM },
    { 0x9fc00, 0x400, E820_RESERVED },
    { 0x100000, 0x3ff00000, E820_RAM },
    { 0x40000000, 0x100000, E820_PRAM },
};
static struct bzimage_start start;

static void make_start(void)
{
    start = (struct bzimage_start){
        .kernel_address = 0x1000000, .initrd = 0x3f000000, .initrd_len = 12345, .cmdline = 0x90000, .cmdline_len = 30,
        .e820 = map, .e820_count = ARRAY_SIZE(map), .rsdp = 0xf5a40, .heap_end = 0xe000,
        .video_mode = 3, .cursor_x = 5, .cursor_y = 24,
    };
}

static int fill(void)
{
    memset(page, 0xaa, sizeof page);
    return bzimage_fill_setup(file, sizeof file, FILE_SIZE, &start, page);
}

TEST(fills_the_zero_page)
{
    make_header();
    make_start();
    CHECK_EQ(fill(), 0);
    CHECK_EQ(page[0x210], 0xff);
    CHECK_EQ(page[0x211], 0x81);
    CHECK_EQ(load32_le(page + 0x214), 0x1000000);
    CHECK_EQ(load32_le(page + 0x218), 0x3f000000);
    CHECK_EQ(load32_le(page + 0x21c), 12345);
    CHECK_EQ(load16_le(page + 0x224), 0xde00);
    CHECK_EQ(load32_le(page + 0x228), 0x90000);
    CHECK_EQ(load32_le(page + 0x0c0), 0);
    CHECK_EQ(load64_le(page + 0x70), 0xf5a40);
    CHECK_EQ(page[0x1e8], 4);
    CHECK_EQ(load64_le(page + 0x2d0 + 2 * 20), 0x100000);
    CHECK_EQ(load64_le(page + 0x2d0 + 2 * 20 + 8), 0x3ff00000);
    CHECK_EQ(load32_le(page + 0x2d0 + 3 * 20 + 16), 12);
    CHECK_EQ(load32_le(page + 0x1e0), 0x3ff00000 / 1024);
    CHECK_EQ(page[0], 5);
    CHECK_EQ(page[1], 24);
    CHECK_EQ(page[6], 3);
    CHECK_EQ(page[7], 80);
    CHECK_EQ(page[14], 25);
    CHECK_EQ(page[15], 1);
    // The header is copied to its end, not further; what is not ours is zero, the sentinel above all.
    CHECK_EQ(load32_le(page + 0x268), 0x12345678);
    CHECK_EQ(page[0x26c], 0);
    CHECK_EQ(page[0x1ef], 0);
    CHECK_EQ(page[0x1f0], 0);
    CHECK_EQ(page[0xfff], 0);
    start.heap_end = 0;
    CHECK_EQ(fill(), 0);
    CHECK_EQ(page[0x211], 0x01);
}

TEST(header_end_is_bounded)
{
    make_header();
    make_start();
    file[0x201] = 0xff; // would reach over the tables behind
    CHECK_EQ(fill(), 0);
    CHECK_EQ(page[0x28f], 0xcc);
    CHECK_EQ(page[0x290], 0);
    CHECK_EQ(load64_le(page + 0x2d0), 0);
    file[0x201] = 0; // says too little: what the protocol needs is there all the same
    CHECK_EQ(fill(), 0);
    CHECK_EQ(load32_le(page + 0x260), 0x2000000);
}

TEST(refuses_a_bad_start)
{
    make_header();
    make_start();
    start.cmdline_len = 2047;
    CHECK_EQ(fill(), 0);
    start.cmdline_len = 2048;
    CHECK_EQ(fill(), ERR_BOOT_CMDLINE);
    make_start();
    start.e820_count = BZIMAGE_E820_MAX + 1;
    CHECK_EQ(fill(), ERR_TOO_LARGE);
    make_start();
    start.kernel_address = 4 * GIB;
    CHECK_EQ(fill(), ERR_BOOT_NO_ROOM);
    // Above 2 GiB: only where the kernel says that it can.
    make_start();
    start.initrd = 0xb0000000;
    CHECK_EQ(fill(), 0);
    CHECK_EQ(load32_le(page + 0x218), 0xb0000000);
    store16_le(file + 0x236, XLF_KERNEL_64);
    CHECK_EQ(fill(), ERR_BOOT_NO_ROOM);
    start.initrd = 2 * GIB - 12345;
    CHECK_EQ(fill(), 0);
    start.initrd++;
    CHECK_EQ(fill(), ERR_BOOT_NO_ROOM);
    make_header();
    file[0x202] = 0;
    make_start();
    CHECK_EQ(fill(), ERR_BOOT_FORMAT);
}

// A real kernel, when `make check` has fetched one for the boot rows.
TEST(a_real_kernel)
{
    static uint8_t head[65 * 512];
    FILE *f = fopen("build/payload/vmlinuz", "rb");
    if (!f) {
        printf("skip a_real_kernel_on_disk: build/payload/vmlinuz is not there\n");
        return;
    }
    size_t n = fread(head, 1, sizeof head, f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    fclose(f);
    CHECK_EQ(bzimage_parse(head, n, (uint64_t)size, &image), 0);
    CHECK(image.version >= 0x20d, image.relocatable);
    CHECK_EQ(image.pref_address, 16 * MIB);
    CHECK(image.init_size > image.kernel_size);
    CHECK_EQ(image.alignment, 2 * MIB);
    CHECK(image.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G);
    make_start();
    CHECK_EQ(bzimage_fill_setup(head, image.setup_size, (uint64_t)size, &start, page), 0);
}

TEST_MAIN(T(reads_the_header), T(refuses_what_it_is_not), T(initrd_limit), T(fills_the_zero_page),
          T(header_end_is_bounded), T(refuses_a_bad_start), T(a_real_kernel))
