// SPDX-License-Identifier: MPL-2.0
// storage.c over a firmware of its own: four block devices in memory, with what real ones do rarely (buffers that must
// be aligned, a medium that changes, a handle that is gone).
#include "efi/disks/storage.c"
#include "base/test.h"
#include "efi/testefi.h"

#define SECTORS 300
#define DEVICES 4

struct device {
    struct efi_block_io block; // first: the firmware's calls get its address
    struct efi_block_media media;
    uint8_t data[SECTORS * 512];
    unsigned calls, flushes;
};
static struct device devices[DEVICES];
static unsigned connected;

// PciRoot, then SATA port 0 or 1; behind the first the partition that Signet is on; an NVMe name space; a card reader.
#define ROOT 0x02, 0x01, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8
#define SATA(port) 0x03, 18, 10, 0, port, 0, 0xff, 0xff, 0, 0
#define END 0x7f, 0xff, 4, 0
static const uint8_t sata0[] = { ROOT, SATA(0), END }, sata1[] = { ROOT, SATA(1), END },
                     partition[] = { ROOT, SATA(1), 0x04, 1, 8, 0, 1, 0, 0, 0, END },
                     nvme[] = { ROOT, 0x03, 23, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, END }, ours[] = { 0 };

void drivers_connect(bool (*wanted)(efi_handle device, uint32_t class), const struct efi_guid *protocol)
{
    connected += wanted(NULL, 0x010802) && wanted(NULL, 0x0c0330) && wanted(NULL, 0x080501) && !wanted(NULL, 0x020000) &&
                 !wanted(NULL, 0x0c0500);
}

static efi_status move(struct efi_block_io *self, uint32_t medium, uint64_t lba, uint64_t size, void *buffer, bool write)
{
    struct device *d = (void *)self;
    uint64_t at = lba * d->media.block_size;
    d->calls++;
    if (medium != d->media.media_id || size % d->media.block_size || !range_fits(at, size, sizeof d->data) ||
        (d->media.io_align > 1 && (uintptr_t)buffer % d->media.io_align) || (write && d->media.read_only))
        return EFI_INVALID_PARAMETER;
    memcpy(write ? d->data + at : buffer, write ? buffer : d->data + at, size);
    return EFI_SUCCESS;
}

static efi_status fake_read(struct efi_block_io *self, uint32_t medium, uint64_t lba, uint64_t size, void *buffer)
{
    return move(self, medium, lba, size, buffer, false);
}

static efi_status fake_write(struct efi_block_io *self, uint32_t medium, uint64_t lba, uint64_t size, void *buffer)
{
    return move(self, medium, lba, size, buffer, true);
}

static efi_status fake_flush(struct efi_block_io *self)
{
    ((struct device *)(void *)self)->flushes++;
    return EFI_SUCCESS;
}

// In the firmware's order: SATA 0, a partition of SATA 1, SATA 1 (Signet's), NVMe with buffers aligned to 4096.
static void set_up(void)
{
    static const uint8_t *const paths[DEVICES] = { sata0, partition, sata1, nvme };
    testefi_start();
    memset(devices, 0, sizeof devices);
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device *d = &devices[i];
        d->media = (struct efi_block_media){ .media_id = 10 + i, .present = true, .logical_partition = i == 1,
                                             .block_size = 512, .io_align = i == 3 ? 4096 : 0, .last_block = SECTORS - 1 };
        d->block = (struct efi_block_io){ .media = &d->media, .read = fake_read, .write = fake_write, .flush = fake_flush };
        for (size_t k = 0; k < sizeof d->data; k++)
            d->data[k] = (uint8_t)(k / 512 + k + i);
        testefi_install(d, &block_guid, &d->block);
        testefi_install(d, &path_guid, (void *)paths[i]);
    }
    testefi_install((void *)ours, &path_guid, (void *)partition);
    loaded.device = (efi_handle)ours;
    searched = false;
    total = connected = 0;
}

TEST(finds_whole_disks_and_its_own_first)
{
    struct block_device info[3];
    set_up();
    CHECK_EQ(efi_storage.count(NULL), 3);
    CHECK_EQ(efi_storage.count(NULL), 3);
    CHECK_EQ(connected, 1);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(efi_storage.device(NULL, i, &info[i]), 0);
    CHECK_STR(info[0].name, "EFI disk 0 (SATA)");
    CHECK_STR(info[2].name, "EFI disk 2 (NVMe)");
    CHECK(info[0].boot, !info[1].boot, !info[2].boot);
    CHECK(disks[0].handle == &devices[2], disks[1].handle == &devices[0]);
    CHECK(info[0].sectors == SECTORS, info[0].sector_size == 512, !info[0].removable);
    CHECK_EQ(efi_storage.device(NULL, 3, &info[0]), ERR_INVALID);
}

TEST(no_medium_or_odd_sectors_is_no_disk)
{
    struct block_device info;
    set_up();
    CHECK_EQ(efi_storage.count(NULL), 3);
    struct efi_block_media *media = &devices[0].media;
    media->present = false;
    CHECK_EQ(efi_storage.device(NULL, 1, &info), ERR_DISK_NONE);
    media->present = true;
    static const uint32_t sizes[] = { 0, 256, 520, 8192 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        media->block_size = sizes[i];
        CHECK_EQ(efi_storage.device(NULL, 1, &info), ERR_DISK_NONE);
    }
    media->block_size = 512;
    media->io_align = 8192;
    CHECK_EQ(efi_storage.device(NULL, 1, &info), ERR_DISK_NONE);
    media->io_align = 0;
    media->last_block = UINT64_MAX;
    CHECK_EQ(efi_storage.device(NULL, 1, &info), ERR_DISK_NONE);
}

TEST(buffers_that_the_driver_cannot_use_go_through_the_bounce_buffer)
{
    static _Alignas(4096) uint8_t buf[SECTORS * 512 + 4096];
    struct block_device info;
    set_up();
    CHECK_EQ(efi_storage.count(NULL), 3);
    CHECK_EQ(efi_storage.device(NULL, 2, &info), 0);
    struct device *d = &devices[3];
    CHECK_EQ(block_read(&info, 0, SECTORS, buf), 0);
    CHECK_EQ(d->calls, 1);
    CHECK(memcmp(buf, d->data, sizeof d->data) == 0);
    memset(buf, 0, sizeof buf);
    CHECK_EQ(block_read(&info, 1, SECTORS - 1, buf + 8), 0);
    CHECK_EQ(d->calls, 1 + 3); // 299 sectors in pieces of 128
    CHECK(memcmp(buf + 8, d->data + 512, (SECTORS - 1) * 512) == 0, buf[7] == 0, buf[8 + (SECTORS - 1) * 512] == 0);
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)(i * 7);
    uint8_t first = d->data[511];
    CHECK_EQ(block_write(&info, 1, SECTORS - 1, buf + 8), 0);
    CHECK(memcmp(buf + 8, d->data + 512, (SECTORS - 1) * 512) == 0, d->data[511] == first);
    CHECK_EQ(d->flushes, 0);
    CHECK_EQ(block_flush(&info), 0);
    CHECK_EQ(d->flushes, 1);
}

TEST(nothing_outside_the_disk_or_on_another_medium)
{
    uint8_t buf[1024];
    struct block_device info;
    set_up();
    CHECK_EQ(efi_storage.count(NULL), 3);
    CHECK_EQ(efi_storage.device(NULL, 1, &info), 0);
    CHECK_EQ(block_read(&info, SECTORS - 1, 2, buf), ERR_INVALID);
    CHECK_EQ(block_read(&info, UINT64_MAX, 1, buf), ERR_INVALID);
    CHECK_EQ(devices[0].calls, 0);
    devices[0].media.read_only = true;
    CHECK_EQ(block_write(&info, 0, 1, buf), ERR_DISK_WRITE);
    devices[0].media.media_id++;
    CHECK_EQ(block_read(&info, 0, 1, buf), ERR_DISK_READ);
    CHECK_EQ(block_flush(&info), ERR_DISK_WRITE);
    CHECK_EQ(devices[0].flushes, 0);
    CHECK_EQ(efi_storage.device(NULL, 1, &info), 0);
    CHECK_EQ(block_read(&info, 0, 1, buf), 0);
    testefi_remove(&devices[0]);
    CHECK_EQ(block_read(&info, 0, 1, buf), ERR_DISK_READ);
    CHECK_EQ(block_write(&info, 0, 1, buf), ERR_DISK_WRITE);
    CHECK_EQ(efi_storage.device(NULL, 1, &info), ERR_INVALID);
}

TEST_MAIN(T(finds_whole_disks_and_its_own_first), T(no_medium_or_odd_sectors_is_no_disk),
          T(buffers_that_the_driver_cannot_use_go_through_the_bounce_buffer), T(nothing_outside_the_disk_or_on_another_medium))
