// SPDX-License-Identifier: MPL-2.0
// The partitions of a device, each as a device: of a GPT, or of an MBR with its logical ones (gpt.h). Pure.
#pragma once
#include "block/block.h"
#include "block/gpt.h"

// A walk through a table. 22 KiB: the caller says where they are.
struct partitions {
    bool copied; // the first GPT is damaged or gone, and the one at the device's end is read, or should be
    // Inside.
    struct block_device whole;
    bool is_gpt;
    unsigned next, count;
    struct gpt gpt;
    struct mbr_chain chain;
    uint8_t entries[GPT_ENTRIES_SIZE_MAX];
    uint8_t sector[BLOCK_SECTOR_MAX]; // the MBR, until the chain is walked
};

// Reads the table. A GPT comes before an MBR, unless that has partitions and does not name it. ERR_NOT_FOUND (neither), ERR_DISK_TABLE
// (both copies of a GPT are damaged), and errors of reading.
int partitions_open(struct partitions *t, const struct block_device *whole);

// The next partition, and the device that it is. 1, or 0: there is none. ERR_DISK_TABLE, or an error of reading: further
// logical ones of this chain are not seen; the walk can go on.
int partitions_next(struct partitions *t, struct partition *ret, struct block_device *ret_device);
