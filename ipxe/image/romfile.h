// SPDX-License-Identifier: MPL-2.0
// Signet's option ROM as a file (doc/bios.md, "On the card itself"): a front, which is the image that a BIOS copies into upper memory; the
// program, a whole undionly.kpxe, in an image that no firmware runs; images of UEFI drivers. Pure. The constants are also the assembler's
// (bios/rom/rom.S), and config/targets/rom knows them. Little-endian.
#pragma once

// Offsets in the front, and so in the file. The first two are standard (PCI Firmware Specification 3.0, section 5.1), the rest is ours.
#define ROM_AT_PCI 0x18     // u16: offset of the PCI data structure
#define ROM_AT_PNP 0x1a     // u16: offset of the expansion header (Plug and Play BIOS Specification 1.0A, section 3.2)
#define ROM_AT_MAGIC 0x20   // ROM_MAGIC, 16 bytes with its NUL
#define ROM_AT_OFFSET 0x30  // u32: where in the file the program begins, a multiple of ROM_UNIT
#define ROM_AT_ROOM 0x34    // u32: bytes from there that the program may take, script and keys included, a multiple of ROM_ALIGN
#define ROM_AT_LENGTH 0x38  // u32: bytes of them that are in use, a multiple of ROM_ALIGN
#define ROM_AT_SUM 0x3c     // u32: those as words of 32 bits, added up
#define ROM_AT_SOURCES 0x40 // u8 ROM_FROM_*: where the program may be read from when it is started
#define ROM_AT_KIND 0x42    // u16: offset of the card's name, ROM_KIND_SIZE bytes
#define ROM_FRONT_MIN 0x44
#define ROM_MAGIC "SIGNET-OPTROM-1"
#define ROM_UNIT 512
#define ROM_ALIGN 16
#define ROM_KIND_SIZE 12    // padded with spaces

#define ROM_FROM_PMM 1      // the copy above 1 MiB, where the BIOS's memory manager had room for one
#define ROM_FROM_FLASH 2    // the card's flash, by its expansion ROM base address register

// What the front hands to Signet in real mode, besides a far return address and no !PXE: EAX = ROM_HANDOFF_MAGIC, ECX its complement, ESI the
// address of a struct rom_handoff below 0:7C00.
#define ROM_HANDOFF_MAGIC 0x4f525347 // "GSRO"
#define ROM_HANDOFF_SIZE 8

#ifndef __ASSEMBLER__
#include "base/err.h"

struct PACKED rom_handoff {
    uint32_t size;  // of this structure
    uint16_t place; // of the card: bus, device and function (drivers/pci_bus.h)
    uint16_t zero;
};
_Static_assert(sizeof(struct rom_handoff) == ROM_HANDOFF_SIZE, "as the assembler fills it in");

struct romfile {
    uint8_t *program;
    uint32_t room, length; // bytes that the program may take, and takes, padding included
};

// Is this file such a ROM? ERR_NOT_FOUND: it does not begin as one. ERR_INVALID: it does, and its lengths lead out of it, or the front's
// sum or the program's is wrong. The program lies in `file`.
int romfile_open(uint8_t *file, size_t len, struct romfile *ret);

// Makes such a file right again after `length` bytes, at most `room`, were written at `program`: behind them comes what flash holds where
// nothing was written.
void romfile_close(uint8_t *file, uint32_t length);
#endif
