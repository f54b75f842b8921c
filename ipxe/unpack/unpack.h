// SPDX-License-Identifier: MPL-2.0
// Unpacks what the build has packed (config/targets/pack): a head of 16 bytes, one LZMA stream with an end mark, and 20 bytes of
// zero, as far as the decoder may look ahead. Integers are little-endian.
//
//   offset size
//        0    4  length of the stream and the zeros, which end the packed bytes
//        4    4  length unpacked, 1 to UNPACK_MAX
//        8    4  CRC-32 of the unpacked bytes
//       12    1  method: 1, LZMA
//       13    1  the stream's properties (lc + 9 * (lp + 5 * pb)), lc + lp at most UNPACK_BITS
//       14    1  filter in front of it: 0 none, 1 branches of x86 (BCJ, from address 0 on)
//       15    1  zero
#pragma once
#include "base/err.h"

#define UNPACK_HEAD_SIZE 16
#define UNPACK_MAX 0x1000000 // 16 MiB
#define UNPACK_BITS 3
#define UNPACK_AHEAD 20
enum unpack_offset {
    UNPACK_AT_STREAM = 0,
    UNPACK_AT_LENGTH = 4,
    UNPACK_AT_SUM = 8,
    UNPACK_AT_METHOD = 12,
    UNPACK_AT_PROPERTIES = 13,
    UNPACK_AT_FILTER = 14,
};
enum { UNPACK_LZMA = 1 };
enum { UNPACK_PLAIN = 0, UNPACK_X86 = 1 };

// What the decoder counts in; nothing of it is read before it is written.
struct unpack_work {
    uint16_t probabilities[1984 + (0x300 << UNPACK_BITS)];
};

// Unpacks `len` bytes to `to`, which holds `cap`, one more than comes out at least. Nothing beyond these is read or written, whatever the
// bytes are. 0 and the length: all of the bytes were used, and the sum is right. ERR_TRUNCATED (fewer bytes than the head or the stream
// needs), ERR_UNSUPPORTED (method, properties or filter), ERR_TOO_LARGE (not less than `cap`), ERR_INVALID (all else): then `to` holds
// rubbish.
int unpack(const uint8_t *packed, size_t len, uint8_t *to, size_t cap, struct unpack_work *work, size_t *ret_len);
