// SPDX-License-Identifier: MPL-2.0
// The file behind its 16-bit part, as config/targets/pack writes it: this head, the unpacker (ipxe/bios/unpacker), and the protected-mode
// part as ipxe/unpack/unpack.h has it. For C and for the assembler; little-endian, offsets from the head.
#pragma once

#define PACKED_SUM 0       // u32: CRC-32 of all behind the length
#define PACKED_LENGTH 4    // u32: of all, up to the end of the bare file
#define PACKED_SUMMED 8    // where the sum begins
#define PACKED_UNPACKER 8  // u32: length of the unpacker, a multiple of 4
#define PACKED_HEAD_SIZE 12
