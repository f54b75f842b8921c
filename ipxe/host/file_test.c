// SPDX-License-Identifier: MPL-2.0
// The transport file in the whole core, and autoexec.ipxe in Signet's folder: what a person drops onto a stick.
#include "host/testworld.h"

#include "block/testdisk.h"
#include "block/testfat.h"

#define VOLUME (1024 * 1024)
#define FROM_FOLDER "#!ipxe\nchain web.img\n"

static struct testdisk disk;
static struct testfat volume;
static const char *script, *autoexec;
static unsigned long fail_read, fail_allocation;
static uint32_t image_at; // cluster of web.img

static void put_image(const char name[static 11], enum testkey_name key)
{
    set_up("img", key);
    testfat_put(&volume, name, NULL, w.image.file, w.image.len);
    simnet_free(&w.net);
    testimage_free(&w.image);
}

static void put_images(void)
{
    put_image("WEB     IMG", key_a);
    put_image("OTHER   IMG", key_b);
}

// A disk with an MBR, a FAT file system in its partition (or from its first sector on), and in it autoexec.ipxe, an image
// that is trusted and one that is not, and the public keys that would make it so.
static void make(uint32_t sector_size, bool whole)
{
    testdisk_make(&disk, sector_size, VOLUME);
    memset(disk.data, 0, TESTDISK_SIZE);
    testfat_make(&volume, whole ? disk.data : testdisk_partition(&disk), sector_size, VOLUME);
    if (!whole)
        testdisk_mbr(&disk, 0xef);
    testfat_put(&volume, "OTHER   PUB", NULL, "-----BEGIN PUBLIC KEY-----\n", 27);
    if (autoexec)
        testfat_put(&volume, "AUTOEX~1IPX", "autoexec.ipxe", autoexec, strlen(autoexec));
    image_at = volume.next;
    (void)in_child(put_images);
}

static void from_stick(void)
{
    set_up("img", key_a);
    w.machine.no_card = true;
    w.machine.storage.fail_read = fail_read;
    w.machine.fail_allocation = fail_allocation;
    w.folder = autoexec != NULL;
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(script, &key_a, 0);
}

static struct outcome *boot(const char *text)
{
    script = text;
    return in_child(from_stick);
}

TEST(boots_a_file)
{
    static const char *const scripts[] = {
        "#!ipxe\nchain file:/signet/web.img\n", "#!ipxe\nchain file:web.img\n",
        "#!ipxe\nchain file://boot/SIGNET/Web.Img\n", "#!ipxe\nchain file://0/signet/web.img\n",
        "#!ipxe\nchain file:///signet/web%2eimg\n", "#!ipxe\nimgfetch file:web.img\nboot\n",
    };
    autoexec = NULL;
    for (unsigned size = 512; size <= 4096; size *= 8) {
        make(size, false);
        for (unsigned i = 0; i < ARRAY_SIZE(scripts); i++) {
            struct outcome *out = boot(scripts[i]);
            CHECK(out->booted, out->memory_right);
            CHECK_EQ(out->live_allocations, 0);
        }
    }
    make(512, true);
    CHECK(boot(scripts[0])->booted);
}

TEST(autoexec_comes_before_the_embedded_script)
{
    autoexec = FROM_FOLDER;
    make(512, false);
    struct outcome *out = boot("#!ipxe\necho EMBEDDED\n");
    CHECK(out->booted, out->memory_right);
    CHECK(said(out, "script: running boot/signet/autoexec.ipxe"));
    CHECK(said(out, "file: reading /signet/web.img of host disk 0"));
    CHECK(!strstr(out->transcript, "EMBEDDED"));
}

TEST(embedded_script_follows_autoexec)
{
    autoexec = "#!ipxe\nchain absent.img\n";
    make(512, false);
    struct outcome *out = boot("#!ipxe\necho EMBEDDED\nchain file:web.img\n");
    CHECK(said(out, "[G04]"), said(out, "the embedded script follows"), said(out, "EMBEDDED"));
    CHECK(out->booted, out->memory_right);
    autoexec = "no script\n";
    make(512, false);
    CHECK(said(boot("#!ipxe\necho EMBEDDED\n"), "EMBEDDED"));
}

TEST(what_no_anchor_signed_is_refused)
{
    autoexec = "#!ipxe\nchain other.img\n";
    make(512, false);
    struct outcome *out = boot("#!ipxe\necho EMBEDDED\n");
    CHECK(said(out, "[S07]"), said(out, "EMBEDDED"));
    CHECK(!out->booted);
    autoexec = FROM_FOLDER;
    make(512, false);
    testfat_cluster(&volume, image_at)[200000] ^= 1;
    out = boot("#!ipxe\necho EMBEDDED\n");
    CHECK(said(out, "[S16]"), said(out, "EMBEDDED"));
    CHECK(!out->booted);
}

TEST(what_is_not_there_is_said)
{
    autoexec = NULL;
    make(512, false);
    CHECK(said(boot("#!ipxe\nchain file:absent.img\n"), "[G04]"));
    CHECK(said(boot("#!ipxe\nchain file:/signet\n"), "[G04]"));
    CHECK(said(boot("#!ipxe\nchain file://1/signet/web.img\n"), "[D01]"));
    CHECK(said(boot("#!ipxe\nchain file://x/signet/web.img\n"), "[N07]"));
    memset(testdisk_partition(&disk), 0, 512);
    CHECK(said(boot("#!ipxe\nchain file:web.img\n"), "[D02]"));
}

TEST(damage_is_said)
{
    autoexec = NULL;
    make(512, false);
    testfat_set(&volume, image_at + 100, 0);
    struct outcome *out = boot("#!ipxe\nchain file:web.img\n");
    CHECK(said(out, "[D06]"));
    CHECK(!out->booted);
    uint8_t *root = testfat_cluster(&volume, TESTFAT_FOLDER) - TESTFAT_ROOT_ENTRIES * 32;
    store16_le(root + 26, 1); // the folder's cluster
    CHECK(said(boot("#!ipxe\nchain file:absent.img\n"), "[D06]"));
    store16_le(testdisk_partition(&disk) + 22, 1); // too short a FAT
    CHECK(said(boot("#!ipxe\nchain file:web.img\n"), "[D06]"));
}

// Until some came too late to matter. A boot leaves autoexec.ipxe, which runs, in memory.
TEST(every_read_may_fail)
{
    autoexec = FROM_FOLDER;
    make(4096, false);
    unsigned booted = 0, failed = 0;
    for (fail_read = 1; booted < 8; fail_read++) {
        struct outcome *out = boot("#!ipxe\necho EMBEDDED\n");
        CHECK(out->booted ? out->memory_right : said(out, "EMBEDDED") && out->live_allocations == 0);
        booted += out->booted;
        failed += !out->booted;
    }
    fail_read = 0;
    CHECK(failed >= 10);
}

// The anchors' first, then those of the walk, the file and the sink, for the look, the script and the image.
TEST(every_allocation_may_fail)
{
    autoexec = FROM_FOLDER;
    make(4096, false);
    unsigned refused = 0;
    for (fail_allocation = 1; fail_allocation <= 20; fail_allocation++) {
        struct outcome *out = boot("#!ipxe\necho EMBEDDED\n");
        CHECK(out->booted ? out->memory_right : out->live_allocations == 0);
        refused += strstr(out->transcript, "file: cannot read /signet/web.img: out of memory [G02]") != NULL;
    }
    fail_allocation = 0;
    CHECK_EQ(refused, 3); // file, partition table, sink
}

TEST(folders_and_files_are_shown)
{
    autoexec = "#!ipxe\n# \033[2J\r\nls\nls file:/\nls /Signet\ncat autoexec.ipxe\n";
    make(512, false);
    struct outcome *out = boot("#!ipxe\n");
    CHECK(said(out, "host disk 0: 2 MiB (booted from)\n  1: 1 MiB fat\n"));
    CHECK(said(out, "/ of host disk 0:\n             SIGNET/\n"));
    CHECK(said(out, "\n          27 OTHER.PUB\n"));
    CHECK(said(out, " autoexec.ipxe\n"));
    CHECK(said(out, "#!ipxe\n# ?[2J \nls\n"));
    CHECK_EQ(out->live_allocations, 0);
}

TEST(what_cannot_be_shown_is_said)
{
    autoexec = NULL;
    make(512, false);
    CHECK(said(boot("#!ipxe\nls file:/absent\n"), "ls: cannot read file:/absent: "));
    CHECK(said(boot("#!ipxe\nls file:/signet/web.img\n"), "[G04]")); // no folder
    CHECK(said(boot("#!ipxe\ncat file:/signet\n"), "[G04]"));          // no file
    CHECK(said(boot("#!ipxe\ncat http://there/file\n"), "cat: cannot read http://there/file: "));
    CHECK(said(boot("#!ipxe\ncat file://7/x\n"), "[D01]"));
    uint8_t *root = testfat_cluster(&volume, TESTFAT_FOLDER) - TESTFAT_ROOT_ENTRIES * 32;
    store16_le(root + 26, 1); // the folder's cluster
    CHECK(said(boot("#!ipxe\nls file:/signet\n"), "[D06]"));
    store16_le(testdisk_partition(&disk) + 22, 1); // too short a FAT
    CHECK(said(boot("#!ipxe\nls\n"), "[D06]"));
    memset(testdisk_partition(&disk), 0, 512);
    CHECK(said(boot("#!ipxe\nls file:/\n"), "[D02]"));
}

TEST_MAIN(T(boots_a_file), T(autoexec_comes_before_the_embedded_script), T(embedded_script_follows_autoexec),
          T(what_no_anchor_signed_is_refused), T(what_is_not_there_is_said), T(damage_is_said), T(every_read_may_fail),
          T(every_allocation_may_fail), T(folders_and_files_are_shown), T(what_cannot_be_shown_is_said))
