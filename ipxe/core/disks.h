// SPDX-License-Identifier: MPL-2.0
// The machine's disks and their partitions, for transports that read from them.
#pragma once
#include "core/state.h"
#include "block/gpt.h"

#define DISK_SECTOR_MAX 4096

struct core_disk {
    struct core *core;
    unsigned number; // in the platform's order
    struct platform_disk info;
};

// Reads `count` sectors. 0, or the platform's error.
int core_disk_read(const struct core_disk *disk, uint64_t lba, uint32_t count, void *to);
// Writes `count` sectors. The same, and ERR_DISK_WRITE where nothing can be written.
int core_disk_write(const struct core_disk *disk, uint64_t lba, uint32_t count, const void *from);
// What was written before is on the medium before what is written after, where the platform can see to that.
int core_disk_flush(const struct core_disk *disk);

// To be called between reads: gives the keyboard and the network a turn now and then. *turned is the time of the last one.
// ERR_CANCELLED on ctrl-C.
int core_disk_turn(struct core *core, uint64_t *turned);

// Looks at a disk or a partition: 0 is what was looked for and ends the walk, and so does ERR_CANCELLED. With any other
// error the walk goes on: ERR_DISK_PARTITION says that this one is not meant.
typedef int core_disk_visit(void *ctx, const struct core_disk *disk);
typedef int core_partition_visit(void *ctx, const struct core_disk *disk, const struct partition *partition);

// All disks in the platform's order, or the one that `host` of a URI names: its number, or "boot" for the one that Signet
// was started from. Returns 0, ERR_CANCELLED, ERR_DISK_NONE (no such disk), ERR_URI_MALFORMED, or else what was wrong
// with the last disk that had something to say.
int core_disks(struct core *core, const char *host, core_disk_visit *visit, void *ctx);

// The partitions of a disk's GPT or MBR. The same, with ERR_DISK_TABLE, ERR_NO_MEMORY and errors of reading.
int core_partitions(const struct core_disk *disk, core_partition_visit *visit, void *ctx);
