// SPDX-License-Identifier: MPL-2.0
// The machine's disks and their partitions, for what reads from them. Each is a device (block/block.h).
#pragma once
#include "block/gpt.h"
#include "core/session.h"

// To be called between reads: gives the keyboard and the network a turn now and then. *turned is the time of the last one.
// ERR_CANCELLED on ctrl-C.
int core_disk_turn(struct core *core, uint64_t *turned);

// Looks at a disk or a partition: 0 is what was looked for and ends the walk, and so does ERR_CANCELLED. With any other
// error the walk goes on: ERR_DISK_PARTITION says that this one is not meant.
typedef int core_disk_visit(void *ctx, const struct block_device *disk);
typedef int core_partition_visit(void *ctx, const struct block_device *dev, const struct partition *partition);

// All disks in the platform's order, or the one that `host` of a URI names: its number, or "boot" for the one that Signet
// was started from. Returns 0, ERR_CANCELLED, ERR_DISK_NONE (no such disk), ERR_URI_MALFORMED, or else what was wrong
// with the last disk that had something to say.
int core_disks(struct core *core, const char *host, core_disk_visit *visit, void *ctx);

// The partitions of a disk, logical ones included. The same, with ERR_DISK_TABLE, ERR_NOT_FOUND (no table), ERR_NO_MEMORY and errors of reading.
int core_partitions(struct core *core, const struct block_device *disk, core_partition_visit *visit, void *ctx);
