// SPDX-License-Identifier: MPL-2.0
// See gpt.h.
#include "block/gpt.h"

#include "base/bytes.h"
#include "base/crc.h"
#include "base/fmt.h"
#include "base/range.h"
#include "base/utf8.h"

#define HEADER_SIZE_MIN 92
#define SECTOR_MIN 512
#define LABEL_UNITS 36
#define LABEL_AT 56
#define MBR_TABLE 446
#define MBR_ENTRY 16
#define MBR_SIGNATURE 510

int gpt_header(const uint8_t *sector, size_t len, uint64_t lba, uint64_t disk_sectors, struct gpt *ret)
{
    static const uint8_t zeros[4];
    if (len < SECTOR_MIN)
        return ERR_TRUNCATED;
    if (memcmp(sector, "EFI PART", 8) != 0)
        return ERR_NOT_FOUND;
    uint32_t size = load32_le(sector + 12);
    if (size < HEADER_SIZE_MIN || size > SECTOR_MIN)
        return ERR_INVALID;
    uint32_t crc = crc_of(sector, 16); // the sum counts as zeros in the sum
    crc = crc_more(crc, zeros, sizeof zeros);
    crc = crc_more(crc, sector + 20, size - 20);
    if (crc != load32_le(sector + 16) || load64_le(sector + 24) != lba)
        return ERR_INVALID;
    if (load32_le(sector + 8) >> 16 != 1)
        return ERR_UNSUPPORTED;
    struct gpt gpt = {
        .other = load64_le(sector + 32),
        .first_usable = load64_le(sector + 40),
        .last_usable = load64_le(sector + 48),
        .entries = load64_le(sector + 72),
        .count = load32_le(sector + 80),
        .entries_sum = load32_le(sector + 88),
    };
    if (load32_le(sector + 84) != GPT_ENTRY_SIZE || gpt.count > GPT_ENTRIES_MAX)
        return ERR_UNSUPPORTED;
    if (gpt.count == 0 || gpt.first_usable > gpt.last_usable || gpt.last_usable >= disk_sectors || gpt.entries < 2 ||
        gpt.entries >= disk_sectors || gpt.other >= disk_sectors)
        return ERR_INVALID;
    uint64_t table = (gpt_entries_size(&gpt) + len - 1) / len;
    gpt.table_end = lba == GPT_HEADER_LBA ? gpt.entries + table : GPT_HEADER_LBA + 1 + table;
    *ret = gpt;
    return 0;
}

int gpt_check_entries(const struct gpt *gpt, const uint8_t *entries, size_t len)
{
    if (len < gpt_entries_size(gpt))
        return ERR_TRUNCATED;
    return crc_of(entries, gpt_entries_size(gpt)) == gpt->entries_sum ? 0 : ERR_INVALID;
}

// Pairs of surrogates, which no tool writes, become "??".
static void read_label(const uint8_t *from, char ret[GPT_LABEL_MAX])
{
    size_t len = 0;
    for (unsigned i = 0; i < LABEL_UNITS; i++) {
        uint32_t c = load16_le(from + 2 * i);
        if (c == 0)
            break;
        len += utf8_put(c, ret + len);
    }
    ret[len] = 0;
}
_Static_assert(LABEL_UNITS * 3 + 1 == GPT_LABEL_MAX, "every label fits");

bool gpt_entry(const struct gpt *gpt, const uint8_t *entries, unsigned i, struct partition *ret)
{
    static const uint8_t unused[GPT_GUID_SIZE];
    if (i >= gpt->count)
        return false;
    const uint8_t *entry = entries + (size_t)i * GPT_ENTRY_SIZE;
    uint64_t first = load64_le(entry + 32), last = load64_le(entry + 40);
    if (memcmp(entry, unused, sizeof unused) == 0 || first > last || first < MIN(gpt->first_usable, gpt->table_end) || last > gpt->last_usable)
        return false;
    *ret = (struct partition){ .number = i + 1, .first = first, .sectors = last - first + 1 };
    memcpy(ret->type, entry, GPT_GUID_SIZE);
    memcpy(ret->uuid, entry + 16, GPT_GUID_SIZE);
    read_label(entry + LABEL_AT, ret->label);
    return true;
}

bool mbr_is(const uint8_t *sector)
{
    return load16_le(sector + MBR_SIGNATURE) == 0xaa55;
}

bool mbr_protects(const uint8_t *sector, unsigned i)
{
    return sector[MBR_TABLE + i * MBR_ENTRY + 4] == MBR_TYPE_GPT;
}

bool mbr_entry(const uint8_t *sector, unsigned i, uint64_t disk_sectors, struct partition *ret)
{
    const uint8_t *entry = sector + MBR_TABLE + i * MBR_ENTRY;
    uint64_t first = load32_le(entry + 8), sectors = load32_le(entry + 12);
    if (entry[4] == 0 || entry[4] == MBR_TYPE_GPT || first == 0 || sectors == 0 || !range_fits(first, sectors, disk_sectors))
        return false;
    *ret = (struct partition){ .number = i + 1, .first = first, .sectors = sectors, .type = { entry[4] } };
    return true;
}

int mbr_partitions(const uint8_t *sector, size_t len, uint64_t disk_sectors, struct partition ret[MBR_PARTITIONS])
{
    if (len < SECTOR_MIN)
        return ERR_TRUNCATED;
    if (!mbr_is(sector))
        return ERR_NOT_FOUND;
    int count = 0;
    for (unsigned i = 0; i < MBR_PARTITIONS; i++)
        count += mbr_entry(sector, i, disk_sectors, &ret[count]);
    return count;
}

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

bool partition_is_image(const struct partition *p)
{
    static const uint8_t mbr_type[GPT_GUID_SIZE] = { MBR_TYPE_IMAGE };
    return memcmp(p->type, GPT_TYPE_SIGNET_IMAGE, GPT_GUID_SIZE) == 0 || memcmp(p->type, mbr_type, GPT_GUID_SIZE) == 0;
}

bool mbr_is_extended(const struct partition *p)
{
    return is_extended(p->type[0]);
}

void mbr_chain_begin(struct mbr_chain *chain, const struct partition *extended)
{
    *chain = (struct mbr_chain){ .first = extended->first, .sectors = (uint32_t)extended->sectors, .next = extended->first };
}

// Two entries: the partition, counted from this sector, and the next sector, counted from the extended partition's start.
static int read_link(struct mbr_chain *chain, uint32_t at, const uint8_t *sector, struct partition *ret)
{
    int found = 0;
    for (unsigned i = 0; i < MBR_PARTITIONS; i++) {
        const uint8_t *entry = sector + MBR_TABLE + i * MBR_ENTRY;
        uint32_t offset = load32_le(entry + 8), sectors = load32_le(entry + 12);
        bool link = is_extended(entry[4]);
        uint32_t room = chain->sectors - (link ? 0 : at);
        if (entry[4] == 0 || sectors == 0)
            continue;
        // A link's length is not looked at: tools disagree about it.
        if (offset == 0 || offset >= room || (!link && sectors > room - offset))
            return ERR_INVALID;
        if (link && chain->next == 0) {
            chain->next = chain->first + offset;
        } else if (!link && !found) {
            found = 1;
            *ret = (struct partition){ .number = MBR_PARTITIONS + ++chain->found, .first = chain->first + at + offset,
                                       .sectors = sectors, .type = { entry[4] } };
        }
    }
    return found;
}

int mbr_chain_next(struct mbr_chain *chain, const uint8_t *sector, size_t len, struct partition *ret)
{
    uint32_t at = (uint32_t)(chain->next - chain->first);
    chain->next = 0;
    for (unsigned i = 0; i < chain->links; i++)
        if (chain->seen[i] == at)
            return ERR_INVALID;
    if (len < SECTOR_MIN || !mbr_is(sector))
        return ERR_INVALID;
    chain->seen[chain->links++] = at;
    int r = read_link(chain, at, sector, ret);
    if (r < 0 || chain->links == MBR_LOGICAL_MAX)
        chain->next = 0;
    return r;
}

// --- GUIDs ---

// Where each byte of the text, in order, lies in the GUID.
static const uint8_t guid_order[GPT_GUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static bool dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool gpt_guid_parse(const char *text, size_t len, uint8_t ret[GPT_GUID_SIZE])
{
    uint8_t guid[GPT_GUID_SIZE];
    if (len != GPT_GUID_TEXT - 1)
        return false;
    for (unsigned i = 0; i < GPT_GUID_SIZE; i++) {
        uint64_t value;
        if (dash_before(i) && *text++ != '-')
            return false;
        if (!fmt_parse_u64(text, 2, 16, &value))
            return false;
        guid[guid_order[i]] = (uint8_t)value;
        text += 2;
    }
    memcpy(ret, guid, sizeof guid);
    return true;
}

void gpt_guid_format(const uint8_t guid[GPT_GUID_SIZE], char ret[GPT_GUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < GPT_GUID_SIZE; i++) {
        if (dash_before(i))
            *ret++ = '-';
        *ret++ = digits[guid[guid_order[i]] >> 4];
        *ret++ = digits[guid[guid_order[i]] & 15];
    }
    *ret = 0;
}
