// SPDX-License-Identifier: MPL-2.0
// Faults under the local copy: power cuts, writes that a disk's cache loses, rotten sectors, each by itself at every place and in
// sequences: a copy that boots stays wherever one can.
#include "host/testkeep.h"

#define SEQUENCES 36

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
        CHECK(!out->booted, out->storage.cut);
        CHECK(disk_boots(1));
        CHECK(kept(network(2), "keep: img is in slot B on host disk 0 now, sequence 2"));
        CHECK(disk_boots(2));
    }
}


// --- sequences of faults ---

static uint64_t random_state;
static uint8_t *saved;  // another TESTDISK_SIZE bytes
static uint64_t rotten; // the sector that cannot be read

static uint32_t dice(uint32_t sides)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(random_state >> 33) % sides;
}

static bool boots(void)
{
    next.no_network = true;
    next.faults.rotten = rotten;
    return run_machine("#!ipxe\nchain disk:\n", 0)->booted;
}

static uint8_t *slot_at(unsigned slot)
{
    return testdisk_partition(&disk) + slot * (PARTITION / 2);
}

// Whether this slot alone would boot.
static bool slot_boots(unsigned slot)
{
    uint8_t header[SLOTHEAD_SIZE], *other = slot_at(1 - slot);
    memcpy(header, other, sizeof header);
    memset(other, 0, sizeof header);
    bool sound = boots();
    memcpy(other, header, sizeof header);
    return sound;
}

static struct outcome *update(uint8_t version)
{
    next.faults.rotten = rotten;
    struct outcome *out = network(version);
    rotten = out->storage.rotten;
    return out;
}

// The power fails in the midst of an update. Of what was written since the disk's last flush any part may be missing. A disk
// whose firmware cannot flush (INT 13h) keeps what it likes of all of it.
static void cut_power(uint8_t version, bool flushes)
{
    uint32_t size = disk.sector_size;
    uint64_t was_rotten = rotten;
    memcpy(saved, disk.data, TESTDISK_SIZE);
    next.faults.journal = journal;
    struct host_storage s = update(version)->storage;
    memcpy(disk.data, saved, TESTDISK_SIZE);
    rotten = was_rotten;
    // The first sector and the last one are where it matters most.
    static const unsigned shares[] = { 0, 50, 90, 100 };
    unsigned long count = s.sectors_written, safe = 0;
    unsigned long cut = !count ? 0 : dice(3) == 0 ? 1 : dice(2) ? count - dice(2) : 1 + dice((uint32_t)count);
    unsigned share = shares[dice(ARRAY_SIZE(shares))];
    for (unsigned i = 0; flushes && i < s.flushes; i++)
        safe = s.flushed_at[i] <= cut ? s.flushed_at[i] : safe;
    for (unsigned long n = 0; n < cut; n++) {
        if (n >= safe && dice(100) >= share)
            continue;
        memcpy(disk.data + journal[n].lba * size, journal[n].bytes, size);
        rotten = rotten == journal[n].lba ? 0 : rotten;
    }
}

// A bit, or a whole sector, in one slot: in its header, its image's head or list, or the part that differs between versions.
static void rot(unsigned slot)
{
    struct imgslot header;
    uint8_t *at = slot_at(slot);
    uint32_t length = imgslot_parse(at, SLOTHEAD_SIZE, slot, &header) == 0 && header.present ? (uint32_t)header.length : 4096;
    const uint32_t places[] = { dice(96), IMGSLOT_IMAGE + dice(400), IMGSLOT_IMAGE + length - 1 - dice(8192) % length,
                                IMGSLOT_IMAGE + dice(length) };
    uint32_t place = places[dice(ARRAY_SIZE(places))];
    if (dice(3) == 0 && rotten == 0)
        rotten = (uint64_t)(at + place - disk.data) / disk.sector_size;
    else
        at[place] ^= (uint8_t)(1 << dice(8));
}

static const char *const fault_names[] = { "rot A", "rot B", "cut, and lost writes", "cut, nothing is flushed", "update" };

// Up to three faults in a row on a disk with two copies. A copy that boots stays as long as rot leaves one, and when the server is
// there for long enough, its image is on the disk.
static bool survives(uint64_t seed)
{
    unsigned done[3], count = 1 + seed % 3;
    uint8_t version = 2;
    random_state = seed;
    rotten = 0;
    make(sector_sizes[seed / 3 % 2], PARTITION);
    bool ok = network(1)->booted && network(2)->booted;
    for (unsigned i = 0; i < count && ok; i++) {
        bool possible = slot_boots(0) || slot_boots(1);
        done[i] = dice(ARRAY_SIZE(fault_names));
        if (done[i] < 2)
            rot(done[i]);
        else if (done[i] < 4)
            cut_power(version + dice(2), done[i] == 2);
        else
            ok = update(version)->booted && slot_boots(0) + slot_boots(1) >= 1;
        version += (uint8_t)dice(2);
        ok = ok && (done[i] < 2 ? boots() == (slot_boots(0) || slot_boots(1)) : boots() || !possible);
        if (!ok)
            for (unsigned n = 0; n <= i; n++)
                printf("  seed %llu: %s\n", (unsigned long long)seed, fault_names[done[n]]);
    }
    if (!ok)
        return false;
    ok = update(version)->booted;
    next.no_network = true;
    next.faults.rotten = rotten;
    struct outcome *out = run_machine("#!ipxe\nchain disk:\n", version);
    if (!ok || !out->booted || !out->memory_right)
        printf("  seed %llu: the image is not on the disk in the end\n%s", (unsigned long long)seed, out->transcript);
    return ok && out->booted && out->memory_right;
}

TEST(a_copy_that_boots_stays_after_any_sequence)
{
    saved = mmap(NULL, TESTDISK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++)
        lost += !survives(seed);
    CHECK_EQ(lost, 0);
}

// Two that the ways above come to by chance, by themselves: the seal is right, and something behind it is not.
static bool newer_is_rotten_and_older_boots(uint32_t from_end)
{
    make(512, PARTITION);
    if (!network(1)->booted || !network(2)->booted)
        return false;
    struct imgslot header;
    uint8_t *newer = slot_at(1);
    if (imgslot_parse(newer, SLOTHEAD_SIZE, 1, &header) != 0)
        return false;
    newer[IMGSLOT_IMAGE + header.length - from_end] ^= 1;
    return disk_boots(1);
}

TEST(one_rotten_bit_and_one_cut)
{
    CHECK(newer_is_rotten_and_older_boots(100));
    next.faults.cut_at = 2;
    struct outcome *out = network(3);
    CHECK(out->storage.cut, said(out, "keep: slot B on host disk 0; it would not boot: chunk does not match its digest [S16]"));
    CHECK(disk_boots(1));
    CHECK(kept(network(3), "keep: img is in slot B on host disk 0 now, sequence 2"));
    CHECK(disk_boots(3));
}

// Of the list behind the seal nothing else is known, either.
TEST(rotten_list_and_one_cut)
{
    CHECK(newer_is_rotten_and_older_boots(28 * 1024 + 4096 - 500));
    next.faults.cut_at = 2;
    CHECK(network(3)->storage.cut);
    CHECK(boots_old_or_new());
}

// The first cut came when the header was on the medium and a sector of the image was still in the cache.
TEST(two_cuts_with_a_cache)
{
    make(512, PARTITION);
    CHECK(network(1)->booted);
    next.faults.journal = journal;
    unsigned long count = network(2)->storage.sectors_written;
    uint64_t missing = journal[count - 3].lba; // in the initrd's end, that every version has anew
    memset(disk.data + missing * 512, 0, 512);
    CHECK(disk_boots(1));
    next.faults.cut_at = 2;
    CHECK(network(3)->storage.cut);
    CHECK(disk_boots(1));
}

// The server goes back to the older image while the newer copy is rotten: the older one's header is not touched, since it is the
// only one that boots.
TEST(back_to_the_older_beside_a_rotten_one)
{
    CHECK(newer_is_rotten_and_older_boots(100));
    memcpy(before, slot_at(0), PARTITION / 2);
    CHECK(kept(network(1), "keep: img is in slot B on host disk 0 now, sequence 3"));
    CHECK(memcmp(before, slot_at(0), PARTITION / 2) == 0);
    CHECK(disk_boots(1));
}

TEST_MAIN(T(power_cut_at_every_sector_of_an_update), T(power_cut_beside_a_raw_image), T(machine_after_a_power_cut),
          T(one_rotten_bit_and_one_cut), T(rotten_list_and_one_cut), T(two_cuts_with_a_cache),
          T(back_to_the_older_beside_a_rotten_one), T(a_copy_that_boots_stays_after_any_sequence))
