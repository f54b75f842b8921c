// SPDX-License-Identifier: MPL-2.0
// Slots, record and MBR of one disk: install_slots.h.
#include "install_slots.h"
#include "base/bytes.h"
#include "base/range.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define AREA_SECTORS_MAX (16 * MIB / INSTALL_SECTOR) // of a larger place no more is used
#define ALIGN_SECTORS (BOOTSLOT_ALIGN / INSTALL_SECTOR)

static bool is_zero(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static uint32_t sectors_of(uint32_t bytes)
{
    return (bytes + INSTALL_SECTOR - 1) / INSTALL_SECTOR;
}

static const uint8_t *entry_of(const uint8_t *sector0, unsigned i)
{
    return sector0 + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
}

static uint64_t stage_lba(const struct install_slots *s, unsigned slot)
{
    return s->places[slot].lba + BOOTSLOT_PAYLOAD_SECTORS;
}

static uint32_t stage_sum(const uint8_t *payload)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), payload, MBR_STAGE_SECTORS * INSTALL_SECTOR);
}
_Static_assert(MBR_STAGE_SECTORS * INSTALL_SECTOR == BOOTSLOT_STAGE_SIZE, "the stage that the sum is over");

// ---- reading -------------------------------------------------------------------------------------------

static int read_slot(struct install_dev *dev, struct install_slots *s, unsigned i)
{
    uint8_t sector[INSTALL_SECTOR], digest[SHA256_SIZE];
    struct bootslot *slot = &s->slots[i];
    if (dev->read(dev, s->places[i].lba, 1, sector) != 0)
        return -1;
    s->header[i] = bootslot_parse(sector, sizeof sector, slot) == 0;
    uint64_t room = (uint64_t)(s->places[i].sectors - BOOTSLOT_PAYLOAD_SECTORS) * INSTALL_SECTOR;
    if (!s->header[i] || slot->length > room)
        return 0;
    uint32_t count = sectors_of(slot->length);
    uint8_t *payload = tool_alloc((size_t)count * INSTALL_SECTOR);
    if (dev->read(dev, stage_lba(s, i), count, payload) != 0) {
        free(payload);
        return -1;
    }
    sha256(payload, slot->length, digest);
    s->good[i] = digest_equal(digest, slot->digest, SHA256_SIZE);
    s->payloads[i] = payload;
    return 0;
}

// Looks for anything in an area that is not Signet's.
static int find_unknown(struct install_dev *dev, struct install_slots *s)
{
    enum { STEP = 64 };
    static uint8_t buf[STEP * INSTALL_SECTOR];
    uint64_t end = s->lba + s->sectors;
    for (uint64_t at = s->lba; at < end; at += STEP) {
        uint64_t count = MIN((uint64_t)STEP, end - at);
        if (dev->read(dev, at, count, buf) != 0)
            return -1;
        if (is_zero(buf, count * INSTALL_SECTOR))
            continue;
        for (uint64_t i = 0; i < count; i++) {
            if (!is_zero(buf + i * INSTALL_SECTOR, INSTALL_SECTOR)) {
                s->first_unknown = at + i;
                return 0;
            }
        }
    }
    return 0;
}

// Where slots and record lie in the area.
static bool lay_out(struct install_slots *s)
{
    // The record takes the last whole 4 KiB; what is before is for the slots.
    uint64_t end = (s->lba + s->sectors) & ~(uint64_t)(ALIGN_SECTORS - 1);
    s->record_lba = end - MIN(end, (uint64_t)ALIGN_SECTORS);
    return s->record_lba > s->lba && bootslot_place(s->lba, s->record_lba - s->lba, BOOTSLOT_STAGE_SIZE, s->places) == 0;
}

bool install_slots_fit(uint64_t lba, uint64_t sectors)
{
    struct install_slots s = { .lba = lba, .sectors = MIN(sectors, (uint64_t)AREA_SECTORS_MAX) };
    return lay_out(&s);
}

int install_slots_read(struct install_dev *dev, uint64_t lba, uint64_t sectors, struct install_slots *ret)
{
    struct install_slots s = { .lba = lba, .sectors = MIN(sectors, (uint64_t)AREA_SECTORS_MAX), .first_unknown = UINT64_MAX };
    uint8_t sector[INSTALL_SECTOR];
    if (!lay_out(&s)) {
        tool_error(dev->path, "the place for the boot bits, %" PRIu64 " sectors from %" PRIu64 " on, is too small", sectors, lba);
        return -1;
    }
    if (dev->read(dev, 0, 1, s.sector0) != 0 || dev->read(dev, s.record_lba, 1, sector) != 0)
        return -1;
    s.has_record = install_record_parse(sector, &s.record);
    s.mbr_ours = load32_le(s.sector0 + MBR_FIELDS) == MBR_MAGIC;
    for (unsigned i = 0; i < MBR_ENTRY_COUNT; i++) {
        uint64_t at = load64_le(entry_of(s.sector0, i) + MBR_ENTRY_LBA);
        s.mbr_here |= s.mbr_ours && at >= s.lba && at < s.lba + s.sectors;
    }
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        if (read_slot(dev, &s, i) != 0) {
            install_slots_free(&s);
            return -1;
        }
    }
    if (!install_slots_ours(&s) && find_unknown(dev, &s) != 0)
        return -1;
    *ret = s;
    return 0;
}

void install_slots_free(struct install_slots *s)
{
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        free(s->payloads[i]);
        s->payloads[i] = NULL;
    }
}

bool install_slots_ours(const struct install_slots *s)
{
    return s->has_record || s->header[0] || s->header[1] || s->mbr_here;
}

int install_slots_active(const struct install_slots *s)
{
    const struct bootslot *slots[BOOTSLOT_COUNT];
    unsigned order[BOOTSLOT_COUNT];
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        slots[i] = s->good[i] ? &s->slots[i] : NULL;
    return bootslot_choose(slots, order) ? (int)order[0] : -1;
}

uint64_t install_slots_sequence(const struct install_slots *s)
{
    uint64_t last = 0;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        if (s->header[i])
            last = MAX(last, s->slots[i].sequence);
    return last;
}

bool install_slots_code_is(const struct install_slots *s, const uint8_t *mbr)
{
    const size_t behind = MBR_ENTRIES + MBR_ENTRY_COUNT * MBR_ENTRY_SIZE;
    return memcmp(s->sector0, mbr, MBR_ENTRIES) == 0 && memcmp(s->sector0 + behind, mbr + behind, MBR_CODE_SIZE - behind) == 0;
}

// ---- installing ----------------------------------------------------------------------------------------

static int write_and_settle(struct install_dev *dev, uint64_t lba, uint64_t count, const void *buf, const char *what)
{
    return install_dev_put(dev, lba, count, buf, what) != 0 ? -1 : install_dev_settle(dev, lba, count, buf, what);
}

// The record of an install of `mbr`. Of an MBR that is Signet's already, what was before it is kept, if it is known.
static struct install_record make_record(const struct install_slots *s, const uint8_t *mbr)
{
    struct install_record record = { .former_signature = true };
    if (!s->mbr_ours) {
        record.former_known = true;
        record.former_signature = load16_le(s->sector0 + 510) == 0xaa55;
        memcpy(record.former, s->sector0, MBR_CODE_SIZE);
    } else if (s->has_record) {
        record = s->record;
    }
    install_record_code(mbr, record.code);
    return record;
}

static int write_slot(struct install_dev *dev, struct install_slots *s, unsigned target, const struct install_bits *bits)
{
    // The sectors between header and payload are zero.
    const uint32_t gap = BOOTSLOT_PAYLOAD_SECTORS - 1, count = gap + sectors_of(bits->length);
    const char name = (char)('A' + target);
    uint8_t header[BOOTSLOT_HEADER_SIZE];
    char what[64];
    uint64_t last = install_slots_sequence(s);
    struct bootslot slot = { .length = bits->length, .tries = BOOTSLOT_TRIES_DEFAULT };
    slot.sequence = MAX(bits->sequence, last == UINT64_MAX ? 0 : last + 1);
    sha256(bits->payload, bits->length, slot.digest);
    if (last == UINT64_MAX || bootslot_build(&slot, header) != 0) {
        tool_error(dev->path, "no header can be made for %u bytes with sequence number %" PRIu64, bits->length, slot.sequence);
        return -1;
    }
    uint8_t *buf = tool_alloc((size_t)count * INSTALL_SECTOR);
    memcpy(buf + (size_t)gap * INSTALL_SECTOR, bits->payload, bits->length);
    snprintf(what, sizeof what, "payload of slot %c", name);
    int r = write_and_settle(dev, s->places[target].lba + 1, count, buf, what);
    free(buf);
    if (r != 0)
        return -1;
    snprintf(what, sizeof what, "header of slot %c, sequence number %" PRIu64, name, slot.sequence);
    return write_and_settle(dev, s->places[target].lba, 1, header, what);
}

// The MBR that belongs to the slots when `target` holds the new payload (or held it already).
static void build_mbr(const struct install_slots *s, unsigned target, const struct install_bits *bits, uint8_t sector[INSTALL_SECTOR])
{
    unsigned other = 1 - target;
    memcpy(sector, s->sector0, INSTALL_SECTOR);
    memcpy(sector, bits->mbr, MBR_CODE_SIZE);
    memset(sector + MBR_ENTRIES, 0, MBR_ENTRY_COUNT * MBR_ENTRY_SIZE);
    uint8_t *first = sector + MBR_ENTRIES, *second = first + MBR_ENTRY_SIZE;
    store64_le(first + MBR_ENTRY_LBA, stage_lba(s, target));
    store32_le(first + MBR_ENTRY_SUM, stage_sum(bits->payload));
    if (s->good[other]) {
        store64_le(second + MBR_ENTRY_LBA, stage_lba(s, other));
        store32_le(second + MBR_ENTRY_SUM, stage_sum(s->payloads[other]));
    }
    store16_le(sector + 510, 0xaa55);
}

static bool holds(const struct install_slots *s, int slot, const struct install_bits *bits)
{
    return slot >= 0 && s->slots[slot].length == bits->length && memcmp(s->payloads[slot], bits->payload, bits->length) == 0;
}

static int read_again(struct install_dev *dev, struct install_slots *s)
{
    struct install_slots now;
    if (install_slots_read(dev, s->lba, s->sectors, &now) != 0)
        return -1;
    install_slots_free(s);
    *s = now;
    return 0;
}

int install_slots_write(struct install_dev *dev, struct install_slots *s, const struct install_bits *bits)
{
    int active = install_slots_active(s);
    bool same = !bits->rewrite && holds(s, active, bits) && (bits->slot < 0 || bits->slot == active);
    unsigned target = same ? (unsigned)active : bits->slot >= 0 ? (unsigned)bits->slot : active >= 0 ? 1 - (unsigned)active : 0;
    uint64_t room = (uint64_t)(s->places[target].sectors - BOOTSLOT_PAYLOAD_SECTORS) * INSTALL_SECTOR;
    uint8_t sector[INSTALL_SECTOR];
    bool changed = false;
    if (bits->length > room) {
        tool_error(dev->path, "is too small there: %u bytes, and a slot has room for %" PRIu64, bits->length, room);
        return -1;
    }
    if (!same && (int)target == active && !bits->rewrite) {
        tool_error(dev->path, "slot %c is the one that boots: writing it would not be safe against a power failure (--force does it)",
                   'A' + active);
        return -1;
    }
    // Written also when there is one but another MBR: what is there now is what `remove` shall bring back.
    struct install_record record = make_record(s, bits->mbr);
    if (!s->has_record || !s->mbr_ours || memcmp(record.code, s->record.code, sizeof record.code) != 0) {
        changed = true;
        install_record_build(&record, sector);
        if (write_and_settle(dev, s->record_lba, 1, sector, "record, with the former MBR code") != 0)
            return -1;
    }
    if (!same) {
        changed = true;
        if (write_slot(dev, s, target, bits) != 0)
            return -1;
    }
    build_mbr(s, target, bits, sector);
    if (memcmp(sector, s->sector0, sizeof sector) != 0) {
        changed = true;
        if (write_and_settle(dev, 0, 1, sector, "MBR code (disk signature and partition table stay)") != 0)
            return -1;
    }
    if (dev->dry_run || !changed)
        return changed ? 0 : 1;
    if (read_again(dev, s) != 0)
        return -1;
    if (install_slots_check(dev, s) != 0 || install_slots_active(s) != (int)target) {
        tool_error(dev->path, "is not as it should be after the install");
        return -1;
    }
    return 0;
}

// ---- removing ------------------------------------------------------------------------------------------

int install_slots_remove(struct install_dev *dev, struct install_slots *s)
{
    uint8_t sector[INSTALL_SECTOR];
    static const uint8_t zeros[BOOTSLOT_SIZE_MAX];
    memcpy(sector, s->sector0, sizeof sector);
    if (s->mbr_here) {
        memset(sector, 0, MBR_CODE_SIZE);
        if (s->has_record && s->record.former_known)
            memcpy(sector, s->record.former, MBR_CODE_SIZE);
        if (s->has_record && !s->record.former_signature)
            store16_le(sector + 510, 0);
        if (write_and_settle(dev, 0, 1, sector, "MBR code as it was before") != 0)
            return -1;
    }
    // The record goes last: until then the area is known for Signet's, and `remove` can be called again.
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        const struct bootslot_place *p = &s->places[i];
        if (write_and_settle(dev, p->lba, p->sectors, zeros, i ? "zeros over slot B" : "zeros over slot A") != 0)
            return -1;
    }
    if (write_and_settle(dev, s->record_lba, 1, zeros, "zeros over the record") != 0)
        return -1;
    return dev->dry_run ? 0 : read_again(dev, s);
}

// ---- checking ------------------------------------------------------------------------------------------

static unsigned differs(struct install_dev *dev, const char *text, int slot)
{
    if (slot < 0)
        tool_error(dev->path, "%s", text);
    else
        tool_error(dev->path, "slot %c: %s", 'A' + slot, text);
    return 1;
}

unsigned install_slots_check(struct install_dev *dev, const struct install_slots *s)
{
    unsigned found = 0;
    bool named[BOOTSLOT_COUNT] = { false };
    if (!s->mbr_ours)
        return differs(dev, "the MBR is not Signet's", -1);
    if (load16_le(s->sector0 + MBR_STAGE_COUNT) != MBR_STAGE_SECTORS || load16_le(s->sector0 + MBR_VERSION_AT) != MBR_VERSION ||
        load16_le(s->sector0 + 510) != 0xaa55)
        found += differs(dev, "the MBR's fields are not as an install leaves them", -1);
    if (!s->has_record)
        found += differs(dev, "the record with the former MBR code is gone", -1);
    else if (!install_record_holds(&s->record, s->sector0))
        found += differs(dev, "the MBR's code is not the one that was installed", -1);
    for (unsigned e = 0; e < MBR_ENTRY_COUNT; e++) {
        uint64_t at = load64_le(entry_of(s->sector0, e) + MBR_ENTRY_LBA);
        unsigned i = 0;
        while (i < BOOTSLOT_COUNT && at != stage_lba(s, i))
            i++;
        if (at == 0)
            continue;
        if (i == BOOTSLOT_COUNT) {
            found += differs(dev, "the MBR names a place that is none of the slots", -1);
            continue;
        }
        named[i] = true;
        if (!s->good[i])
            found += differs(dev, s->header[i] ? "its bytes do not match its digest" : "has no valid header", (int)i);
        else if (load32_le(entry_of(s->sector0, e) + MBR_ENTRY_SUM) != stage_sum(s->payloads[i]))
            found += differs(dev, "the MBR has another sum of its stage", (int)i);
    }
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        if (!named[i] && s->good[i])
            found += differs(dev, "the MBR does not name it", (int)i);
        if (!named[i] && s->header[i] && !s->good[i])
            found += differs(dev, "its bytes do not match its digest", (int)i);
    }
    if (install_slots_active(s) < 0)
        found += differs(dev, "no slot boots", -1);
    return found;
}
