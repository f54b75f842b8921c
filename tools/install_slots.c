// SPDX-License-Identifier: MPL-2.0
// Slots, record and MBR of one disk, read and checked: install_slots.h.
#include "install_slots_parts.h"
#include "base/bytes.h"
#include "base/range.h"
#include <inttypes.h>
#include <stdlib.h>

#define AREA_SECTORS_MAX (16 * MIB / INSTALL_SECTOR) // of a larger place no more is used
#define ALIGN_SECTORS (BOOTSLOT_ALIGN / INSTALL_SECTOR)

// ---- reading -------------------------------------------------------------------------------------------

// Sectors that cannot be read make a slot an unsound one, which the next install writes over: a disk gives new sectors for those.
static void read_slot(struct install_dev *dev, struct install_slots *s, unsigned i)
{
    uint8_t sector[INSTALL_SECTOR], digest[SHA256_SIZE];
    struct bootslot *slot = &s->slots[i];
    if (install_dev_read(dev, s->places[i].lba, 1, sector) != 0) {
        s->unreadable[i] = true;
        return;
    }
    s->header[i] = bootslot_parse(sector, sizeof sector, slot) == 0;
    uint64_t room = (uint64_t)(s->places[i].sectors - BOOTSLOT_PAYLOAD_SECTORS) * INSTALL_SECTOR;
    if (!s->header[i] || slot->length > room)
        return;
    uint32_t count = sectors_of(slot->length);
    uint8_t *payload = tool_alloc((size_t)count * INSTALL_SECTOR);
    if (install_dev_read(dev, stage_lba(s, i), count, payload) != 0) {
        s->unreadable[i] = true;
        free(payload);
        return;
    }
    sha256(payload, slot->length, digest);
    s->good[i] = digest_equal(digest, slot->digest, SHA256_SIZE);
    s->payloads[i] = payload;
}

// Which slots the MBR leads to, as mbr.bin and the stage go: an entry whose stage has its sum, then any slot that an entry names.
static void read_entries(struct install_dev *dev, struct install_slots *s)
{
    uint8_t stage[MBR_STAGE_SECTORS * INSTALL_SECTOR];
    for (unsigned e = 0; s->mbr_ours && e < MBR_ENTRY_COUNT; e++) {
        uint64_t at = load64_le(entry_of(s->sector0, e) + MBR_ENTRY_LBA);
        s->mbr_here |= at >= s->lba && at < s->lba + s->sectors;
        for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
            if (at != stage_lba(s, i))
                continue;
            s->named[i] = true;
            if (!s->unreadable[i] && install_dev_read(dev, at, MBR_STAGE_SECTORS, stage) == 0)
                s->stage[i] |= load32_le(entry_of(s->sector0, e) + MBR_ENTRY_SUM) == stage_sum(stage);
        }
    }
}

// Looks for anything in an area that is not Signet's.
static int find_unknown(struct install_dev *dev, struct install_slots *s)
{
    enum { STEP = 64 };
    static uint8_t buf[STEP * INSTALL_SECTOR];
    uint64_t end = s->lba + s->sectors;
    for (uint64_t at = s->lba; at < end; at += STEP) {
        uint64_t count = MIN((uint64_t)STEP, end - at);
        if (install_dev_read(dev, at, count, buf) != 0)
            return -1;
        if (all_zero(buf, count * INSTALL_SECTOR))
            continue;
        for (uint64_t i = 0; i < count; i++) {
            if (!all_zero(buf + i * INSTALL_SECTOR, INSTALL_SECTOR)) {
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
    if (install_dev_read(dev, 0, 1, s.sector0) != 0)
        return -1;
    s.has_record = install_dev_read(dev, s.record_lba, 1, sector) == 0 && install_record_parse(sector, &s.record);
    s.mbr_ours = load32_le(s.sector0 + MBR_FIELDS) == MBR_MAGIC;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        read_slot(dev, &s, i);
    read_entries(dev, &s);
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

int install_slots_first(const struct install_slots *s, bool named)
{
    const struct bootslot *slots[BOOTSLOT_COUNT];
    unsigned order[BOOTSLOT_COUNT];
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++)
        slots[i] = s->good[i] && (s->named[i] || !named) ? &s->slots[i] : NULL;
    return bootslot_choose(slots, order) ? (int)order[0] : -1;
}

int install_slots_boots(const struct install_slots *s)
{
    return s->stage[0] || s->stage[1] ? install_slots_first(s, true) : -1;
}

int install_slots_active(const struct install_slots *s)
{
    int boots = install_slots_boots(s);
    return boots >= 0 ? boots : install_slots_first(s, false);
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
    if (install_slots_boots(s) < 0)
        found += differs(dev, "no slot boots", -1);
    return found;
}
