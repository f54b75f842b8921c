// SPDX-License-Identifier: MPL-2.0
// Power cut at every single sector write (and flush) of a first install, an update and a removal. The disk lies in memory
// (testinstall.h). What was written before the last flush is on it; of what came after, any subset may be: none, all, all but one, random
// ones, in any order. After each cut a simulated reader, which goes the way of mbr.bin and the stage, must come to the
// whole old or the whole new version; and the installer, called again, must finish the job.
#include "testinstall.h"

// Cuts the change from what `start` holds to `version` at every `step`th sector. `old` is what boots before. Number
// of cuts, 0 after a failure (which it prints).
static unsigned cut_everywhere(const struct memory_disk *start, unsigned version, uint32_t length, int old, unsigned step)
{
    unsigned cuts = 0;
    bool saw_old = false, saw_new = false;
    for (unsigned cut = 0;; cut += step) {
        disk = *start;
        disk.events = 0;
        disk.cut = cut;
        int r = run(&disk, version, length);
        if (!disk.dead) {
            bool done = r == 0 && boot((const void *)disk.durable, former) == (int)version;
            return done && saw_old && (saw_new || step > 1) ? cuts : 0;
        }
        for (unsigned variant = 0; variant < VARIANTS; variant++, cuts++) {
            settle_dust(&disk, &after, variant);
            int now = boots_now(&after);
            saw_old |= now == old;
            saw_new |= now == (int)version;
            if (now != old && now != (int)version) {
                printf("  cut at event %u, variant %u: boots %d\n", cut, variant, now);
                return 0;
            }
            // Again, with power: it must come to the end.
            if (run(&after, version, length) < 0 || boot((const void *)after.durable, former) != (int)version) {
                printf("  cut at event %u, variant %u: the installer does not recover\n", cut, variant);
                return 0;
            }
        }
    }
}

TEST(first_install)
{
    prepare();
    unsigned cuts = cut_everywhere(&base, 1, LENGTH, BOOTS_FORMER, 1);
    printf("  %u cuts\n", cuts);
    CHECK(cuts > 50 * VARIANTS);
}

TEST(updates)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start);
    *start = base;
    CHECK_EQ(run(start, 1, LENGTH), 0);
    // Into the empty slot B, then over the old version in slot A, then over B.
    for (unsigned round = 0; round < 3; round++) {
        unsigned version = 1 + (round + 1) % 3, old = 1 + round % 3;
        CHECK(cut_everywhere(start, version, LENGTH, (int)old, 1) > 50 * VARIANTS);
        CHECK_EQ(run(start, version, LENGTH), 0);
        CHECK_EQ(run(start, version, LENGTH), 1); // nothing more to be done
    }
    free(start);
}

// The largest payload, cut here and there: the slot's last sectors are written as the first.
TEST(largest_payload)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start);
    disk_begin(start, SECTORS + 800);
    CHECK_EQ(run(start, 1, LONGEST), 0);
    CHECK(cut_everywhere(start, 2, LONGEST, 1, 97) >= 7 * VARIANTS);
    free(start);
}

// With a damaged slot the other one is the only one that boots: the update goes over the damaged one.
TEST(update_of_a_damaged_disk)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start);
    *start = base;
    CHECK_EQ(run(start, 1, LENGTH), 0);
    CHECK_EQ(run(start, 2, LENGTH), 0);
    struct install_slots s;
    CHECK_EQ(install_slots_read(&start->dev, AREA, SECTORS - AREA, &s), 0);
    uint64_t newer = s.places[1].lba;
    install_slots_free(&s);
    start->durable[newer + BOOTSLOT_PAYLOAD_SECTORS + 3][9] ^= 4; // version 2, the one with the higher number
    memcpy(start->cached, start->durable, sizeof start->cached);
    CHECK_EQ(boot((const void *)start->durable, former), 1);
    CHECK(cut_everywhere(start, 3, LENGTH, 1, 1) > 50 * VARIANTS);
    free(start);
}

TEST(removal)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start);
    *start = base;
    CHECK_EQ(run(start, 1, LENGTH), 0);
    CHECK_EQ(run(start, 2, LENGTH), 0);
    CHECK(cut_everywhere(start, 0, 0, 2, 7) > 10 * VARIANTS);
    CHECK_EQ(run(start, 0, 0), 0);
    CHECK(memcmp(start->durable, base.durable, sizeof base.durable) == 0); // not a byte is left
    free(start);
}

// A rotten sector anywhere in a slot, its header or the record does not keep an update from healing it, and costs no version that boots.
TEST(rotten_sectors_are_written_over)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start), *d = malloc(sizeof *d);
    struct install_slots s;
    *start = base;
    CHECK_EQ(run(start, 1, LENGTH), 0);
    CHECK_EQ(run(start, 2, LENGTH), 0);
    CHECK_EQ(install_slots_read(&start->dev, AREA, SECTORS - AREA, &s), 0);
    const uint64_t places[] = { s.places[0].lba, s.places[0].lba + BOOTSLOT_PAYLOAD_SECTORS, s.places[1].lba,
                                s.places[1].lba + BOOTSLOT_PAYLOAD_SECTORS + 40, s.record_lba,
                                // and in the same 4 KiB as the header, as the payload's end, and as the record
                                s.places[0].lba + 3, s.places[0].lba + BOOTSLOT_PAYLOAD_SECTORS + (LENGTH + 511) / 512, s.record_lba + 7 };
    install_slots_free(&s);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        *d = *start;
        d->rotten[places[i]] = ROTTEN;
        int before = boots_now(d);
        CHECK(before > BOOTS_FORMER);
        CHECK(cut_everywhere(d, 3, LENGTH, before, 5) > 10 * VARIANTS);
        CHECK_EQ(run(d, 3, LENGTH), 0);
        CHECK_EQ(boots_now(d), 3);
    }
    free(d);
    free(start);
}

// The harness itself: an installer that names the new slot before its payload is durable would be caught.
TEST(harness_catches_a_wrong_order)
{
    prepare();
    struct memory_disk *start = malloc(sizeof *start);
    *start = base;
    CHECK_EQ(run(start, 1, LENGTH), 0);
    disk = *start;
    CHECK_EQ(run(&disk, 2, LENGTH), 0);
    unsigned bad = 0;
    for (unsigned variant = 0; variant < VARIANTS; variant++) {
        // The MBR of after, the rest of before, and nothing known of the payload's fate.
        after = *start;
        memcpy(after.durable[0], disk.durable[0], INSTALL_SECTOR);
        memset(after.durable[AREA + BOOTSLOT_PAYLOAD_SECTORS], (int)dice(), INSTALL_SECTOR);
        bad += boot((const void *)after.durable, former) == BOOTS_NOTHING;
    }
    CHECK(bad > 0);
    free(start);
}

TEST_MAIN(T(first_install), T(updates), T(largest_payload), T(update_of_a_damaged_disk), T(removal),
          T(rotten_sectors_are_written_over), T(harness_catches_a_wrong_order))
