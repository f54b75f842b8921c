// SPDX-License-Identifier: MPL-2.0
// The local copy in the whole core: machines that boot from the network and keep the image, one after the other on one
// disk, with the network gone, newer images, damage. (Where it may go: keep_place_test. Power cuts: keep_faults_test.)
#include "host/testkeep.h"

// --- what it is for ---

TEST(next_boot_needs_no_network)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        CHECK(!disk_boots(1));
        CHECK(kept(network(1), "keep: img is in slot A on host disk 0 now, sequence 1"));
        CHECK(disk_boots(1));
    }
}

// The slots are as doc/boot-area.md says, the image in them byte for byte the server's, and nothing else is written.
static bool slot_is_file;
static void compare_slot(void)
{
    w.kernel_size = SMALL_KERNEL;
    w.version = 1;
    set_up("img", key_a);
    const uint8_t *slot = testdisk_partition(&disk), *end = slot + IMGSLOT_IMAGE + w.image.len;
    struct imgslot header;
    slot_is_file = imgslot_parse(slot, SLOTHEAD_SIZE, 0, &header) == 0 && header.sequence == 1 &&
                   header.length == w.image.len && memcmp(header.image_id, w.image.seal.image_id, SHA256_SIZE) == 0 &&
                   memcmp(slot + IMGSLOT_IMAGE, w.image.file, w.image.len) == 0 &&
                   memcmp(disk.data, before, TESTDISK_AT) == 0 &&
                   memcmp(end, before + (end - disk.data), (size_t)(disk.data + TESTDISK_SIZE - end)) == 0;
    tear_down();
    w.out->booted = slot_is_file;
}
TEST(what_is_written)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        memset(testdisk_partition(&disk), 0x5a, PARTITION);
        memcpy(before, disk.data, TESTDISK_SIZE);
        CHECK(network(1)->booted);
        for (unsigned at = SLOTHEAD_SIZE; at < sector_sizes[i]; at++)
            CHECK(testdisk_partition(&disk)[at] == 0);
        CHECK(in_child(compare_slot)->booted);
    }
}

TEST(without_the_setting_no_disk_is_touched)
{
    make(512, PARTITION);
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct outcome *out = run_machine(BOOT_V4, 1);
    CHECK(out->booted, out->storage.reads == 0, !changed());
    out = run_machine("#!ipxe\nset keep disk:\nset keep\ndhcp\nchain p2:///\n", 1);
    CHECK(out->booted, out->storage.reads == 0, !changed());
}

TEST(same_image_is_neither_fetched_nor_written)
{
    make(512, PARTITION);
    uint64_t all = network(1)->sent;
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct outcome *out = network(1);
    CHECK(kept(out, "keep: img is on host disk 0 already"));
    CHECK(said(out, "keep: 28 of 28 KiB are on the disk already"));
    CHECK(out->sent <= 3, all > 20); // seal and list
    CHECK_EQ(out->server_finished, 1);
    CHECK_EQ(out->storage.writes, 0);
    CHECK(!changed());
}

TEST(of_a_newer_image_only_what_changed_is_fetched)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        CHECK(network(1)->booted);
        struct outcome *out = network(2);
        CHECK(kept(out, "keep: img is in slot B on host disk 0 now, sequence 2"));
        CHECK(said(out, "keep: 16 of 28 KiB are on the disk already"));
        CHECK(out->sent <= 3 + CHUNKS_CHANGED * 3); // a chunk of 4 KiB is three blocks
        // Header off, image, header on: each on the medium before the next.
        unsigned long count = out->storage.sectors_written;
        const unsigned long flushed_at[] = { 0, 1, count - 1, count };
        CHECK_EQ(out->storage.flushes, ARRAY_SIZE(flushed_at));
        CHECK(memcmp(out->storage.flushed_at, flushed_at, sizeof flushed_at) == 0);
        CHECK(disk_boots(2));
        // The third goes where the first was, made of what either slot has.
        out = network(3);
        CHECK(kept(out, "keep: img is in slot A on host disk 0 now, sequence 3"));
        CHECK(disk_boots(3));
        // The server goes back: the copy that is there becomes the newest one, by one sector.
        out = network(2);
        CHECK(kept(out, "keep: img is in slot B on host disk 0 now, sequence 4"));
        CHECK(out->sent <= 3, out->storage.sectors_written == 1);
        CHECK(disk_boots(2));
    }
}

TEST(raw_image_counts_as_the_oldest)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    // As by dd: slot A's image moved to the first byte.
    memmove(testdisk_partition(&disk), testdisk_partition(&disk) + IMGSLOT_IMAGE, PARTITION / 2 - IMGSLOT_IMAGE);
    CHECK(disk_boots(1));
    struct outcome *out = network(1);
    CHECK(kept(out, "keep: img is on host disk 0 already"));
    CHECK(out->sent <= 3);
    CHECK(kept(network(2), "keep: img is in slot B on host disk 0 now, sequence 1"));
    CHECK(disk_boots(2));
    CHECK(kept(network(3), "keep: img is in slot A on host disk 0 now, sequence 2"));
    CHECK(disk_boots(3));
}

// --- damage ---

TEST(damaged_chunk_is_fetched_and_the_copy_made_anew)
{
    make(512, PARTITION);
    CHECK(network(1)->booted, network(2)->booted);
    uint8_t *chunk = testdisk_partition(&disk) + PARTITION / 2 + IMGSLOT_IMAGE + PAYLOAD_ALIGN + CHUNK_SIZE_MIN;
    chunk[5] ^= 1;                 // in both images, so slot A has it, too
    CHECK(disk_boots(1));          // slot B is refused
    struct outcome *out = network(2);
    CHECK(said(out, "keep: slot B on host disk 0; what is missing is fetched: chunk does not match its digest [S16]"));
    CHECK(kept(out, "keep: img is in slot B on host disk 0 now, sequence 3"));
    CHECK(out->sent <= 3);         // the chunk came from slot A
    CHECK(disk_boots(2));
    chunk[5] ^= 1;
    memset(testdisk_partition(&disk) + IMGSLOT_IMAGE, 0, PAYLOAD_ALIGN); // slot A has no seal any more: the spare one
    out = network(2);
    CHECK(kept(out, "keep: img is in slot A on host disk 0 now, sequence 4"));
    CHECK(out->sent >= 3, out->sent <= 6);
    CHECK(disk_boots(2));
}

TEST(damaged_list_and_header)
{
    make(512, PARTITION);
    CHECK(network(1)->booted, network(2)->booted);
    uint8_t *b = testdisk_partition(&disk) + PARTITION / 2;
    unsigned at = IMGSLOT_IMAGE + PAYLOAD_ALIGN; // the list's last byte stands in front of the padding
    while (b[--at] == 0)
        ;
    b[at] ^= 1;
    struct outcome *out = network(2);
    CHECK(kept(out, "keep: img is in slot B on host disk 0 now, sequence 3"), said(out, "[S15]"));
    CHECK(disk_boots(2));
    b[40] ^= 1; // the header: an empty slot
    CHECK(kept(network(2), "keep: img is in slot B on host disk 0 now, sequence 2"));
    CHECK(disk_boots(2));
}

// An image that the anchors do not accept any more is overwritten first, though it is the newer one.
TEST(copy_that_is_not_trusted_gives_way)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    next.key = key_b;
    CHECK(kept(network(2), "keep: img is in slot A on host disk 0 now, sequence 2"));
    CHECK(kept(network(1), "keep: img is in slot A on host disk 0 now, sequence 3"));
    CHECK(kept(network(2), "keep: img is in slot B on host disk 0 now, sequence 4"));
    next.key = key_b;
    CHECK(kept(network(2), "keep: img is in slot A on host disk 0 now, sequence 5"));
}

// Nor does one count that is below the floor which the machine keeps.
TEST(copy_below_the_floor_gives_way)
{
    make(512, PARTITION);
    next.counter = 9;
    CHECK(network(1)->booted);
    CHECK(network(2)->booted); // slot B, counter 7
    next.counter = 9;
    next.floor = 8;
    CHECK(kept(network(3), "keep: img is in slot B on host disk 0 now, sequence 3"));
}

// Bytes of headers, seals, lists and payloads changed at random: whatever the disk says, the network's image boots and is
// on the disk afterwards.
TEST(damage_anywhere)
{
    uint64_t random = 7;
    make(512, PARTITION);
    CHECK(network(1)->booted, network(2)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    for (unsigned round = 0; round < 40; round++) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        for (unsigned i = 0; i < 1 + round % 20; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            uint32_t where = (uint32_t)(random >> 33), near = where % 4 ? 1024 : 36 * 1024; // mostly headers and seals
            uint8_t *slot = testdisk_partition(&disk) + (where >> 2 & 1) * (PARTITION / 2) + (where >> 3 & 1) * IMGSLOT_IMAGE;
            slot[(where >> 4) % near] ^= (uint8_t)(1 + (random >> 20) % 255);
        }
        struct outcome *out = network(3);
        CHECK(out->booted, out->memory_right, out->live_allocations == 0);
        CHECK(disk_boots(3));
    }
}

TEST(every_read_may_fail)
{
    make(512, PARTITION);
    CHECK(network(1)->booted, network(2)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    unsigned long reads = network(3)->storage.reads;
    for (unsigned long n = 1; n <= reads; n++) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.faults.fail_read = n;
        struct outcome *out = network(3);
        CHECK(out->booted, out->memory_right, out->live_allocations == 0);
        CHECK(disk_boots(3));
    }
    CHECK(reads >= 8);
}

// The boot goes on, and the disk still has the version before.
TEST(every_write_may_fail)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct host_storage good = network(2)->storage;
    CHECK(good.writes >= 3, good.flushes == 4);
    for (unsigned long n = 1; n <= good.writes + good.flushes; n++) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.faults.fail_write = n;
        next.faults.fail_flush = n > good.writes ? n - good.writes : 0;
        struct outcome *out = network(2);
        CHECK(out->booted, out->memory_right, said(out, "img was not kept; the boot goes on"), said(out, "[D05]"));
        CHECK(disk_boots(n == good.writes + good.flushes ? 2 : 1)); // the last flush comes when all is written
    }
}

// Most of them are of a signature's arithmetic, and core_allocations_test goes through those: a sample.
TEST(allocations_may_fail)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    unsigned long count = network(2)->allocations;
    for (unsigned long n = 1; n <= count; n += 1 + count / 40) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.fail_allocation = n;
        struct outcome *out = network(2);
        CHECK(out->booted ? out->memory_right : said(out, "[G02]") || said(out, "no network"));
        CHECK(disk_boots(1) || disk_boots(2));
    }
}

TEST_MAIN(T(next_boot_needs_no_network), T(what_is_written), T(without_the_setting_no_disk_is_touched),
          T(same_image_is_neither_fetched_nor_written), T(of_a_newer_image_only_what_changed_is_fetched),
          T(raw_image_counts_as_the_oldest), T(damaged_chunk_is_fetched_and_the_copy_made_anew), T(damaged_list_and_header),
          T(copy_that_is_not_trusted_gives_way), T(copy_below_the_floor_gives_way),
          T(damage_anywhere), T(every_read_may_fail),
          T(every_write_may_fail), T(allocations_may_fail))
