// SPDX-License-Identifier: MPL-2.0
// The part that stays in base memory while a network bootstrap program runs (resident.S), for C and for the assembler: one real-mode
// segment of its own at the top of base memory, hidden by INT 12h. Offsets and sizes in bytes.
#pragma once

#define RESIDENT_CODE_MAX 0x600   // what resident.S assembles to is below this
#define RESIDENT_E820 0x600       // the memory map without Signet's, entries of 20 bytes, E820_MAX of them
#define RESIDENT_STACK 0x1000     // where the program is started with it
#define RESIDENT_STACK_TOP 0x1c00 // PXE 2.1 wants 1.5 KiB
#define RESIDENT_PACKETS 0x1c00   // the DHCP packets that it asks for
#define RESIDENT_SIZE 0x3000      // whole KiB, as INT 12h counts

// The block of memory that Signet moves into, so that a program finds all from 1 MiB on free, as PXE 2.1 says. Signet's addresses stay
// as they are: pages lead from there into the block. 4 MiB to a page, of which the first 1 MiB is nobody's.
#define BLOCK_ALIGN 0x400000
#define BLOCK_SIZE 0xc00000
// In the block's first 1 MiB: base memory as Signet left it, at its own addresses, and behind it
#define BLOCK_DIRECTORY 0x40000
#define BLOCK_TABLE 0x41000

// What is put back when the program has ended: the interrupt vectors, and all from the BIOS's data on to the end of Signet's part.
#define VECTORS_SIZE 0x400
#define BIOS_DATA_END 0x500

#define SEL_CODE_RESIDENT 0x28 // 32 bits, base: the segment
