// SPDX-License-Identifier: MPL-2.0
// Slots, record and MBR of one disk, written and removed: install_slots.h.
#include "install_slots_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

// What an install will do to one disk, with everything that can be refused looked at.
struct plan {
    bool same;       // the slot in use holds these very bits
    unsigned target; // slot to be written, or the one in use
    struct bootslot slot;
    uint8_t header[BOOTSLOT_HEADER_SIZE];
};

static bool holds(const struct install_slots *s, int slot, const struct install_bits *bits)
{
    return slot >= 0 && s->slots[slot].length == bits->length && memcmp(s->payloads[slot], bits->payload, bits->length) == 0;
}

// 0, or -1 after a message.
static int make_plan(const struct install_dev *dev, const struct install_slots *s, const struct install_bits *bits, struct plan *ret)
{
    int active = install_slots_active(s);
    // A newer slot that the MBR does not name yet, of an install that was cut short, would boot as soon as it is named.
    bool newest = active >= 0 && install_slots_first(s, false) == active;
    // A damaged one beside the slot in use is no version to go back to: the bits go there, too.
    bool damaged = bits->slot < 0 && active >= 0 && !s->good[1 - active] && (s->header[1 - active] || s->unreadable[1 - active]);
    struct plan p = { .same = newest && !damaged && !bits->rewrite && holds(s, active, bits) && (bits->slot < 0 || bits->slot == active) };
    p.target = p.same ? (unsigned)active : bits->slot >= 0 ? (unsigned)bits->slot : active >= 0 ? 1 - (unsigned)active : 0;
    uint64_t room = (uint64_t)(s->places[p.target].sectors - BOOTSLOT_PAYLOAD_SECTORS) * INSTALL_SECTOR;
    uint64_t last = install_slots_sequence(s);
    if (bits->length > room) {
        tool_error(dev->path, "is too small there: %u bytes, and a slot has room for %" PRIu64, bits->length, room);
        return -1;
    }
    if (!p.same && (int)p.target == active && !bits->rewrite) {
        tool_error(dev->path, "slot %c is the one that boots: writing it would not be safe against a power failure (--force does it)",
                   'A' + active);
        return -1;
    }
    p.slot = (struct bootslot){ .length = bits->length, .tries = BOOTSLOT_TRIES_DEFAULT };
    p.slot.sequence = MAX(bits->sequence, last == UINT64_MAX ? 0 : last + 1);
    sha256(bits->payload, bits->length, p.slot.digest);
    if (!p.same && (last == UINT64_MAX || bootslot_build(&p.slot, p.header) != 0)) {
        tool_error(dev->path, "no header can be made for %u bytes behind sequence number %" PRIu64, bits->length, last);
        return -1;
    }
    *ret = p;
    return 0;
}

int install_slots_may_write(const struct install_dev *dev, const struct install_slots *s, const struct install_bits *bits)
{
    struct plan plan;
    return make_plan(dev, s, bits, &plan);
}

// Slots and record are written in whole blocks of 4 KiB, at whose starts they lie: of a block that is written in part the system
// first reads the rest, which a sector that cannot be read would keep it from, and only writing brings such a one back.
static uint32_t whole_blocks(uint32_t sectors)
{
    const uint32_t block = BOOTSLOT_ALIGN / INSTALL_SECTOR;
    return (sectors + block - 1) / block * block;
}

static int write_slot(struct install_dev *dev, const struct install_slots *s, const struct plan *plan, const uint8_t *payload)
{
    const uint64_t lba = s->places[plan->target].lba;
    const uint32_t count = whole_blocks(BOOTSLOT_PAYLOAD_SECTORS + sectors_of(plan->slot.length));
    const char name = (char)('A' + plan->target);
    char what[64];
    uint8_t *buf = tool_alloc((size_t)count * INSTALL_SECTOR);
    memcpy(buf + BOOTSLOT_PAYLOAD_SECTORS * INSTALL_SECTOR, payload, plan->slot.length);
    snprintf(what, sizeof what, "payload of slot %c, without a header", name);
    int r = write_and_settle(dev, lba, count, buf, what);
    memcpy(buf, plan->header, sizeof plan->header);
    snprintf(what, sizeof what, "header of slot %c, sequence number %" PRIu64, name, plan->slot.sequence);
    if (r == 0)
        r = write_and_settle(dev, lba, BOOTSLOT_PAYLOAD_SECTORS, buf, what);
    free(buf);
    return r;
}

// The MBR's entries when slot `first` holds this payload: that one, then the other one if it is sound.
static void build_entries(const struct install_slots *s, unsigned first, const uint8_t *payload, uint8_t sector[INSTALL_SECTOR])
{
    unsigned other = 1 - first;
    uint8_t *entry = sector + MBR_ENTRIES;
    memset(entry, 0, MBR_ENTRY_COUNT * MBR_ENTRY_SIZE);
    store64_le(entry + MBR_ENTRY_LBA, stage_lba(s, first));
    store32_le(entry + MBR_ENTRY_SUM, stage_sum(payload));
    entry += MBR_ENTRY_SIZE;
    if (s->good[other]) {
        store64_le(entry + MBR_ENTRY_LBA, stage_lba(s, other));
        store32_le(entry + MBR_ENTRY_SUM, stage_sum(s->payloads[other]));
    }
    store16_le(sector + 510, 0xaa55);
}

// An install that was cut short may have left an MBR that reaches the sound slot only through the stage of the other one, which
// is about to be written over. 1 when it was written.
static int name_survivor(struct install_dev *dev, const struct install_slots *s, unsigned target)
{
    unsigned survivor = 1 - target;
    uint8_t sector[INSTALL_SECTOR];
    if (install_slots_boots(s) != (int)survivor || s->stage[survivor])
        return 0;
    memcpy(sector, s->sector0, sizeof sector);
    build_entries(s, survivor, s->payloads[survivor], sector);
    return write_and_settle(dev, 0, 1, sector, "MBR entries of the slot that stays") != 0 ? -1 : 1;
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

// The record is written also when there is one but another MBR: what is there now is what `remove` shall bring back.
// 1: written, 0: nothing to do, -1 after a message.
static int write_record(struct install_dev *dev, const struct install_slots *s, const uint8_t *mbr)
{
    uint8_t block[BOOTSLOT_ALIGN] = { 0 };
    struct install_record record = make_record(s, mbr);
    if (s->has_record && s->mbr_ours && memcmp(record.code, s->record.code, sizeof record.code) == 0)
        return 0;
    install_record_build(&record, block);
    return write_and_settle(dev, s->record_lba, whole_blocks(1), block, "record, with the former MBR code") != 0 ? -1 : 1;
}

int install_slots_write(struct install_dev *dev, struct install_slots *s, const struct install_bits *bits)
{
    struct plan plan;
    uint8_t sector[INSTALL_SECTOR];
    if (make_plan(dev, s, bits, &plan) != 0)
        return -1;
    int record = write_record(dev, s, bits->mbr);
    int named = record < 0 || plan.same ? 0 : name_survivor(dev, s, plan.target);
    if (record < 0 || named < 0 || (!plan.same && write_slot(dev, s, &plan, bits->payload) != 0))
        return -1;
    bool changed = record || named || !plan.same;
    memcpy(sector, s->sector0, sizeof sector);
    memcpy(sector, bits->mbr, MBR_CODE_SIZE);
    build_entries(s, plan.target, bits->payload, sector);
    if (named || memcmp(sector, s->sector0, sizeof sector) != 0) {
        changed = true;
        if (write_and_settle(dev, 0, 1, sector, "MBR code (disk signature and partition table stay)") != 0)
            return -1;
    }
    if (dev->dry_run || !changed)
        return changed ? 0 : 1;
    if (read_again(dev, s) != 0)
        return -1;
    if (install_slots_check(dev, s) != 0 || install_slots_boots(s) != (int)plan.target) {
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
    if (write_and_settle(dev, s->record_lba, whole_blocks(1), zeros, "zeros over the record") != 0)
        return -1;
    return dev->dry_run ? 0 : read_again(dev, s);
}
