// SPDX-License-Identifier: MPL-2.0
// PE images (Microsoft's "PE Format"; UEFI 2.10, 2.1.1): the headers, as far as they tell an application that UEFI can
// start, and what kind it is. Pure: mkimage reads them to fill in PART, the firmware to know what it hands to
// LoadImage, which judges the rest.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define PE_HEADERS_MAX 65536 // bytes of a file that pe_parse looks at, at most: room for 1600 sections, of which PE loaders take 96

// Offsets in the file, from the signature on, in the optional header, in a section's entry. Those of the optional header
// are the same in PE32 and PE32+, but for the security directory, which is that of PE32+.
enum pe_offset { PE_MZ_POINTER = 0x3c, PE_MZ_SIZE = 64 };
enum pe_coff_offset { PE_MACHINE = 4, PE_SECTION_COUNT = 6, PE_OPTIONAL_SIZE = 20, PE_COFF_SIZE = 24 };
enum pe_optional_offset {
    PE_INITIALIZED = 8,
    PE_SECTION_ALIGN = 32,
    PE_FILE_ALIGN = 36,
    PE_IMAGE_MAJOR = 44,
    PE_IMAGE_SIZE = 56,
    PE_CHECKSUM = 64,
    PE_SUBSYSTEM = 68,
    PE_SECURITY_64 = 144,
};
enum pe_section_offset {
    PE_SECTION_VIRTUAL_SIZE = 8,
    PE_SECTION_ADDRESS = 12,
    PE_SECTION_RAW_SIZE = 16,
    PE_SECTION_RAW = 20,
    PE_SECTION_FLAGS = 36,
    PE_SECTION_SIZE = 40,
};
#define PE_MAGIC_32 0x10b
#define PE_MAGIC_64 0x20b
#define PE_SUBSYSTEM_EFI_APPLICATION 10
#define STUB_MAJOR_INITRD 1 // from this image version on Linux's stub asks for the initrd by LoadFile2

enum pe_machine { PE_MACHINE_X64 = 0x8664, PE_MACHINE_ARM64 = 0xaa64 };

struct pe_image {
    uint16_t machine;     // enum pe_machine, or another processor
    uint16_t image_major; // MajorImageVersion: Linux's stub numbers what it can do by it
    uint32_t memory;      // SizeOfImage: bytes of the copy that LoadImage makes
    bool unified;         // a unified kernel image (UAPI Group): it carries its own kernel, as the section .linux
};

// Reads the headers of an EFI application. `data` holds the first `len` bytes of the file (PE_HEADERS_MAX are enough),
// `file_size` is the size of the whole.
// ERR_TRUNCATED (headers beyond `len`, a section beyond the file), ERR_BOOT_FORMAT (not PE, or not an application).
int pe_parse(const uint8_t *data, size_t len, uint64_t file_size, struct pe_image *ret);
