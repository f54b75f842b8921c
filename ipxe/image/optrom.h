// SPDX-License-Identifier: MPL-2.0
// One image of a PCI option ROM: its header and PCI data structure (PCI Firmware Specification 3.0, chapter 5), and the
// UNDI ROM ID structure of a network card's (PXE Specification 2.1). Pure. A ROM in a card's flash is a chain of images,
// for BIOS and for UEFI; one in memory below 1 MiB is a single image, cut down by its own initialisation.
#pragma once
#include "base/err.h"

#define OPTROM_ALIGN 2048   // images in memory begin on multiples of it
#define OPTROM_UNIT 512     // unit of the lengths in an image
#define OPTROM_HEADER_SIZE 0x1c

// Offsets in the image's header.
enum optrom_header {
    OPTROM_AT_MAGIC = 0,  // 55 AA
    OPTROM_AT_SIZE = 2,   // u8, in OPTROM_UNIT; u16 for EFI
    OPTROM_AT_UNDI = 0x16, // u16 offset of the UNDI ROM ID structure, BIOS images only
    OPTROM_AT_PCI = 0x18, // u16 offset of the PCI data structure
};
// Offsets in the PCI data structure.
enum optrom_pci {
    PCIR_SIGNATURE = 0,    // "PCIR"
    PCIR_VENDOR = 4,
    PCIR_DEVICE = 6,
    PCIR_DEVICE_LIST = 8,  // u16 offset from "PCIR" to more device numbers, which end with 0; from revision 3 on
    PCIR_LENGTH = 0x0a,    // u16, of this structure
    PCIR_REVISION = 0x0c,
    PCIR_CLASS = 0x0d,     // interface, subclass, class
    PCIR_IMAGE_SIZE = 0x10, // u16, in OPTROM_UNIT
    PCIR_CODE_TYPE = 0x14,
    PCIR_INDICATOR = 0x15, // bit 7: the last image of the ROM
    PCIR_SIZE_MIN = 0x18,
};
// Offsets in the UNDI ROM ID structure.
enum optrom_undi {
    UNDI_SIGNATURE = 0, // "UNDI"
    UNDI_LENGTH = 4,    // u8; so many bytes add up to 0
    UNDI_LOADER = 0x0a, // u16 offset of the loader's entry point
    UNDI_STACK_SIZE = 0x0c,
    UNDI_DATA_SIZE = 0x0e,
    UNDI_CODE_SIZE = 0x10,
    UNDI_BUS = 0x12, // "PCIR"
    UNDI_SIZE = 0x16,
};

enum optrom_code { OPTROM_CODE_BIOS = 0, OPTROM_CODE_EFI = 3 };
#define OPTROM_CLASS_NETWORK 2

struct optrom {
    uint32_t size;       // bytes of the image in front of us: what a BIOS image's sum runs over
    uint32_t image_size; // bytes to the next image of the chain
    uint16_t vendor, device;
    uint16_t device_list; // offset in the image, 0: only `device`
    uint8_t class_code;
    uint8_t code_type;
    bool last;
    // The UNDI loader; code_size 0: there is none.
    uint16_t undi_loader, undi_data_size, undi_code_size;
};

// Reads the image at the beginning of `len` bytes. ERR_NOT_FOUND: no image. ERR_TRUNCATED: it claims more bytes than
// there are. ERR_UNSUPPORTED: not a PCI card's. ERR_INVALID: a structure outside the image, or a BIOS image whose
// bytes do not add up to 0. An UNDI ROM ID that is damaged or not for PCI counts as none.
int optrom_parse(const uint8_t *image, size_t len, struct optrom *ret);

// Is the image, as optrom_parse read it, made for this card?
bool optrom_serves(const uint8_t *image, const struct optrom *rom, uint16_t vendor, uint16_t device);
