// SPDX-License-Identifier: MPL-2.0
// Where on a disk the boot bits may lie: its partition table, and the places that it leaves.
#pragma once
#include "block/gpt.h"
#include "block/zfslabel.h"
#include "install_dev.h"

enum install_kind {
    INSTALL_ZFS,       // boot area of a vdev
    INSTALL_BIOS_BOOT, // GPT partition of type "BIOS boot"
    INSTALL_GAP,       // between the table and the first partition
    INSTALL_KINDS,
};

// Addresses of partitions are in the disk's own sectors (install_dev.h: unit).
struct install_table {
    enum { INSTALL_TABLE_NONE, INSTALL_TABLE_MBR, INSTALL_TABLE_GPT, INSTALL_TABLE_DAMAGED } kind;
    char damage[96];     // of INSTALL_TABLE_DAMAGED: why; of INSTALL_TABLE_NONE: why what lies there is none, or empty
    uint64_t first_free; // first sector behind the table
    unsigned count;
    struct partition items[GPT_ENTRIES_MAX];
    unsigned hybrid_count; // beside a GPT: what the MBR names of its own
    struct partition hybrid[MBR_PARTITIONS];
};

struct install_area {
    enum install_kind kind;
    uint64_t lba, sectors;
    struct partition partition;         // of INSTALL_ZFS (number 0: the whole disk) and INSTALL_BIOS_BOOT
    bool behind_table;                  // of INSTALL_ZFS: over the whole disk, with the partition table of a former life in front of it
    bool first_label;                   // and its label L0 is whole
    struct zfslabel label;              // of INSTALL_ZFS: the newest label of the vdev
    struct zfslabel_uberblock uberblock;
};

const char *install_kind_name(enum install_kind kind); // "zfs", "bios-boot", "gap"

// Reads the partition table, logical partitions included. 0, or -1 after a message: sectors cannot be read, or a table that is not
// understood. A GPT of which no copy holds is INSTALL_TABLE_DAMAGED.
int install_table_read(struct install_dev *dev, struct install_table *ret);

// Looks for a place of a kind. `pool`: only this pool's vdev (NULL: any). 0; 1: there is none, *ret_why says why; -1 after
// a message. The boot area of a vdev is given as it is, whether or not it may be written (install_area_free).
int install_area_find(struct install_dev *dev, const struct install_table *table, enum install_kind kind, const char *pool,
                      struct install_area *ret, const char **ret_why);

// Whether a vdev lies over the whole disk, behind a table of a former life, so that the table's gaps and partitions may be the
// pool's. 0: *ret is its boot area, 1: no, -1 after a message.
int install_area_covered(struct install_dev *dev, const struct install_table *table, struct install_area *ret);

// Whether none of the disk's other partitions lies over [lba, lba+sectors) of a place. 0, or -1 after a message.
int install_area_alone(const struct install_dev *dev, const struct install_table *table, const struct install_area *area, uint64_t lba,
                       uint64_t sectors);

// Whether something forbids to write there: a raidz expansion under way, a mounted partition, install_dev_allowed. 0, or -1 after a message.
int install_area_allowed(struct install_dev *dev, const struct install_area *area);
