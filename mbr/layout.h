// SPDX-License-Identifier: MPL-2.0
// The fields that the installer writes into mbr.bin's 440 bytes of code, for C and for the assembler. The disk signature
// (440..445), the partition table (446..509) and 55 AA (510) are never touched. Integers little-endian.
#pragma once

#define MBR_CODE_SIZE 440      // bytes of the first sector that mbr.bin replaces
#define MBR_FIELDS 408         // u32 MBR_MAGIC: this is Signet's MBR
#define MBR_MAGIC 0x424d4753   // "SGMB"
#define MBR_ENTRIES 412        // two entries; the first is tried first
#define MBR_ENTRY_COUNT 2
#define MBR_ENTRY_SIZE 12
#define MBR_ENTRY_LBA 0        // u64: first sector of the stage (header of the slot + BOOTSLOT_PAYLOAD_SECTORS); 0: none
#define MBR_ENTRY_SUM 8        // u32: CRC-32 (as in zlib, crc32()) of the stage's MBR_STAGE_SECTORS * 512 bytes
#define MBR_STAGE_COUNT 436    // u16: sectors of the stage, MBR_STAGE_SECTORS
#define MBR_VERSION_AT 438     // u16: MBR_VERSION
#define MBR_STAGE_SECTORS 32   // 16 KiB: BOOTSLOT_STAGE_SIZE
#define MBR_VERSION 1

// Base memory (physical addresses) while MBR and stage run; Signet itself uses nothing below LOAD_BASE (bios/layout.h).
#define MBR_BASE 0x600       // where the MBR moves itself to; the stage reads its fields there
#define STAGE_DATA 0x1000    // the stage's variables and sector buffer
#define STAGE_DATA_END 0x1800
#define STAGE_STACK_TOP 0x3000 // of the MBR and of the stage: down to STAGE_DATA_END. Not on a page with code: emulators
                               // and some processors take every write there for code that changes itself
#define STAGE_BASE 0x3c00    // the stage
#define SIGNET_BASE 0x7c00   // Signet: STAGE_BASE and the 16 KiB of the stage
