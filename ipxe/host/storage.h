// SPDX-License-Identifier: MPL-2.0
// Disks of the host machine, in files or in memory, with the faults and power cuts that tests place.
#pragma once
#include "core/platform.h"

#define HOST_DISKS_MAX 4
#define HOST_JOURNAL_MAX 2048
#define HOST_FLUSHES_MAX 8

struct host_write {
    uint64_t lba;
    uint8_t bytes[4096]; // sector_size of them
};

struct host_machine;
struct host_disk {
    struct block_device dev;
    struct host_machine *machine;
    uint8_t *data;
    bool mapped; // from a file
};

// Faults are placed by number, from 1 on, counted over all disks; 0 = none.
struct host_storage {
    struct host_disk disks[HOST_DISKS_MAX];
    unsigned count;
    unsigned long reads, writes, flushes, sectors_written; // so far: calls, calls, calls, sectors
    unsigned long fail_read, fail_write, fail_flush; // this call fails, with ERR_DISK_READ or ERR_DISK_WRITE
    // At this sector write the power fails: the sector keeps its old content (or, when torn, half of it), and the
    // machine is off. `cut` says that it came to pass.
    unsigned long cut_at;
    bool torn, cut;
    uint64_t rotten;    // this sector cannot be read until it is written; 0: none
    unsigned long lose; // this sector write stays in the disk's cache and never reaches the medium
    // Each sector write in order, when the caller gives room for it: HOST_JOURNAL_MAX entries.
    struct host_write *journal;
    unsigned long flushed_at[HOST_FLUSHES_MAX]; // sectors written before each of the first flushes
};

// A disk over the caller's memory: `bytes` of it, a multiple of sector_size. The first disk is the boot disk.
void host_disk_add(struct host_machine *machine, void *data, uint64_t bytes, uint32_t sector_size);

// The same over a file, "FILE[,sector=512|4096]"; what is written goes into it. False with errno.
bool host_disk_open(struct host_machine *machine, const char *spec);

void host_disks_close(struct host_machine *machine);
