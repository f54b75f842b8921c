// SPDX-License-Identifier: MPL-2.0
// Power cut at every single sector write (and flush) of a first install, an update and a removal. The disk lies in memory. What was
// written before the last flush is on it; of what came after, any subset may be: none, all, all but one, random
// ones, in any order. After each cut a simulated reader, which goes the way of mbr.bin and the stage, must come to the
// whole old or the whole new version; and the installer, called again, must finish the job.
#include "base/bytes.h"
#include "base/test.h"
#include "install_slots.h"
#include <zlib.h>

enum { AREA = 40, SECTORS = 1200, LENGTH = BOOTSLOT_STAGE_SIZE + 5000, LONGEST = BOOTSLOT_LENGTH_MAX, CACHE_MAX = 8000 };

// ---- a disk with a volatile cache ----------------------------------------------------------------------

struct memory_disk {
    struct install_dev dev;
    uint8_t durable[SECTORS + 800][INSTALL_SECTOR]; // on the platter
    uint8_t cached[SECTORS + 800][INSTALL_SECTOR];  // as reads see it
    uint32_t waiting[CACHE_MAX];                    // sectors written since the last flush
    uint32_t waiting_count;
    unsigned events, cut; // sectors written, and flushes; power goes before this one (UINT32_MAX: never)
    bool dead;
};

static struct memory_disk *disk_of(struct install_dev *dev)
{
    return (struct memory_disk *)(void *)((char *)dev - offsetof(struct memory_disk, dev));
}

static int memory_read(struct install_dev *dev, uint64_t lba, uint64_t count, void *buf)
{
    struct memory_disk *d = disk_of(dev);
    if (d->dead || lba + count > dev->sectors)
        return -1;
    memcpy(buf, d->cached[lba], count * INSTALL_SECTOR);
    return 0;
}

static int memory_write(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf)
{
    struct memory_disk *d = disk_of(dev);
    for (uint64_t i = 0; i < count; i++) {
        if (d->dead || lba + i >= dev->sectors)
            return -1;
        if (d->events++ == d->cut) {
            d->dead = true;
            return -1;
        }
        if (d->waiting_count == CACHE_MAX)
            abort();
        memcpy(d->cached[lba + i], (const uint8_t *)buf + i * INSTALL_SECTOR, INSTALL_SECTOR);
        d->waiting[d->waiting_count++] = (uint32_t)(lba + i);
    }
    return 0;
}

static int memory_flush(struct install_dev *dev)
{
    struct memory_disk *d = disk_of(dev);
    if (d->dead || d->events++ == d->cut) {
        d->dead = true;
        return -1;
    }
    for (uint32_t i = 0; i < d->waiting_count; i++)
        memcpy(d->durable[d->waiting[i]], d->cached[d->waiting[i]], INSTALL_SECTOR);
    d->waiting_count = 0;
    return 0;
}

static void disk_begin(struct memory_disk *d, uint64_t sectors)
{
    memset(d, 0, sizeof *d);
    d->dev = (struct install_dev){ .path = "memory", .sectors = sectors, .read = memory_read, .write = memory_write, .flush = memory_flush };
    d->cut = UINT32_MAX;
    for (unsigned i = 0; i < INSTALL_SECTOR; i++)
        d->durable[0][i] = (uint8_t)(i * 7 + 1); // someone's MBR
    store16_le(d->durable[0] + 510, 0xaa55);
    memcpy(d->cached, d->durable, sizeof d->cached);
}

// ---- the reader ----------------------------------------------------------------------------------------

// What the next boot comes to: the former MBR, a version (its payload's first byte), or nothing that boots.
enum { BOOTS_NOTHING = -1, BOOTS_FORMER = 0 };

static const uint8_t (*platter)[INSTALL_SECTOR];

static bool payload_holds(uint64_t lba, const struct bootslot *slot, uint8_t *ret_version)
{
    uint8_t digest[SHA256_SIZE];
    sha256(platter[lba + BOOTSLOT_PAYLOAD_SECTORS], slot->length, digest);
    *ret_version = platter[lba + BOOTSLOT_PAYLOAD_SECTORS][0];
    return memcmp(digest, slot->digest, SHA256_SIZE) == 0;
}

static int boot(const uint8_t (*disk)[INSTALL_SECTOR], const uint8_t *former)
{
    const uint8_t *mbr = disk[0];
    platter = disk;
    if (memcmp(mbr, former, MBR_CODE_SIZE) == 0)
        return BOOTS_FORMER;
    if (load32_le(mbr + MBR_FIELDS) != MBR_MAGIC || load16_le(mbr + 510) != 0xaa55)
        return BOOTS_NOTHING;
    // mbr.bin: the first entry whose stage has its sum.
    uint64_t lbas[MBR_ENTRY_COUNT];
    bool stage = false;
    for (unsigned i = 0; i < MBR_ENTRY_COUNT; i++) {
        const uint8_t *e = mbr + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
        lbas[i] = load64_le(e + MBR_ENTRY_LBA);
        stage |= lbas[i] && crc32(0, disk[lbas[i]], MBR_STAGE_SECTORS * INSTALL_SECTOR) == load32_le(e + MBR_ENTRY_SUM);
    }
    if (!stage)
        return BOOTS_NOTHING;
    // The stage: the slots that the MBR names, in the order of bootslot_choose, the first one whose digest holds.
    struct bootslot slots[BOOTSLOT_COUNT];
    const struct bootslot *there[BOOTSLOT_COUNT] = { NULL, NULL };
    unsigned order[BOOTSLOT_COUNT];
    uint8_t version;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        if (lbas[i] && bootslot_parse(disk[lbas[i] - BOOTSLOT_PAYLOAD_SECTORS], INSTALL_SECTOR, &slots[i]) == 0)
            there[i] = &slots[i];
    unsigned count = bootslot_choose(there, order);
    for (unsigned i = 0; i < count; i++)
        if (payload_holds(lbas[order[i]] - BOOTSLOT_PAYLOAD_SECTORS, &slots[order[i]], &version))
            return version;
    return BOOTS_NOTHING;
}

// ---- cutting -------------------------------------------------------------------------------------------

static struct memory_disk disk, after, base;
static uint8_t mbr_code[MBR_CODE_SIZE], former[INSTALL_SECTOR];
static uint8_t payloads[4][LONGEST];
static uint64_t seed = 1;

static uint32_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static void prepare(void)
{
    for (unsigned i = 0; i < MBR_CODE_SIZE; i++)
        mbr_code[i] = (uint8_t)(i + 100);
    store32_le(mbr_code + MBR_FIELDS, MBR_MAGIC);
    store16_le(mbr_code + MBR_STAGE_COUNT, MBR_STAGE_SECTORS);
    store16_le(mbr_code + MBR_VERSION_AT, MBR_VERSION);
    for (unsigned v = 1; v < 4; v++) {
        for (unsigned i = 0; i < LONGEST; i++)
            payloads[v][i] = (uint8_t)dice();
        payloads[v][0] = (uint8_t)v;
    }
    disk_begin(&base, SECTORS);
    memcpy(former, base.durable[0], sizeof former);
}

// One run of the installer: version 0 is `remove`. What install_slots_write returns, or -1 when reading fails.
static int run(struct memory_disk *d, unsigned version, uint32_t length)
{
    struct install_slots s;
    if (install_slots_read(&d->dev, AREA, d->dev.sectors - AREA, &s) != 0)
        return -1;
    struct install_bits bits = { .mbr = mbr_code, .payload = payloads[version], .length = length, .slot = -1 };
    int r = version ? install_slots_write(&d->dev, &s, &bits) : install_slots_remove(&d->dev, &s);
    install_slots_free(&s);
    return r;
}

// The platter after the cut: which of the waiting sectors made it is the variant's.
static void settle_dust(const struct memory_disk *from, struct memory_disk *to, unsigned variant)
{
    *to = *from;
    for (uint32_t i = 0; i < from->waiting_count; i++) {
        bool made_it = variant == 0 ? false : variant == 1 ? true : variant == 2 ? i + 1 < from->waiting_count : dice() & 1;
        if (made_it)
            memcpy(to->durable[from->waiting[i]], from->cached[from->waiting[i]], INSTALL_SECTOR);
    }
    memcpy(to->cached, to->durable, sizeof to->cached);
    to->waiting_count = 0;
    to->dead = false;
    to->cut = UINT32_MAX;
    to->events = 0;
}

enum { VARIANTS = 6 };

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
            int now = boot((const void *)after.durable, former);
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

TEST_MAIN(T(first_install), T(updates), T(largest_payload), T(update_of_a_damaged_disk), T(removal), T(harness_catches_a_wrong_order))
