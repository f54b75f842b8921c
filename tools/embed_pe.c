// SPDX-License-Identifier: MPL-2.0
// See embed_pe.h. Offsets are those of the "PE Format" document of Microsoft.
#include "embed_pe.h"
#include "base/bytes.h"
#include "base/range.h"
#include "report.h"
#include "tool.h"
#include <stdlib.h>

#define MZ_PE_OFFSET 0x3c
#define COFF_SIZE 24 // signature and file header
#define COFF_MACHINE 4
#define COFF_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20
#define OPTIONAL_MIN 152 // up to and with the security directory
#define OPTIONAL_MAGIC_64 0x20b
#define SUBSYSTEM_EFI_APPLICATION 10
#define SECTION_SIZE 40
#define SECTION_DATA 0x40u            // holds initialised data
#define SECTION_DISCARDABLE 0x02000000u
enum optional_offset {
    OPT_INITIALIZED = 8,
    OPT_SECTION_ALIGN = 32,
    OPT_FILE_ALIGN = 36,
    OPT_IMAGE_SIZE = 56,
    OPT_CHECKSUM = 64,
    OPT_SUBSYSTEM = 68,
    OPT_SECURITY = 144,
};
enum section_offset { SEC_VIRTUAL_SIZE = 8, SEC_ADDRESS = 12, SEC_RAW_SIZE = 16, SEC_RAW = 20, SEC_FLAGS = 36 };

struct pe {
    uint8_t *optional, *sections, *last; // in the file
    unsigned section_count;
    uint32_t section_align, file_align;
};

// The headers; `last` is the section that ends the file and the memory image, which must be .signet.
static bool read_headers(uint8_t *file, size_t len, struct pe *pe)
{
    if (len < 64 || file[0] != 'M' || file[1] != 'Z')
        return false;
    uint64_t at = load32_le(file + MZ_PE_OFFSET);
    if (!range_fits(at, COFF_SIZE + OPTIONAL_MIN, len) || memcmp(file + at, "PE\0", 4) != 0)
        return false;
    uint16_t optional_size = load16_le(file + at + COFF_OPTIONAL_SIZE);
    pe->section_count = load16_le(file + at + COFF_SECTIONS);
    pe->optional = file + at + COFF_SIZE;
    pe->section_align = load32_le(pe->optional + OPT_SECTION_ALIGN);
    pe->file_align = load32_le(pe->optional + OPT_FILE_ALIGN);
    if (load16_le(pe->optional) != OPTIONAL_MAGIC_64 || optional_size < OPTIONAL_MIN || pe->section_count == 0 ||
        !is_power_of_two(pe->section_align) || !is_power_of_two(pe->file_align) ||
        !range_fits(at + COFF_SIZE + optional_size, (uint64_t)pe->section_count * SECTION_SIZE, len))
        return false;
    pe->sections = pe->optional + optional_size;
    pe->last = pe->sections + (size_t)(pe->section_count - 1) * SECTION_SIZE;
    for (uint8_t *s = pe->sections; s < pe->last; s += SECTION_SIZE)
        if (load32_le(s + SEC_RAW) > load32_le(pe->last + SEC_RAW) || load32_le(s + SEC_ADDRESS) > load32_le(pe->last + SEC_ADDRESS))
            return false;
    return memcmp(pe->last, ".signet\0", 8) == 0 && load32_le(pe->last + SEC_RAW) < len;
}

// The sum of 16-bit words with the carry added in, and the length: what the field CheckSum holds.
static uint32_t checksum(const uint8_t *file, size_t len, size_t field)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        if (i != field && i != field + 2)
            sum += load16_le(file + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum + (uint32_t)len;
}

static void fit_headers(struct pe *pe, uint32_t used, uint32_t raw_size)
{
    uint32_t initialized = 0;
    uint64_t image_size;
    store32_le(pe->last + SEC_VIRTUAL_SIZE, used);
    store32_le(pe->last + SEC_RAW_SIZE, raw_size);
    store32_le(pe->last + SEC_FLAGS, load32_le(pe->last + SEC_FLAGS) & ~SECTION_DISCARDABLE);
    for (uint8_t *s = pe->sections; s <= pe->last; s += SECTION_SIZE)
        if (load32_le(s + SEC_FLAGS) & SECTION_DATA)
            initialized += load32_le(s + SEC_RAW_SIZE);
    store32_le(pe->optional + OPT_INITIALIZED, initialized);
    if (align_up_checked((uint64_t)load32_le(pe->last + SEC_ADDRESS) + used, pe->section_align, &image_size))
        store32_le(pe->optional + OPT_IMAGE_SIZE, (uint32_t)image_size);
    memset(pe->optional + OPT_SECURITY, 0, 8);
}

uint8_t *embed_pe_build(const char *path, const uint8_t *head, size_t head_len, const uint8_t *blob, size_t blob_len,
                        size_t size, size_t *ret_len, bool *ret_signed)
{
    struct pe pe;
    uint8_t *probe = tool_alloc(head_len);
    memcpy(probe, head, head_len);
    bool good = read_headers(probe, head_len, &pe);
    uint64_t total = 0;
    good = good && align_up_checked((uint64_t)head_len + blob_len, pe.file_align, &total) && total <= UINT32_MAX / 2;
    free(probe);
    if (!good) {
        tool_error(path, "is not a PE file of Signet: its last section must be .signet");
        return NULL;
    }
    if (size && total > size) {
        tool_error(path, "script and keys do not fit: the file needs %llu bytes and has %zu", (unsigned long long)total, size);
        return NULL;
    }
    if (size)
        total = size;
    uint8_t *file = tool_alloc(total);
    memcpy(file, head, head_len);
    memcpy(file + head_len, blob, blob_len);
    (void)read_headers(file, head_len, &pe); // the same bytes as before
    *ret_signed = load32_le(pe.optional + OPT_SECURITY + 4) != 0;
    uint32_t raw = load32_le(pe.last + SEC_RAW);
    fit_headers(&pe, (uint32_t)(head_len + blob_len - raw), (uint32_t)(total - raw) & ~(pe.file_align - 1));
    size_t field = (size_t)(pe.optional - file) + OPT_CHECKSUM;
    store32_le(file + field, checksum(file, total, field));
    *ret_len = total;
    return file;
}

unsigned embed_pe_machine(const uint8_t *file, size_t len)
{
    struct pe pe;
    if (!read_headers((uint8_t *)file, len, &pe) || load16_le(pe.optional + OPT_SUBSYSTEM) != SUBSYSTEM_EFI_APPLICATION)
        return 0;
    uint16_t machine = load16_le(pe.optional - COFF_SIZE + COFF_MACHINE);
    return machine == EMBED_PE_X64 || machine == EMBED_PE_ARM64 ? machine : 0;
}

bool embed_pe_intact(const uint8_t *file, size_t len)
{
    struct pe pe;
    if (!read_headers((uint8_t *)file, len, &pe))
        return false;
    return load32_le(pe.optional + OPT_CHECKSUM) == checksum(file, len, (size_t)(pe.optional - file) + OPT_CHECKSUM);
}
