// SPDX-License-Identifier: MPL-2.0
// The local copy in the whole core: machines that boot from the network and keep the image, one after the other on one
// disk, with the network gone, newer images, damage, and the power cut at every sector write.
#include "host/testworld.h"

#include "host/testdisk.h"

#define PARTITION (1024 * 1024)
#define SMALL_KERNEL 8192 // few sectors to write, where each of them is a case
#define CHUNKS_CHANGED 3  // that the version touches: the last 8 KiB of the initrd
#define NETWORK "#!ipxe\nset keep disk:\ndhcp\nchain p2://10.0.0.1/image || echo no network\n"

static const uint32_t sector_sizes[] = { 512, 4096 };
static struct testdisk disk;
static uint8_t *before; // another TESTDISK_SIZE bytes
static struct host_write *journal;

// The machine that runs next; reset by run_machine.
static struct {
    const char *script;
    uint8_t version;
    bool no_network;
    enum testkey_name key;
    struct host_storage faults;
    unsigned long fail_allocation;
} next;

static void machine(void)
{
    w.kernel_size = SMALL_KERNEL;
    w.version = next.version;
    set_up("img", next.key);
    w.machine.no_nic = next.no_network;
    w.machine.storage = next.faults;
    w.machine.fail_allocation = next.fail_allocation;
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(next.script, &next.key, 0);
}

static struct outcome *run_machine(const char *script, uint8_t version)
{
    next.script = script;
    next.version = version;
    struct outcome *out = in_child(machine);
    memset(&next, 0, sizeof next);
    next.key = key_a;
    return out;
}

static struct outcome *network(uint8_t version)
{
    return run_machine(NETWORK, version);
}

// Without a network, the disk alone boots this version.
static bool disk_boots(uint8_t version)
{
    next.no_network = true;
    struct outcome *out = run_machine("#!ipxe\nchain disk:\n", version);
    return out->booted && out->memory_right;
}

static bool kept(const struct outcome *out, const char *where)
{
    return out->booted && out->memory_right && out->live_allocations == 0 && said(out, where);
}

static void make(uint32_t sector_size, uint32_t length)
{
    if (!before) {
        before = mmap(NULL, TESTDISK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        journal = mmap(NULL, HOST_JOURNAL_MAX * sizeof *journal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    testdisk_make(&disk, sector_size, length);
    next.key = key_a;
}

static bool changed(void)
{
    return memcmp(before, disk.data, TESTDISK_SIZE) != 0;
}

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
    CHECK(out->booted && out->storage.reads == 0 && !changed());
    out = run_machine("#!ipxe\nset keep disk:\nset keep\ndhcp\nchain p2:///\n", 1);
    CHECK(out->booted && out->storage.reads == 0 && !changed());
}

TEST(same_image_is_neither_fetched_nor_written)
{
    make(512, PARTITION);
    uint64_t all = network(1)->sent;
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct outcome *out = network(1);
    CHECK(kept(out, "keep: img is on host disk 0 already"));
    CHECK(said(out, "keep: 28 of 28 KiB are on the disk already"));
    CHECK(out->sent <= 3 && all > 20); // seal and list
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
        CHECK(out->sent <= 3 && out->storage.sectors_written == 1);
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

// --- what is no place for it ---

// The boot goes on, the console says why, once, and nothing was written.
static bool refused(const char *script, const char *code)
{
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct outcome *out = run_machine(script, 1);
    const char *keep = strstr(out->transcript, "keep: ");
    return out->booted && out->memory_right && said(out, "keep: ") && !strstr(keep + 1, "keep: ") && said(out, code) && !changed();
}

TEST(wrong_places)
{
    make(512, PARTITION);
    CHECK(refused("#!ipxe\nset keep disk:part=2\ndhcp\nchain p2:///\n", "[D02]"));
    CHECK(refused("#!ipxe\nset keep disk:range=512+2048\ndhcp\nchain p2:///\n", "[D02]"));
    CHECK(refused("#!ipxe\nset keep disk://3/\ndhcp\nchain p2:///\n", "[D01]"));
    CHECK(refused("#!ipxe\nset keep http://10.0.0.1/\ndhcp\nchain p2:///\n", "[N08]"));
    CHECK(refused("#!ipxe\nset keep disk:label\ndhcp\nchain p2:///\n", "[N07]"));
    // Another type of partition is not written to, even when it is named.
    testdisk_gpt(&disk, GPT_TYPE_ZFS);
    CHECK(refused("#!ipxe\nset keep disk:part=1\ndhcp\nchain p2:///\n", "[D02]"));
    make(512, 72 * 1024); // halves of 36 KiB: the image has 32, and its slot's header 4 with its zeros
    CHECK(kept(network(1), "slot A"));
    make(512, 64 * 1024);
    CHECK(refused(NETWORK, "[D08]"));
    make(512, 512); // a single sector
    CHECK(refused(NETWORK, "[D08]"));
}

TEST(raw_image_in_the_way)
{
    make(512, 72 * 1024);
    CHECK(network(1)->booted);
    memmove(testdisk_partition(&disk), testdisk_partition(&disk) + IMGSLOT_IMAGE, 32 * 1024);
    CHECK(kept(network(2), "slot B")); // it ends before the second slot begins
    make(512, 60 * 1024);
    CHECK(refused(NETWORK, "[D08]"));
}

TEST(partition_of_an_mbr)
{
    make(512, PARTITION);
    memset(disk.data, 0, TESTDISK_AT);
    testdisk_mbr(&disk, 0xda);
    CHECK(kept(network(1), "slot A"));
    CHECK(kept(network(2), "slot B"));
    CHECK(disk_boots(2));
    memset(testdisk_partition(&disk), 0, PARTITION);
    testdisk_partition(&disk)[100] = 1; // someone's
    CHECK(refused(NETWORK, "[D07]"));
}

// --- damage ---

TEST(damaged_chunk_is_fetched_and_the_copy_made_anew)
{
    make(512, PARTITION);
    CHECK(network(1)->booted && network(2)->booted);
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
    CHECK(out->sent >= 3 && out->sent <= 6);
    CHECK(disk_boots(2));
}

TEST(damaged_list_and_header)
{
    make(512, PARTITION);
    CHECK(network(1)->booted && network(2)->booted);
    uint8_t *b = testdisk_partition(&disk) + PARTITION / 2;
    unsigned at = IMGSLOT_IMAGE + PAYLOAD_ALIGN; // the list's last byte stands in front of the padding
    while (b[--at] == 0)
        ;
    b[at] ^= 1;
    struct outcome *out = network(2);
    CHECK(kept(out, "keep: img is in slot B on host disk 0 now, sequence 3") && said(out, "[S15]"));
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

// Bytes of headers, seals, lists and payloads changed at random: whatever the disk says, the network's image boots and is
// on the disk afterwards.
TEST(damage_anywhere)
{
    uint64_t random = 7;
    make(512, PARTITION);
    CHECK(network(1)->booted && network(2)->booted);
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
        CHECK(out->booted && out->memory_right && out->live_allocations == 0);
        CHECK(disk_boots(3));
    }
}

TEST(every_read_may_fail)
{
    make(512, PARTITION);
    CHECK(network(1)->booted && network(2)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    unsigned long reads = network(3)->storage.reads;
    for (unsigned long n = 1; n <= reads; n++) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.faults.fail_read = n;
        struct outcome *out = network(3);
        CHECK(out->booted && out->memory_right && out->live_allocations == 0);
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
    CHECK(good.writes >= 3 && good.flushes == 4);
    for (unsigned long n = 1; n <= good.writes + good.flushes; n++) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.faults.fail_write = n;
        next.faults.fail_flush = n > good.writes ? n - good.writes : 0;
        struct outcome *out = network(2);
        CHECK(out->booted && out->memory_right && said(out, "img was not kept; the boot goes on") && said(out, "[D05]"));
        CHECK(disk_boots(n == good.writes + good.flushes ? 2 : 1)); // the last flush comes when all is written
    }
}

// Most of them are of a signature's arithmetic, and core_test goes through those: a sample.
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

// --- power ---

static bool boots_old_or_new(void)
{
    return disk_boots(1) || disk_boots(2);
}

// From a disk that has version 1 as it is: what an update to version 2 writes, replayed up to each sector write, with that
// sector old or half new; and all of it but one sector, as a disk may do whose cache was not flushed.
static bool cut_everywhere(void)
{
    uint32_t size = disk.sector_size;
    memcpy(before, disk.data, TESTDISK_SIZE);
    next.faults.journal = journal;
    unsigned long count = network(2)->storage.sectors_written;
    if (count < 3 || count > HOST_JOURNAL_MAX || !disk_boots(2))
        return false;
    for (unsigned long cut = 0; cut < count; cut++)
        for (unsigned kind = 0; kind < 3; kind++) { // old, torn, all but this one
            memcpy(disk.data, before, TESTDISK_SIZE);
            for (unsigned long n = 0; n < (kind == 2 ? count : cut); n++)
                if (n != cut)
                    memcpy(disk.data + journal[n].lba * size, journal[n].bytes, size);
            if (kind == 1)
                memcpy(disk.data + journal[cut].lba * size, journal[cut].bytes, size / 2);
            if (!boots_old_or_new()) {
                printf("  after %lu of %lu sectors (%u) the disk boots nothing\n", cut, count, kind);
                return false;
            }
        }
    return true;
}

TEST(power_cut_at_every_sector_of_an_update)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        CHECK(network(1)->booted);
        CHECK(cut_everywhere());
    }
}

TEST(power_cut_beside_a_raw_image)
{
    make(4096, PARTITION);
    CHECK(network(1)->booted);
    memmove(testdisk_partition(&disk), testdisk_partition(&disk) + IMGSLOT_IMAGE, PARTITION / 2 - IMGSLOT_IMAGE);
    CHECK(cut_everywhere());
}

// Live, and the next machine goes on from there: it boots, and keeps what the cut one could not.
TEST(machine_after_a_power_cut)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    memcpy(before, disk.data, TESTDISK_SIZE);
    unsigned long count = network(2)->storage.sectors_written;
    for (unsigned long cut = 1; cut <= count; cut += count / 5) {
        memcpy(disk.data, before, TESTDISK_SIZE);
        next.faults.cut_at = cut;
        next.faults.torn = cut % 2;
        struct outcome *out = network(2);
        CHECK(!out->booted && out->storage.cut);
        CHECK(disk_boots(1));
        CHECK(kept(network(2), "keep: img is in slot B on host disk 0 now, sequence 2"));
        CHECK(disk_boots(2));
    }
}

TEST_MAIN(T(next_boot_needs_no_network), T(what_is_written), T(without_the_setting_no_disk_is_touched),
          T(same_image_is_neither_fetched_nor_written), T(of_a_newer_image_only_what_changed_is_fetched),
          T(raw_image_counts_as_the_oldest), T(wrong_places), T(raw_image_in_the_way), T(partition_of_an_mbr),
          T(damaged_chunk_is_fetched_and_the_copy_made_anew), T(damaged_list_and_header),
          T(copy_that_is_not_trusted_gives_way), T(damage_anywhere), T(every_read_may_fail),
          T(every_write_may_fail), T(allocations_may_fail),
          T(power_cut_at_every_sector_of_an_update), T(power_cut_beside_a_raw_image), T(machine_after_a_power_cut))
