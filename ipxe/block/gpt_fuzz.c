// SPDX-License-Identifier: MPL-2.0
// Any bytes as the first sectors of a disk: MBR, GPT header, entries; the header also with its sum made right.
#include "block/gpt.h"

#include "base/bytes.h"
#include "base/crc.h"
#include "base/fuzz.h"

#define DISK (1u << 21)
static uint8_t disk[1024 + GPT_ENTRIES_SIZE_MAX];

static void read_all(void)
{
    struct partition p[MBR_PARTITIONS], one;
    struct gpt gpt;
    int count = mbr_partitions(disk, 512, DISK, p);
    for (int i = 0; i < count; i++)
        if (p[i].first + p[i].sectors > DISK)
            __builtin_trap();
    // Each sector of the input as a link of a chain, whatever was asked for.
    struct partition extended = { .first = 1, .sectors = DISK - 1 };
    struct mbr_chain chain;
    mbr_chain_begin(&chain, &extended);
    for (unsigned steps = 0; chain.next; steps++) {
        int r = mbr_chain_next(&chain, disk + steps % (sizeof disk / 512) * 512, 512, &one);
        if (steps > MBR_LOGICAL_MAX || chain.next >= DISK || (r > 0 && (one.first < 1 || one.first + one.sectors > DISK)))
            __builtin_trap();
    }
    if (gpt_header(disk + 512, 512, 1, DISK, &gpt) != 0)
        return;
    (void)gpt_check_entries(&gpt, disk + 1024, GPT_ENTRIES_SIZE_MAX);
    for (unsigned i = 0; i < gpt.count; i++)
        if (gpt_entry(&gpt, disk + 1024, i, &one) &&
            (one.sectors == 0 || one.first + one.sectors > DISK || strlen(one.label) >= GPT_LABEL_MAX))
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpt gpt;
    (void)gpt_header(data, size, 1, DISK, &gpt);
    memset(disk, 0, sizeof disk);
    if (size > 0)
        memcpy(disk, data, MIN(size, sizeof disk));
    read_all();
    memcpy(disk + 512, "EFI PART", 8);
    store32_le(disk + 512 + 12, 92);
    store64_le(disk + 512 + 24, 1);
    store32_le(disk + 512 + 84, GPT_ENTRY_SIZE);
    store32_le(disk + 512 + 16, 0);
    store32_le(disk + 512 + 16, crc_of(disk + 512, 92));
    read_all();
    return 0;
}
