// SPDX-License-Identifier: MPL-2.0
// See partitions.h.
#include "block/partitions.h"

static int read_gpt_at(struct partitions *t, uint64_t lba)
{
    const struct block_device *whole = &t->whole;
    int err = block_read(whole, lba, 1, t->sector);
    if (!err)
        err = gpt_header(t->sector, whole->sector_size, lba, whole->sectors, &t->gpt);
    if (err)
        return err;
    uint32_t count = (gpt_entries_size(&t->gpt) + whole->sector_size - 1) / whole->sector_size;
    err = block_read(whole, t->gpt.entries, count, t->entries);
    return err ? err : gpt_check_entries(&t->gpt, t->entries, sizeof t->entries);
}
_Static_assert(GPT_ENTRIES_SIZE_MAX % BLOCK_SECTOR_MAX == 0, "whole sectors of entries fit");

// What the first sector says about the disk (UEFI 5.2): it is divided by an MBR, or a GPT is behind it. Neither: no such sector.
enum mbr_says { NOTHING, DIVIDED, PROTECTED };
static enum mbr_says mbr_says(const struct partitions *t)
{
    enum mbr_says says = NOTHING;
    struct partition p;
    for (unsigned i = 0; mbr_is(t->sector) && i < MBR_PARTITIONS; i++) {
        if (mbr_protects(t->sector, i))
            return PROTECTED;
        if (mbr_entry(t->sector, i, t->whole.sectors, &p))
            says = DIVIDED;
    }
    return says;
}

int partitions_open(struct partitions *t, const struct block_device *whole)
{
    t->whole = *whole;
    t->next = 0;
    t->chain.next = 0;
    int gpt = read_gpt_at(t, GPT_HEADER_LBA), mbr = block_read(whole, 0, 1, t->sector);
    enum mbr_says says = mbr ? NOTHING : mbr_says(t);
    if (says == DIVIDED)
        gpt = ERR_NOT_FOUND; // one of a former life, whole or not
    t->copied = gpt && (gpt != ERR_NOT_FOUND || says == PROTECTED);
    if (t->copied && read_gpt_at(t, whole->sectors - 1) == 0) {
        gpt = 0;
    } else if (t->copied && gpt == ERR_NOT_FOUND) { // nor is there a copy
        t->copied = false;
        mbr = block_read(whole, 0, 1, t->sector);
    }
    t->is_gpt = gpt != ERR_NOT_FOUND;
    int err = t->is_gpt ? (gpt ? ERR_DISK_TABLE : 0) : !mbr && !mbr_is(t->sector) ? ERR_NOT_FOUND : mbr;
    t->count = err ? 0 : t->is_gpt ? t->gpt.count : MBR_PARTITIONS;
    return err;
}

// A chain that leads nowhere ends.
static int next_logical(struct partitions *t, struct partition *ret)
{
    int r = block_read(&t->whole, t->chain.next, 1, t->sector);
    if (r) {
        t->chain.next = 0;
        return r;
    }
    r = mbr_chain_next(&t->chain, t->sector, t->whole.sector_size, ret);
    return r == ERR_INVALID ? ERR_DISK_TABLE : r;
}

int partitions_next(struct partitions *t, struct partition *ret, struct block_device *ret_device)
{
    int found = 0;
    while (found == 0 && t->next < t->count) {
        unsigned i = t->next++;
        found = t->is_gpt ? gpt_entry(&t->gpt, t->entries, i, ret) : mbr_entry(t->sector, i, t->whole.sectors, ret);
        // There is one extended partition at most; of a second one no system would number the logical ones.
        if (found && !t->is_gpt && mbr_is_extended(ret) && !t->chain.next)
            mbr_chain_begin(&t->chain, ret);
    }
    while (found == 0 && t->chain.next)
        found = next_logical(t, ret);
    return found > 0 && !block_part(&t->whole, ret->first, ret->sectors, ret_device) ? ERR_DISK_TABLE : found;
}
