// SPDX-License-Identifier: MPL-2.0
// What the running system says about disks, their partitions, and where those are mounted: /sys and /proc.
#pragma once
#include "tool.h"
#include <sys/types.h>

extern const char *install_sys_root; // in front of these paths: empty, but in tests

// The device number of a disk's partition (0: of the disk). False when the system has none of that number.
bool install_sys_partition(dev_t disk, unsigned partition, dev_t *ret);

// The file of a device in /dev (free()); NULL: the system has no such device.
char *install_sys_file(dev_t device);

// The disk that a partition is of ("/dev/sda", free()), and the partition's number. False when it is none.
bool install_sys_disk(dev_t partition, char **ret_disk, unsigned *ret_number);

// Where a device is mounted, as it is written in a command line (free()); NULL: nowhere. With `whole`, only where all of its file
// system is.
char *install_sys_mounted(dev_t device, bool whole);
