// SPDX-License-Identifier: MPL-2.0
// A block device in memory for tests, with faults: sectors that cannot be read, a disk that ends early, writes that are lost.
#pragma once
#include "block/block.h"

#include <stdlib.h>

struct testblock {
    struct block_device dev;
    uint8_t *data;
    uint64_t real;                    // sectors that there are, whatever the device says
    unsigned long reads, fail_read;   // calls so far; this one fails, from 1 on; 0: none
    unsigned long writes, lose_write; // this write stays in a cache that never reaches the medium
    unsigned long flushes;
    uint64_t rotten;                  // this sector cannot be read until it is written; 0: none
};

static int testblock_move(struct testblock *t, uint64_t lba, uint32_t count, uint8_t **ret)
{
    *ret = t->data + lba * t->dev.sector_size;
    return lba <= t->real && count <= t->real - lba ? 0 : ERR_INVALID;
}

static int testblock_read(void *ctx, uint64_t lba, uint32_t count, void *to)
{
    struct testblock *t = ctx;
    uint8_t *from;
    int err = testblock_move(t, lba, count, &from);
    if (++t->reads == t->fail_read || (t->rotten && t->rotten - lba < count))
        err = ERR_DISK_READ;
    if (!err)
        memcpy(to, from, (size_t)count * t->dev.sector_size);
    return err;
}

static int testblock_write(void *ctx, uint64_t lba, uint32_t count, const void *from)
{
    struct testblock *t = ctx;
    uint8_t *to;
    int err = testblock_move(t, lba, count, &to);
    if (!err && t->rotten && t->rotten - lba < count)
        t->rotten = 0;
    if (!err && ++t->writes != t->lose_write)
        memcpy(to, from, (size_t)count * t->dev.sector_size);
    return err;
}

static int testblock_flush(void *ctx)
{
    ((struct testblock *)ctx)->flushes++;
    return 0;
}

// Over the caller's memory; `bytes` is a multiple of sector_size.
static inline void testblock_make(struct testblock *t, uint8_t *data, uint64_t bytes, uint32_t sector_size)
{
    static const struct block_ops ops = { testblock_read, testblock_write, testblock_flush };
    *t = (struct testblock){ .data = data, .real = bytes / sector_size };
    t->dev = (struct block_device){ .ops = &ops, .ctx = t, .sectors = t->real, .sector_size = sector_size, .name = "memory" };
}
