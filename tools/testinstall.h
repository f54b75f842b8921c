// SPDX-License-Identifier: MPL-2.0
// A disk in memory for tests of the installer: with a cache that a power cut empties in any way, writes that get lost, sectors that
// rot; and a reader that goes the way of mbr.bin and the stage.
#pragma once
#include "base/bytes.h"
#include "base/test.h"
#include "install_slots.h"
#include <zlib.h>

enum { AREA = 40, SECTORS = 1200, LENGTH = BOOTSLOT_STAGE_SIZE + 5000, LONGEST = BOOTSLOT_LENGTH_MAX, CACHE_MAX = 8000 };

// ---- a disk with a volatile cache ----------------------------------------------------------------------

enum { ROTTEN = 1, COVERED = 2 };

struct memory_disk {
    struct install_dev dev;
    uint8_t durable[SECTORS + 800][INSTALL_SECTOR]; // on the platter
    uint8_t cached[SECTORS + 800][INSTALL_SECTOR];  // as reads see it
    uint32_t waiting[CACHE_MAX];                    // sectors written since the last flush
    uint32_t waiting_count;
    unsigned events, cut; // sectors written, and flushes; power goes before this one (UINT32_MAX: never)
    unsigned lost;        // this write never reaches the platter, though the disk says so (UINT32_MAX: none)
    bool hidden;          // and until the power goes reads give what was written
    uint8_t rotten[SECTORS + 800]; // ROTTEN: cannot be read until they are written; COVERED: and that is not on the platter yet
    bool dead;
};

static struct memory_disk *disk_of(void *dev)
{
    return (struct memory_disk *)(void *)((char *)dev - offsetof(struct memory_disk, dev));
}

static int memory_read(void *dev, uint64_t lba, uint32_t count, void *buf)
{
    struct memory_disk *d = disk_of(dev);
    if (d->dead)
        return ERR_DISK_READ;
    for (uint64_t i = 0; i < count; i++)
        if (d->rotten[lba + i] == ROTTEN)
            return ERR_DISK_READ;
    memcpy(buf, d->cached[lba], count * INSTALL_SECTOR);
    return 0;
}

// A system writes blocks of 4 KiB: one that is written in part is read first.
static bool part_unreadable(const struct memory_disk *d, uint64_t lba, uint64_t count, uint64_t at)
{
    const uint64_t block = 4096 / INSTALL_SECTOR, first = at / block * block;
    bool found = false;
    for (uint64_t i = first; i < first + block; i++)
        found |= d->rotten[i] == ROTTEN;
    return found && (first < lba || first + block > lba + count);
}

static int memory_write(void *dev, uint64_t lba, uint32_t count, const void *buf)
{
    struct memory_disk *d = disk_of(dev);
    for (uint64_t i = 0; i < count; i++) {
        if (d->dead || part_unreadable(d, lba, count, lba + i))
            return ERR_DISK_WRITE;
        if (d->events++ == d->cut) {
            d->dead = true;
            return ERR_DISK_WRITE;
        }
        if (d->waiting_count == CACHE_MAX)
            abort();
        bool lost = d->events == d->lost + 1;
        if (lost && !d->hidden)
            continue;
        d->rotten[lba + i] = d->rotten[lba + i] ? COVERED : 0;
        memcpy(d->cached[lba + i], (const uint8_t *)buf + i * INSTALL_SECTOR, INSTALL_SECTOR);
        if (!lost)
            d->waiting[d->waiting_count++] = (uint32_t)(lba + i);
    }
    return 0;
}

static int memory_flush(void *dev)
{
    struct memory_disk *d = disk_of(dev);
    if (d->dead || d->events++ == d->cut) {
        d->dead = true;
        return ERR_DISK_WRITE;
    }
    for (uint32_t i = 0; i < d->waiting_count; i++) {
        memcpy(d->durable[d->waiting[i]], d->cached[d->waiting[i]], INSTALL_SECTOR);
        d->rotten[d->waiting[i]] = 0;
    }
    d->waiting_count = 0;
    return 0;
}

static const struct block_ops memory_ops = { memory_read, memory_write, memory_flush };

static void disk_begin(struct memory_disk *d, uint64_t sectors)
{
    memset(d, 0, sizeof *d);
    d->dev = (struct install_dev){ .path = "memory", .sectors = sectors, .unit = 1, .ops = &memory_ops };
    d->cut = UINT32_MAX;
    d->lost = UINT32_MAX - 1;
    for (unsigned i = 0; i < INSTALL_SECTOR; i++)
        d->durable[0][i] = (uint8_t)(i * 7 + 1); // someone's MBR
    store16_le(d->durable[0] + 510, 0xaa55);
    memcpy(d->cached, d->durable, sizeof d->cached);
}

// ---- the reader ----------------------------------------------------------------------------------------

// What the next boot comes to: the former MBR, a version (its payload's first byte), or nothing that boots.
enum { BOOTS_NOTHING = -1, BOOTS_FORMER = 0 };

static const uint8_t (*platter)[INSTALL_SECTOR];
static const uint8_t *rotten; // NULL: every sector can be read

static bool readable(uint64_t lba, uint64_t count)
{
    for (uint64_t i = 0; rotten && i < count; i++)
        if (rotten[lba + i])
            return false;
    return true;
}

static bool payload_holds(uint64_t lba, const struct bootslot *slot, uint8_t *ret_version)
{
    uint8_t digest[SHA256_SIZE];
    sha256(platter[lba + BOOTSLOT_PAYLOAD_SECTORS], slot->length, digest);
    *ret_version = platter[lba + BOOTSLOT_PAYLOAD_SECTORS][0];
    return readable(lba + BOOTSLOT_PAYLOAD_SECTORS, (slot->length + INSTALL_SECTOR - 1) / INSTALL_SECTOR) &&
           memcmp(digest, slot->digest, SHA256_SIZE) == 0;
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
        stage |= lbas[i] && readable(lbas[i], MBR_STAGE_SECTORS) &&
                 crc32(0, disk[lbas[i]], MBR_STAGE_SECTORS * INSTALL_SECTOR) == load32_le(e + MBR_ENTRY_SUM);
    }
    if (!stage)
        return BOOTS_NOTHING;
    // The stage: the slots that the MBR names, in the order of bootslot_choose, the first one whose digest holds.
    struct bootslot slots[BOOTSLOT_COUNT];
    const struct bootslot *there[BOOTSLOT_COUNT] = { NULL, NULL };
    unsigned order[BOOTSLOT_COUNT];
    uint8_t version;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        if (lbas[i] && readable(lbas[i] - BOOTSLOT_PAYLOAD_SECTORS, 1) &&
            bootslot_parse(disk[lbas[i] - BOOTSLOT_PAYLOAD_SECTORS], INSTALL_SECTOR, &slots[i]) == 0)
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

static int boots_now(const struct memory_disk *d)
{
    rotten = d->rotten;
    int version = boot((const void *)d->durable, former);
    rotten = NULL;
    return version;
}

// The platter after the cut: which of the waiting sectors made it is the variant's.
static void settle_dust(const struct memory_disk *from, struct memory_disk *to, unsigned variant)
{
    *to = *from;
    for (uint32_t i = 0; i < from->waiting_count; i++) {
        bool made_it = variant == 0 ? false : variant == 1 ? true : variant == 2 ? i + 1 < from->waiting_count : dice() & 1;
        if (!made_it)
            continue;
        memcpy(to->durable[from->waiting[i]], from->cached[from->waiting[i]], INSTALL_SECTOR);
        to->rotten[from->waiting[i]] = 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(to->rotten); i++)
        to->rotten[i] = to->rotten[i] ? ROTTEN : 0;
    memcpy(to->cached, to->durable, sizeof to->cached);
    to->waiting_count = 0;
    to->dead = false;
    to->cut = UINT32_MAX;
    to->lost = UINT32_MAX - 1;
    to->events = 0;
}

enum { VARIANTS = 6 };
