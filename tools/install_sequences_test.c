// SPDX-License-Identifier: MPL-2.0
// Sequences of installs that go on with what a power cut has left, on disks that lose a write on the way, and whose sectors rot
// (testinstall.h). A disk always boots what it booted before, or the version that was being installed.
#include "testinstall.h"

// A sector rots, or a bit of it turns; but never the last thing that boots, which no installer could bring back.
static void rot(struct memory_disk *d)
{
    struct memory_disk *was = memcpy(malloc(sizeof *was), d, sizeof *was);
    uint64_t at = AREA + dice() % (SECTORS - AREA);
    if (dice() & 1)
        d->rotten[at] = ROTTEN;
    else
        d->durable[at][dice() % INSTALL_SECTOR] ^= (uint8_t)(1 << dice() % 8);
    memcpy(d->cached, d->durable, sizeof d->cached);
    if (boots_now(d) <= BOOTS_FORMER)
        *d = *was;
    free(was);
}

enum { WALKS = 150, STEPS = 8, EVENTS = 110 };

// Installs of one version after the other, most of which end with the power gone, a write lost, or both. What the disk boots after each
// is what it booted before, or the version that was being installed.
static bool walk(unsigned number, bool losses)
{
    struct memory_disk *d = memcpy(malloc(sizeof *d), &base, sizeof *d);
    bool good = run(d, 1, LENGTH) == 0;
    for (unsigned i = 0; good && i < STEPS; i++) {
        unsigned version = 1 + dice() % 3, variant = dice() % VARIANTS;
        int before = boots_now(d);
        d->events = 0;
        d->cut = dice() % 8 ? dice() % EVENTS : UINT32_MAX;
        d->lost = losses ? dice() % EVENTS : UINT32_MAX - 1;
        d->hidden = dice() & 1;
        (void)run(d, version, LENGTH);
        settle_dust(d, &after, variant);
        *d = after;
        int now = boots_now(d);
        if (now != before && now != (int)version) {
            printf("  walk %u, step %u: booted %d, %u was installed, boots %d\n", number, i, before, version, now);
            good = false;
        }
        if (good && losses && dice() % 3 == 0)
            rot(d);
    }
    // With power and a sound disk it comes to the end, whatever was left.
    if (good && (run(d, 1, LENGTH) < 0 || boots_now(d) != 1)) {
        printf("  walk %u: the installer does not recover\n", number);
        good = false;
    }
    free(d);
    return good;
}

TEST(sequences_of_cuts)
{
    prepare();
    for (unsigned i = 0; i < WALKS; i++)
        CHECK(walk(i, false));
}

TEST(sequences_with_lost_writes_and_rotten_sectors)
{
    prepare();
    for (unsigned i = 0; i < WALKS; i++)
        CHECK(walk(i, true));
}

TEST_MAIN(T(sequences_of_cuts), T(sequences_with_lost_writes_and_rotten_sectors))
