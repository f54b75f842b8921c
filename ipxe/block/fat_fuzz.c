// SPDX-License-Identifier: MPL-2.0
// Any bytes as a volume: u32 bytes a sector, u32 sectors, then records of u32 number of a 512-byte block and its 512
// bytes; all other blocks are zeros.
#include "block/fat.h"

#include "base/bytes.h"
#include "base/fuzz.h"
#include "base/range.h"

#define BLOCK 512
#define RECORD (4 + BLOCK)
#define READS_MAX 100000 // a volume of 2^28 clusters may have chains as long

struct volume {
    const uint8_t *records;
    size_t count;
    uint32_t sector_size, sectors, reads;
};

static int read_sector(void *ctx, uint32_t sector, void *buf)
{
    struct volume *v = ctx;
    uint8_t *to = buf;
    if (sector >= v->sectors)
        __builtin_trap();
    if (++v->reads > READS_MAX)
        return ERR_IO;
    memset(to, 0, v->sector_size);
    uint64_t first = (uint64_t)sector * v->sector_size / BLOCK;
    for (size_t i = 0; i < v->count; i++) {
        const uint8_t *record = v->records + i * RECORD;
        uint64_t block = load32_le(record);
        if (block >= first && block - first < v->sector_size / BLOCK)
            memcpy(to + (block - first) * BLOCK, record + 4, BLOCK);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "EFI/BOOT/BOOTX64.EFI", "/signet/autoexec.ipxe",
                                         "/signet/An image with a long name.img", "/signet/\xc3\xa4\xf0\x9f\x90\x9f.img" };
    if (size < 8)
        return 0;
    struct volume v = { data + 8, (size - 8) / RECORD, load32_le(data), load32_le(data + 4), 0 };
    const struct fat_ops ops = { &v, read_sector };
    struct fat fat;
    if (fat_mount(&fat, &ops, v.sector_size, v.sectors) != 0)
        return 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct fat_file file;
        struct fat_run run;
        uint64_t told = 0;
        if (fat_find(&fat, paths[i], &file) != 0)
            continue;
        int err;
        while ((err = fat_run(&fat, &file, 128, &run)) == 0 && run.bytes > 0) {
            if (!range_fits(run.sector, run.count, v.sectors) || run.count > 128 ||
                run.bytes > run.count * v.sector_size)
                __builtin_trap();
            told += run.bytes;
        }
        if (!err && told != file.size)
            __builtin_trap();
    }
    return 0;
}
