// SPDX-License-Identifier: MPL-2.0
// The transport disk in the whole core: partition tables, selectors, sectors of 512 and 4096 bytes, and what the console
// says when a disk fails or holds something else.
#include "host/testworld.h"

#include "block/testdisk.h"

#define PARTITION (1024 * 1024)
#define TABLE_READS 3 // header, entries and the MBR; the next two are the slots' headers

static const uint32_t sector_sizes[] = { 512, 4096 };
static struct testdisk disk;
static const char *script;
static unsigned long fail_read;

// Without a network: a machine with the disk, whose script is `script`.
static void from_disk(void)
{
    set_up("img", key_a);
    w.machine.no_card = true;
    w.machine.storage.fail_read = fail_read;
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(script, &key_a, 0);
}

static void with_image(void)
{
    set_up("img", key_a);
    memcpy(testdisk_partition(&disk), w.image.file, w.image.len);
    tear_down();
}

// A new disk with the image in its partition.
static void make(uint32_t sector_size, uint32_t length)
{
    testdisk_make(&disk, sector_size, length);
    (void)in_child(with_image);
}

static struct outcome *boot(const char *text)
{
    script = text;
    return in_child(from_disk);
}

TEST(boots_from_a_gpt)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        struct outcome *out = boot("#!ipxe\nchain disk:\n");
        CHECK(out->booted, out->memory_right);
        CHECK(said(out, "reading partition 1 images of host disk 0"));
        CHECK_EQ(out->live_allocations, 0);
    }
}

TEST(boots_from_an_mbr)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        memset(disk.data, 0, TESTDISK_AT);
        testdisk_mbr(&disk, 0xda);
        struct outcome *out = boot("#!ipxe\nchain disk:\n");
        CHECK(out->booted, out->memory_right);
    }
}

// The extended partition begins one sector before, with the sector that leads to the logical one.
TEST(boots_from_a_logical_partition)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        uint32_t size = sector_sizes[i];
        make(size, PARTITION);
        memset(disk.data, 0, TESTDISK_AT);
        testdisk_mbr(&disk, 0x0f);
        store32_le(disk.data + 446 + 8, TESTDISK_AT / size - 1);
        store32_le(disk.data + 446 + 12, PARTITION / size + 1);
        uint8_t *link = disk.data + TESTDISK_AT - size;
        link[446 + 4] = 0xda;
        store32_le(link + 446 + 8, 1);
        store32_le(link + 446 + 12, PARTITION / size);
        store16_le(link + 510, 0xaa55);
        struct outcome *out = boot("#!ipxe\nchain disk:\n");
        CHECK(out->booted, out->memory_right);
        CHECK(said(out, "reading partition 5 of host disk 0"));
        CHECK(boot("#!ipxe\nchain disk:part=5\n")->booted);
        link[510] = 0;
        CHECK(said(boot("#!ipxe\nchain disk:\n"), "[D03]"));
    }
}

TEST(boots_what_a_selector_names)
{
    static const char *const scripts[] = {
        "#!ipxe\nchain disk:part=1\n", "#!ipxe\nchain disk://boot/label=images\n", "#!ipxe\nchain disk://0/\n",
        "#!ipxe\nchain disk:partuuid=41414141-4141-4141-4141-414141414141\n",
        "#!ipxe\nchain disk:type=b1af5327-949a-469d-89ed-531f50f35610\n", "#!ipxe\nchain disk:range=0x200+2048\n",
    };
    make(512, PARTITION);
    for (unsigned i = 0; i < ARRAY_SIZE(scripts); i++) {
        struct outcome *out = boot(scripts[i]);
        CHECK(out->booted, out->memory_right);
    }
}

static void without_storage(void)
{
    set_up("img", key_a);
    w.machine.no_card = true;
    run("#!ipxe\nchain disk:\n", &key_a, 0);
}
TEST(no_disk_is_said)
{
    CHECK(said(in_child(without_storage), "[D01]"));
    make(512, PARTITION);
    CHECK(said(boot("#!ipxe\nchain disk://1/\n"), "[D01]"));
}

TEST(no_partition_is_said)
{
    make(512, PARTITION);
    CHECK(said(boot("#!ipxe\nchain disk:part=2\n"), "[D02]"));
    CHECK(said(boot("#!ipxe\nchain disk:label=image\n"), "[D02]"));
    CHECK(said(boot("#!ipxe\nchain disk:range=4095+2\n"), "[D02]"));
    testdisk_make(&disk, 512, PARTITION);
    testdisk_gpt(&disk, GPT_TYPE_ZFS);
    struct outcome *out = boot("#!ipxe\nchain disk:\n");
    CHECK(said(out, "[D02]"));
    CHECK(!out->booted);
}

TEST(damaged_table_is_said)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        disk.data[2 * sector_sizes[i] + 70] ^= 1; // in the label
        struct outcome *out = boot("#!ipxe\nchain disk:\n");
        CHECK(said(out, "trying the copy at its end"));
        CHECK(out->booted, out->memory_right);
        disk.data[TESTDISK_SIZE - sector_sizes[i] + 72] ^= 1; // where the copy's entries lie
        out = boot("#!ipxe\nchain disk:\n");
        CHECK(said(out, "[D03]"));
        CHECK(!out->booted);
    }
}

// Of the table there is a copy, of the image there is none.
TEST(every_read_may_fail)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        unsigned long reads = boot("#!ipxe\nchain disk:\n")->storage.reads, refused = 0;
        for (fail_read = 1; fail_read <= reads; fail_read++) {
            struct outcome *out = boot("#!ipxe\nchain disk:\n");
            CHECK(out->booted ? out->memory_right : said(out, "[D04]"));
            CHECK_EQ(out->live_allocations, 0);
            refused += !out->booted;
        }
        fail_read = 0;
        CHECK(reads >= 10, refused == reads - TABLE_READS - IMGSLOT_COUNT);
    }
}

TEST(what_is_no_sound_image_is_refused)
{
    testdisk_make(&disk, 512, PARTITION);
    CHECK(said(boot("#!ipxe\nchain disk:\n"), "seal: the partition is no script, has no seal and is not started: not a phase-2 image [S01]"));
    memcpy(testdisk_partition(&disk), "#!ipxe\necho a script\n", 21);
    struct outcome *out = boot("#!ipxe\nchain disk:\n");
    CHECK(said(out, "[S01]"));
    CHECK(!strstr(out->transcript, "a script\n"));
    make(512, PARTITION);
    testdisk_partition(&disk)[200000] ^= 1;
    out = boot("#!ipxe\nchain disk:\n");
    CHECK(said(out, "[S16]"));
    CHECK(!out->booted);
    make(512, 200 * 1024); // its end lies behind the partition's
    out = boot("#!ipxe\nchain disk:\n");
    CHECK(said(out, "[G09]"));
    CHECK(!out->booted);
}

static uint64_t sequences[IMGSLOT_COUNT]; // 0: nothing in this slot
static void with_slots(void)
{
    for (unsigned i = 0; i < IMGSLOT_COUNT; i++) {
        w.version = (uint8_t)i;
        set_up("img", key_a);
        if (sequences[i])
            testdisk_slot(&disk, i, sequences[i], &w.image);
        tear_down();
    }
}

// `version` is what the machine must find: on_boot compares with that image.
static unsigned version;
static void from_slot(void)
{
    w.version = (uint8_t)version;
    from_disk();
}

static struct outcome *boot_slot(uint64_t a, uint64_t b, unsigned expected)
{
    sequences[0] = a;
    sequences[1] = b;
    (void)in_child(with_slots);
    script = "#!ipxe\nchain disk:\n";
    version = expected;
    return in_child(from_slot);
}

TEST(newer_slot_boots_and_the_other_is_next)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        uint32_t half = PARTITION / 2;
        testdisk_make(&disk, sector_sizes[i], PARTITION);
        struct outcome *out = boot_slot(2, 1, 0);
        CHECK(out->booted, out->memory_right, said(out, "disk: slot A, sequence 2"));
        out = boot_slot(2, 3, 1);
        CHECK(out->booted, out->memory_right, said(out, "disk: slot B, sequence 3"));
        testdisk_partition(&disk)[half + IMGSLOT_IMAGE + 200000] ^= 1; // in B's payload
        version = 0;
        out = in_child(from_slot);
        CHECK(out->booted, out->memory_right, said(out, "[S16]"), said(out, "disk: next: slot A, sequence 2"));
        memset(testdisk_partition(&disk), 0, 512); // A's header
        out = in_child(from_slot);
        CHECK(!out->booted, said(out, "[S16]"));
        out = boot_slot(0, 3, 1);
        CHECK(out->booted, out->memory_right, said(out, "disk: slot B, sequence 3"));
    }
}

TEST(raw_image_beside_a_slot)
{
    make(512, PARTITION);
    struct outcome *out = boot_slot(0, 1, 1);
    CHECK(out->booted, out->memory_right, said(out, "disk: slot B, sequence 1"));
    testdisk_partition(&disk)[PARTITION / 2 + 20] ^= 1; // B's header
    version = 0;
    out = in_child(from_slot);
    CHECK(out->booted, out->memory_right);
    CHECK(!strstr(out->transcript, "slot B"));
}

// A bad sector under one header does not hide the other slot.
TEST(header_that_cannot_be_read)
{
    testdisk_make(&disk, 512, PARTITION);
    fail_read = TABLE_READS + 1;
    struct outcome *out = boot_slot(2, 1, 1);
    CHECK(out->booted, out->memory_right, said(out, "disk: slot B, sequence 1"));
    fail_read = TABLE_READS + 2;
    out = boot_slot(1, 2, 0);
    CHECK(out->booted, out->memory_right, said(out, "disk: slot A, sequence 1"));
    fail_read = 0;
}

TEST_MAIN(T(boots_from_a_gpt), T(boots_from_an_mbr), T(boots_from_a_logical_partition), T(boots_what_a_selector_names),
          T(no_disk_is_said), T(no_partition_is_said), T(damaged_table_is_said), T(every_read_may_fail),
          T(what_is_no_sound_image_is_refused), T(newer_slot_boots_and_the_other_is_next), T(raw_image_beside_a_slot),
          T(header_that_cannot_be_read))
