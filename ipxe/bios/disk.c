// SPDX-License-Identifier: MPL-2.0
// See disk.h.
#include "bios/disk.h"

#include "base/fmt.h"
#include "base/range.h"
#include "bios/layout.h"
#include "real/real.h"

#define DRIVE_FIRST 0x80
#define DRIVES_MAX 16
#define BDA_DRIVES 0x475 // number of hard disks
#define EDD_READ 0x42
#define EDD_WRITE 0x43
#define TRIES 3

// The packet of functions 42h and 43h, and the answer of 48h (EDD 3.0).
struct PACKED edd_packet {
    uint16_t size, count;
    struct segoff buffer;
    uint64_t lba;
};
struct PACKED edd_parameters {
    uint16_t size, flags;
    uint32_t cylinders, heads, sectors_per_track;
    uint64_t sectors;
    uint16_t sector_size;
};
#define EDD_REMOVABLE 0x04

static struct drive {
    uint8_t number;
    struct block_device dev;
} drives[DRIVES_MAX];
static const struct block_ops disk_ops;
static unsigned drive_count;

static bool edd_present(uint8_t number)
{
    struct bios_regs regs = { .eax = 0x4100, .ebx = 0x55aa, .edx = number };
    bios_call(&regs, 0x13);
    return !(regs.flags & FLAG_CARRY) && (regs.ebx & 0xffff) == 0xaa55 && (regs.ecx & 1);
}

static void add_drive(uint8_t number, bool boot)
{
    struct edd_parameters *p = low_memory(BOUNCE);
    if (drive_count == DRIVES_MAX || !edd_present(number))
        return;
    memset(p, 0, sizeof *p);
    p->size = sizeof *p;
    struct bios_regs regs = { .eax = 0x4800, .edx = number, .esi = BOUNCE };
    bios_call(&regs, 0x13);
    if ((regs.flags & FLAG_CARRY) || p->sectors == 0 || p->sector_size < BLOCK_SECTOR_MIN || p->sector_size > BLOCK_SECTOR_MAX ||
        !is_power_of_two(p->sector_size))
        return;
    struct drive *d = &drives[drive_count++];
    d->number = number;
    d->dev = (struct block_device){ .ops = &disk_ops,
                                    .ctx = d,
                                    .sectors = p->sectors,
                                    .sector_size = p->sector_size,
                                    .boot = boot,
                                    .removable = p->flags & EDD_REMOVABLE };
    fmt_snprintf(d->dev.name, sizeof d->dev.name, "BIOS %02xh", number);
}

void bios_disk_init(uint8_t boot)
{
    uint8_t hard_disks = *(volatile uint8_t *)low_memory(BDA_DRIVES);
    if (boot)
        add_drive(boot, true);
    for (unsigned i = 0; i < MIN(hard_disks, (unsigned)DRIVES_MAX); i++)
        if (boot != DRIVE_FIRST + i)
            add_drive((uint8_t)(DRIVE_FIRST + i), false);
}

static unsigned disk_count(void *ctx)
{
    return drive_count;
}

static int disk_device(void *ctx, unsigned disk, struct block_device *ret)
{
    if (disk >= drive_count)
        return ERR_INVALID;
    *ret = drives[disk].dev;
    return 0;
}

static bool edd_move(uint8_t function, const struct drive *d, uint64_t lba, uint16_t count)
{
    struct edd_packet *packet = low_memory(BOUNCE);
    for (unsigned i = 0; i < TRIES; i++) {
        *packet = (struct edd_packet){ .size = sizeof *packet, .count = count, .lba = lba,
                                       .buffer = { .segment = DISK_BUFFER >> 4 } };
        struct bios_regs regs = { .eax = (uint32_t)function << 8, .edx = d->number, .esi = BOUNCE };
        bios_call(&regs, 0x13);
        if (!(regs.flags & FLAG_CARRY))
            return true;
        regs = (struct bios_regs){ .edx = d->number }; // reset
        bios_call(&regs, 0x13);
    }
    return false;
}

static int transfer(const struct drive *d, uint64_t lba, uint32_t count, uint8_t *buf, bool write)
{
    uint8_t *buffer = low_memory(DISK_BUFFER);
    uint32_t at_once = DISK_BUFFER_SIZE / d->dev.sector_size;
    while (count > 0) {
        uint32_t n = MIN(count, at_once);
        size_t bytes = (size_t)n * d->dev.sector_size;
        if (write)
            memcpy(buffer, buf, bytes);
        if (!edd_move(write ? EDD_WRITE : EDD_READ, d, lba, (uint16_t)n))
            return write ? ERR_DISK_WRITE : ERR_DISK_READ;
        if (!write)
            memcpy(buf, buffer, bytes);
        lba += n;
        count -= n;
        buf += bytes;
    }
    return 0;
}

static int disk_read(void *ctx, uint64_t lba, uint32_t count, void *to)
{
    return transfer(ctx, lba, count, to, false);
}

static int disk_write(void *ctx, uint64_t lba, uint32_t count, const void *from)
{
    return transfer(ctx, lba, count, (uint8_t *)(uintptr_t)from, true); // which only reads from it then
}

static const struct block_ops disk_ops = { .read = disk_read, .write = disk_write };

const struct platform_storage bios_storage = { .count = disk_count, .device = disk_device };
