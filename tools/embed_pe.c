// SPDX-License-Identifier: MPL-2.0
// See embed_pe.h.
#include "embed_pe.h"
#include "base/bytes.h"
#include "base/range.h"
#include "image/pe.h"
#include "report.h"
#include "tool.h"
#include <stdlib.h>

#define OPTIONAL_MIN (PE_SECURITY_64 + 8)
#define SECTION_DATA 0x40u            // holds initialised data
#define SECTION_DISCARDABLE 0x02000000u

struct pe {
    uint8_t *optional, *sections, *last; // in the file
    unsigned section_count;
    uint32_t section_align, file_align;
};

// The headers; `last` is the section that ends the file and the memory image, which must be .signet.
static bool read_headers(uint8_t *file, size_t len, struct pe *pe)
{
    if (len < PE_MZ_SIZE || file[0] != 'M' || file[1] != 'Z')
        return false;
    uint64_t at = load32_le(file + PE_MZ_POINTER);
    if (!range_fits(at, PE_COFF_SIZE + OPTIONAL_MIN, len) || memcmp(file + at, "PE\0", 4) != 0)
        return false;
    uint16_t optional_size = load16_le(file + at + PE_OPTIONAL_SIZE);
    pe->section_count = load16_le(file + at + PE_SECTION_COUNT);
    pe->optional = file + at + PE_COFF_SIZE;
    pe->section_align = load32_le(pe->optional + PE_SECTION_ALIGN);
    pe->file_align = load32_le(pe->optional + PE_FILE_ALIGN);
    if (load16_le(pe->optional) != PE_MAGIC_64 || optional_size < OPTIONAL_MIN || pe->section_count == 0 ||
        !is_power_of_two(pe->section_align) || !is_power_of_two(pe->file_align) ||
        !range_fits(at + PE_COFF_SIZE + optional_size, (uint64_t)pe->section_count * PE_SECTION_SIZE, len))
        return false;
    pe->sections = pe->optional + optional_size;
    pe->last = pe->sections + (size_t)(pe->section_count - 1) * PE_SECTION_SIZE;
    for (uint8_t *s = pe->sections; s < pe->last; s += PE_SECTION_SIZE)
        if (load32_le(s + PE_SECTION_RAW) > load32_le(pe->last + PE_SECTION_RAW) ||
            load32_le(s + PE_SECTION_ADDRESS) > load32_le(pe->last + PE_SECTION_ADDRESS))
            return false;
    return memcmp(pe->last, ".signet\0", 8) == 0 && load32_le(pe->last + PE_SECTION_RAW) < len;
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
    store32_le(pe->last + PE_SECTION_VIRTUAL_SIZE, used);
    store32_le(pe->last + PE_SECTION_RAW_SIZE, raw_size);
    store32_le(pe->last + PE_SECTION_FLAGS, load32_le(pe->last + PE_SECTION_FLAGS) & ~SECTION_DISCARDABLE);
    for (uint8_t *s = pe->sections; s <= pe->last; s += PE_SECTION_SIZE)
        if (load32_le(s + PE_SECTION_FLAGS) & SECTION_DATA)
            initialized += load32_le(s + PE_SECTION_RAW_SIZE);
    store32_le(pe->optional + PE_INITIALIZED, initialized);
    if (align_up_checked((uint64_t)load32_le(pe->last + PE_SECTION_ADDRESS) + used, pe->section_align, &image_size))
        store32_le(pe->optional + PE_IMAGE_SIZE, (uint32_t)image_size);
    memset(pe->optional + PE_SECURITY_64, 0, 8);
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
    *ret_signed = load32_le(pe.optional + PE_SECURITY_64 + 4) != 0;
    uint32_t raw = load32_le(pe.last + PE_SECTION_RAW);
    fit_headers(&pe, (uint32_t)(head_len + blob_len - raw), (uint32_t)(total - raw) & ~(pe.file_align - 1));
    size_t field = (size_t)(pe.optional - file) + PE_CHECKSUM;
    store32_le(file + field, checksum(file, total, field));
    *ret_len = total;
    return file;
}

unsigned embed_pe_machine(const uint8_t *file, size_t len)
{
    struct pe pe;
    if (!read_headers((uint8_t *)file, len, &pe) || load16_le(pe.optional + PE_SUBSYSTEM) != PE_SUBSYSTEM_EFI_APPLICATION)
        return 0;
    uint16_t machine = load16_le(pe.optional - PE_COFF_SIZE + PE_MACHINE);
    return machine == PE_MACHINE_X64 || machine == PE_MACHINE_ARM64 ? machine : 0;
}

bool embed_pe_intact(const uint8_t *file, size_t len)
{
    struct pe pe;
    if (!read_headers((uint8_t *)file, len, &pe))
        return false;
    return load32_le(pe.optional + PE_CHECKSUM) == checksum(file, len, (size_t)(pe.optional - file) + PE_CHECKSUM);
}
