// SPDX-License-Identifier: MPL-2.0
// See block.h.
#include "block/block.h"

#include "base/range.h"

int block_read(const struct block_device *dev, uint64_t lba, uint32_t count, void *to)
{
    return range_fits(lba, count, dev->sectors) ? dev->ops->read(dev->ctx, dev->first + lba, count, to) : ERR_INVALID;
}

int block_write(const struct block_device *dev, uint64_t lba, uint32_t count, const void *from)
{
    if (!range_fits(lba, count, dev->sectors))
        return ERR_INVALID;
    return dev->ops->write ? dev->ops->write(dev->ctx, dev->first + lba, count, from) : ERR_DISK_WRITE;
}

int block_flush(const struct block_device *dev)
{
    return dev->ops->flush ? dev->ops->flush(dev->ctx) : 0;
}

bool block_part(const struct block_device *whole, uint64_t first, uint64_t sectors, struct block_device *ret)
{
    if (!range_fits(first, sectors, whole->sectors))
        return false;
    *ret = *whole;
    ret->first += first;
    ret->sectors = sectors;
    return true;
}
