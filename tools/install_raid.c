// SPDX-License-Identifier: MPL-2.0
// See install_raid.h. Superblocks of Linux's md: kernel, include/uapi/linux/raid/md_p.h. Firmware's arrays: Intel's metadata in the
// last but one sector, SNIA DDF's anchor in the last one.
#include "install_raid.h"
#include "base/bytes.h"

#define MD_MAGIC 0xa92b4efcu
#define MD_RESERVED 128u // sectors at the end of which version 0.90 has its superblock
#define INTEL_MAGIC "Intel Raid ISM Cfg Sig. "
#define DDF_MAGIC 0xde11de11u
enum {
    MD0_MAJOR = 4,           // u32: 0
    MD0_KIBIBYTES = 32,      // u32: what the array uses of each member
    MD1_MAJOR = 4,           // u32: 1
    MD1_SUPER_OFFSET = 144,  // u64: where the superblock lies on the member, in sectors
};

// Version 1: at the end, at the start, at 4 KiB. It names its own place, so that of a partition at the disk's end is not taken for the disk's.
static bool is_md1(const uint8_t *sector, uint64_t at)
{
    return load32_le(sector) == MD_MAGIC && load32_le(sector + MD1_MAJOR) == 1 && load64_le(sector + MD1_SUPER_OFFSET) == at;
}

// Version 0.90, which does not: but it has the member's size, up to its rounding.
static bool is_md0(const uint8_t *sector, uint64_t at)
{
    uint64_t used = (uint64_t)load32_le(sector + MD0_KIBIBYTES) * 2;
    return load32_le(sector) == MD_MAGIC && load32_le(sector + MD0_MAJOR) == 0 && used <= at && at - used < MD_RESERVED;
}

int install_raid_find(struct install_dev *dev, uint64_t first, uint64_t sectors, const char **ret)
{
    uint8_t sector[INSTALL_SECTOR_MAX];
    *ret = NULL;
    if (sectors < 2 * MD_RESERVED)
        return 0;
    const uint64_t end1 = (sectors - 16) & ~(uint64_t)7, end0 = (sectors & ~(uint64_t)(MD_RESERVED - 1)) - MD_RESERVED;
    const uint64_t places[] = { 0, 8, end1, end0, sectors - 2, sectors - 1 };
    for (unsigned i = 0; i < ARRAY_SIZE(places) && !*ret; i++) {
        uint64_t at = places[i], lba = first + at, unit = dev->unit;
        // Of a disk with larger sectors a whole one is read.
        if (install_dev_read(dev, lba / unit * unit, unit, sector) != 0)
            return -1;
        const uint8_t *p = sector + lba % unit * INSTALL_SECTOR;
        if (i < 3 ? is_md1(p, at) : i == 3 && is_md0(p, at))
            *ret = "Linux RAID";
        else if (at == sectors - 2 && memcmp(p, INTEL_MAGIC, strlen(INTEL_MAGIC)) == 0)
            *ret = "Intel RAID";
        else if (at == sectors - 1 && load32_be(p) == DDF_MAGIC)
            *ret = "DDF RAID";
    }
    return 0;
}
