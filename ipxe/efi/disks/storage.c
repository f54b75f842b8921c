// SPDX-License-Identifier: MPL-2.0
// See storage.h.
#include "efi/disks/storage.h"

#include "base/fmt.h"
#include "base/range.h"
#include "efi/cards/drivers.h"
#include "efi/efi.h"

#define DISKS_MAX 16
#define BOUNCE_SIZE (64 * 1024)
#define BOUNCE_ALIGN 4096 // the largest IoAlign that is served
#define PCI_STORAGE 0x01
#define PCI_USB 0x0c03
#define PCI_SD_HOST 0x0805

static const struct efi_guid block_guid = EFI_BLOCK_IO_GUID, path_guid = EFI_DEVICE_PATH_GUID;
static struct disk {
    efi_handle handle;
    uint32_t medium; // MediaId that device() described; the firmware refuses to work on another one
    bool boot;
} disks[DISKS_MAX];
static const struct block_ops disk_ops;
static unsigned total;
static bool searched;
static _Alignas(BOUNCE_ALIGN) uint8_t bounce[BOUNCE_SIZE];

// --- device paths ---

static size_t node_size(const uint8_t *node)
{
    return (size_t)(node[2] | node[3] << 8);
}

// Bytes in front of the path's end node; the last node in front of it, NULL for an empty path.
static size_t path_size(const uint8_t *path, const uint8_t **ret_last)
{
    const uint8_t *node = path;
    *ret_last = NULL;
    while (node[0] != EFI_PATH_END && node_size(node) >= sizeof(struct efi_device_path)) {
        *ret_last = node;
        node += node_size(node);
    }
    return (size_t)(node - path);
}

// Signet's own device is the disk itself or, mostly, a partition of it: a path that begins with the disk's.
static bool holds_signet(efi_handle disk)
{
    const uint8_t *path = efi_protocol(disk, &path_guid), *ours = efi_protocol(efi_loaded->device, &path_guid), *last;
    if (!path || !ours)
        return false;
    size_t size = path_size(path, &last);
    return size > 0 && size <= path_size(ours, &last) && memcmp(path, ours, size) == 0;
}

// How the disk is attached, for people.
static const char *bus_name(efi_handle disk)
{
    static const struct {
        uint8_t type, subtype;
        const char *name;
    } buses[] = {
        { EFI_PATH_MESSAGING, 1, "ATA" },    { EFI_PATH_MESSAGING, 2, "SCSI" },   { EFI_PATH_MESSAGING, 3, "FC" },
        { EFI_PATH_MESSAGING, 5, "USB" },    { EFI_PATH_MESSAGING, 10, "SAS" },   { EFI_PATH_MESSAGING, 15, "USB" },
        { EFI_PATH_MESSAGING, 16, "USB" },   { EFI_PATH_MESSAGING, 18, "SATA" },  { EFI_PATH_MESSAGING, 19, "iSCSI" },
        { EFI_PATH_MESSAGING, 22, "SAS" },   { EFI_PATH_MESSAGING, 23, "NVMe" },  { EFI_PATH_MESSAGING, 25, "UFS" },
        { EFI_PATH_MESSAGING, 26, "SD" },    { EFI_PATH_MESSAGING, 29, "eMMC" },  { EFI_PATH_MEDIA, 9, "RAM" },
        { EFI_PATH_HARDWARE, 1, "PCI" },
    };
    const uint8_t *path = efi_protocol(disk, &path_guid), *last = NULL;
    if (path)
        (void)path_size(path, &last);
    for (size_t i = 0; last && i < ARRAY_SIZE(buses); i++)
        if (last[0] == buses[i].type && last[1] == buses[i].subtype)
            return buses[i].name;
    return "other";
}

// --- finding ---

static bool drives_disks(efi_handle device, uint32_t class)
{
    return class >> 16 == PCI_STORAGE || class >> 8 == PCI_USB || class >> 8 == PCI_SD_HOST;
}

// Anew for each use: the handle of a stick that was pulled is one that the firmware does not know any more.
static struct efi_block_io *block_io(const struct disk *disk)
{
    struct efi_block_io *block = efi_protocol(disk->handle, &block_guid);
    return block && block->media ? block : NULL;
}

static void add_disks(const efi_handle *handles, unsigned n, bool boot)
{
    for (unsigned i = 0; i < n && total < DISKS_MAX; i++) {
        const struct efi_block_io *block = efi_protocol(handles[i], &block_guid);
        if (block && block->media && !block->media->logical_partition && holds_signet(handles[i]) == boot)
            disks[total++] = (struct disk){ .handle = handles[i], .boot = boot };
    }
}

static unsigned disk_count(void *ctx)
{
    efi_handle *handles;
    if (searched)
        return total;
    searched = true;
    drivers_connect(drives_disks, &block_guid);
    unsigned n = efi_handles(&block_guid, &handles);
    if (n == 0)
        return 0;
    add_disks(handles, n, true);
    add_disks(handles, n, false);
    (void)efi_boot->free_pool(handles);
    return total;
}

static int disk_device(void *ctx, unsigned disk, struct block_device *ret)
{
    struct efi_block_io *block = disk < disk_count(ctx) ? block_io(&disks[disk]) : NULL;
    if (!block)
        return ERR_INVALID;
    const struct efi_block_media *media = block->media;
    if (!media->present || media->last_block == UINT64_MAX || media->block_size < BLOCK_SECTOR_MIN ||
        media->block_size > BLOCK_SECTOR_MAX || !is_power_of_two(media->block_size) || media->io_align > BOUNCE_ALIGN)
        return ERR_DISK_NONE;
    disks[disk].medium = media->media_id;
    *ret = (struct block_device){ .ops = &disk_ops,
                                  .ctx = &disks[disk],
                                  .sectors = media->last_block + 1,
                                  .sector_size = media->block_size,
                                  .boot = disks[disk].boot,
                                  .removable = media->removable };
    fmt_snprintf(ret->name, sizeof ret->name, "EFI disk %u (%s)", disk, bus_name(disks[disk].handle));
    return 0;
}

// --- sectors ---

// IoAlign 0 and 1 allow any address.
static bool aligned(const struct efi_block_io *block, const void *buf)
{
    return block->media->io_align <= 1 || (uintptr_t)buf % block->media->io_align == 0;
}

// Moves sectors between disk and buffer, through the bounce buffer where the firmware's driver cannot reach the
// caller's as it lies. Only a read changes what is in `buf`. device() has fixed the medium: no image is mixed from two.
static int transfer(const struct disk *disk, uint64_t lba, uint32_t sectors, uint8_t *buf, bool write)
{
    int failure = write ? ERR_DISK_WRITE : ERR_DISK_READ;
    struct efi_block_io *block = block_io(disk);
    if (!block || block->media->media_id != disk->medium)
        return failure;
    while (sectors > 0) {
        bool direct = aligned(block, buf);
        uint32_t size = block->media->block_size, n = direct ? sectors : MIN(sectors, BOUNCE_SIZE / size);
        size_t bytes = (size_t)n * size;
        if (write && !direct)
            memcpy(bounce, buf, bytes);
        if (efi_failed((write ? block->write : block->read)(block, disk->medium, lba, bytes, direct ? buf : bounce)))
            return failure;
        if (!write && !direct)
            memcpy(buf, bounce, bytes);
        buf += bytes;
        lba += n;
        sectors -= n;
    }
    return 0;
}

static int disk_read(void *ctx, uint64_t lba, uint32_t sectors, void *to)
{
    return transfer(ctx, lba, sectors, to, false);
}

static int disk_write(void *ctx, uint64_t lba, uint32_t sectors, const void *from)
{
    return transfer(ctx, lba, sectors, (uint8_t *)from, true);
}

static int disk_flush(void *ctx)
{
    const struct disk *disk = ctx;
    struct efi_block_io *block = block_io(disk);
    bool same = block && block->media->media_id == disk->medium;
    return same && !efi_failed(block->flush(block)) ? 0 : ERR_DISK_WRITE;
}

static const struct block_ops disk_ops = { .read = disk_read, .write = disk_write, .flush = disk_flush };

const struct platform_storage efi_storage = { .count = disk_count, .device = disk_device };
