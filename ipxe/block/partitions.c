// SPDX-License-Identifier: MPL-2.0
// See partitions.h.
#include "block/partitions.h"

#include "base/range.h"

static int read_gpt_at(struct partitions *t, uint64_t lba)
{
    const struct block_device *whole = &t->whole;
    int err = block_read(whole, lba, 1, t->sector);
    if (!err)
        err = gpt_header(t->sector, whole->sector_size, lba, whole->sectors, &t->gpt);
    if (err)
        return err;
    size_t size = (gpt_entries_size(&t->gpt) + whole->sector_size - 1) & ~(size_t)(whole->sector_size - 1);
    if (size > sizeof t->entries)
        return ERR_INVALID;
    err = block_read(whole, t->gpt.entries, (uint32_t)size / whole->sector_size, t->entries);
    return err ? err : gpt_check_entries(&t->gpt, t->entries, size);
}

// There is one extended partition at most; of a second one no system would number the logical ones.
static int read_mbr(struct partitions *t)
{
    int err = block_read(&t->whole, 0, 1, t->sector);
    int count = err ? err : mbr_partitions(t->sector, t->whole.sector_size, t->whole.sectors, t->primary);
    if (count < 0)
        return count;
    t->count = (unsigned)count;
    for (int i = 0; i < count && !t->chain.next; i++)
        if (mbr_is_extended(&t->primary[i]))
            mbr_chain_begin(&t->chain, &t->primary[i]);
    return 0;
}

int partitions_open(struct partitions *t, const struct block_device *whole)
{
    t->whole = *whole;
    t->copied = false;
    t->next = t->count = 0;
    t->chain.next = 0;
    int err = read_gpt_at(t, GPT_HEADER_LBA);
    t->is_gpt = err != ERR_NOT_FOUND;
    if (!t->is_gpt)
        return read_mbr(t);
    t->copied = err != 0;
    if (t->copied)
        err = read_gpt_at(t, whole->sectors - 1) ? ERR_DISK_TABLE : 0;
    if (!err)
        t->count = t->gpt.count;
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
        if (t->is_gpt) {
            found = gpt_entry(&t->gpt, t->entries, t->next++, ret);
        } else {
            found = 1;
            *ret = t->primary[t->next++];
        }
    }
    while (found == 0 && t->chain.next)
        found = next_logical(t, ret);
    return found > 0 && !block_part(&t->whole, ret->first, ret->sectors, ret_device) ? ERR_DISK_TABLE : found;
}
