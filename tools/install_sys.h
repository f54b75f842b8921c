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

// A running RAID array of Linux's (md) that a disk or a partition is a member of.
struct install_sys_array {
    dev_t number;
    char *file; // "/dev/md127", free()
    bool plain; // RAID 1 whose members begin with the array's own first sector: each one by itself looks as the array does
};
bool install_sys_array(dev_t member, struct install_sys_array *ret);
bool install_sys_is_array(dev_t device, struct install_sys_array *ret); // the same of the array itself

// The members of an array: how many there are, up to `max` of them in *ret.
size_t install_sys_members(dev_t array, dev_t *ret, size_t max);

// What else of the system has a disk as a whole ("/dev/dm-0", free()); NULL: nothing.
char *install_sys_holder(dev_t disk);

// Lets the system mount what it mounts on demand (autofs) at the folders that are usual for EFI system partitions. True: there
// was one, so that it is worth looking again.
bool install_sys_automount(void);

// Where a device is mounted, as it is written in a command line (free()); NULL: nowhere. With `whole`, only where all of its file
// system is.
char *install_sys_mounted(dev_t device, bool whole);
