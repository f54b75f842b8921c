// SPDX-License-Identifier: MPL-2.0
// Partition tables: GPT (UEFI specification 2.10, chapter 5) and the classic MBR with its four entries and, for who follows their
// chain, its logical partitions. Pure: the caller reads the sectors. Addresses are in sectors of the disk.
#pragma once
#include "base/err.h"

#define GPT_HEADER_LBA 1
#define GPT_ENTRY_SIZE 128
#define GPT_ENTRIES_MAX 128
#define GPT_ENTRIES_SIZE_MAX (GPT_ENTRIES_MAX * GPT_ENTRY_SIZE)
#define GPT_GUID_SIZE 16
#define GPT_LABEL_MAX 109 // 36 UTF-16 units as UTF-8, and NUL
#define MBR_PARTITIONS 4
#define MBR_LOGICAL_MAX 124 // of more no more are seen; together with the four as many as of a GPT
#define MBR_TYPE_GPT 0xee
#define MBR_TYPE_ESP 0xef
#define MBR_TYPE_IMAGE 0xda // "no file system", which others use as well

// A partition for signed images: b1af5327-949a-469d-89ed-531f50f35610, as its bytes lie on the disk.
#define GPT_TYPE_SIGNET_IMAGE "\x27\x53\xaf\xb1\x9a\x94\x9d\x46\x89\xed\x53\x1f\x50\xf3\x56\x10"
// EFI system partition: c12a7328-f81f-11d2-ba4b-00a0c93ec93b.
#define GPT_TYPE_ESP "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b"
// BIOS boot partition: 21686148-6449-6e6f-744e-656564454649.
#define GPT_TYPE_BIOS_BOOT "\x48\x61\x68\x21\x49\x64\x6f\x6e\x74\x4e\x65\x65\x64\x45\x46\x49"
// Solaris /usr, which ZFS uses on all systems: 6a898cc3-1dd2-11b2-99a6-080020736631.
#define GPT_TYPE_ZFS "\xc3\x8c\x89\x6a\xd2\x1d\xb2\x11\x99\xa6\x08\x00\x20\x73\x66\x31"

struct partition {
    unsigned number; // from 1 on, as systems count them
    uint64_t first, sectors;
    uint8_t type[GPT_GUID_SIZE]; // GUID bytes as on disk; of an MBR's entry the type in the first byte, then zeros
    uint8_t uuid[GPT_GUID_SIZE]; // zeros for an MBR's entry
    char label[GPT_LABEL_MAX];   // UTF-8
};

// Whether it is meant for signed images: GPT_TYPE_SIGNET_IMAGE, or MBR_TYPE_IMAGE.
bool partition_is_image(const struct partition *p);

struct gpt {
    uint64_t other;        // where the other header lies
    uint64_t entries;      // first sector of the entries
    uint32_t count;        // of entries, 1..GPT_ENTRIES_MAX
    uint32_t entries_sum;
    uint64_t first_usable, last_usable;
    uint64_t table_end;    // first sector behind the table at the start of the disk; many tools set first_usable to 2048 instead
};

// Reads a GPT header that was read from `lba` of a disk of so many sectors (the primary one at 1, the other one at the
// end). ERR_TRUNCATED (less than 512 bytes), ERR_NOT_FOUND (no GPT), ERR_INVALID (a sum or a field is wrong),
// ERR_UNSUPPORTED (entries of another size or more than GPT_ENTRIES_MAX).
int gpt_header(const uint8_t *sector, size_t len, uint64_t lba, uint64_t disk_sectors, struct gpt *ret);

// Bytes of all entries.
static inline uint32_t gpt_entries_size(const struct gpt *gpt)
{
    return gpt->count * GPT_ENTRY_SIZE;
}

// The entries against their sum. ERR_TRUNCATED, ERR_INVALID.
int gpt_check_entries(const struct gpt *gpt, const uint8_t *entries, size_t len);

// Entry i of [0, count), checked: true when it is used and lies between the two tables. (Partitions in front of first_usable are in
// use; all systems take them.)
bool gpt_entry(const struct gpt *gpt, const uint8_t *entries, unsigned i, struct partition *ret);

// Whether a first sector, of at least 512 bytes, ends as one with a classic table does: 55 AA.
bool mbr_is(const uint8_t *sector);

// Whether entry i of [0, MBR_PARTITIONS) says that a GPT is behind it (MBR_TYPE_GPT).
bool mbr_protects(const uint8_t *sector, unsigned i);

// Entry i of [0, MBR_PARTITIONS) of the classic table, checked: true when it is used, lies inside the disk and is no protective one
// (MBR_TYPE_GPT).
bool mbr_entry(const uint8_t *sector, unsigned i, uint64_t disk_sectors, struct partition *ret);

// All of them, and the count. ERR_TRUNCATED, ERR_NOT_FOUND (no 55 AA).
int mbr_partitions(const uint8_t *sector, size_t len, uint64_t disk_sectors, struct partition ret[MBR_PARTITIONS]);

// The chain of logical partitions in an extended one: a sector with a table for each, which leads to the next.
struct mbr_chain {
    uint64_t next;    // sector to be read next, 0: the chain has ended
    uint64_t first;   // of the extended partition
    uint32_t sectors; // of it; an MBR has no more bits for them
    unsigned links, found;
    uint32_t seen[MBR_LOGICAL_MAX]; // counted from its start
};
bool mbr_is_extended(const struct partition *p);
void mbr_chain_begin(struct mbr_chain *chain, const struct partition *extended);

// Takes the sector chain->next. 1: *ret is the partition that it describes (numbers from 5 on), 0: it describes none. ERR_INVALID: it is
// no such sector, lies or leads out of the extended partition, or was there before; the chain has ended then, after MBR_LOGICAL_MAX
// links in any case.
int mbr_chain_next(struct mbr_chain *chain, const uint8_t *sector, size_t len, struct partition *ret);

// GUID <-> text (8-4-4-4-12, first three fields little-endian on disk). False when it is none.
bool gpt_guid_parse(const char *text, size_t len, uint8_t ret[GPT_GUID_SIZE]);
#define GPT_GUID_TEXT 37 // with NUL
void gpt_guid_format(const uint8_t guid[GPT_GUID_SIZE], char ret[GPT_GUID_TEXT]);
