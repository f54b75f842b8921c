// SPDX-License-Identifier: MPL-2.0
// See unpack.h. The decoder is that of 7-Zip's LZMA SDK.
#include "unpack/unpack.h"

#include "base/bytes.h"
#include "base/crc.h"

#include <Precomp.h>
#include <Bra.h>
#include <LzmaDec.c> // for the function that it keeps to itself

#define PROPERTIES_END (9 * 5 * 5)
#define STREAM_HEAD RC_INIT_SIZE // a zero, and the first four bytes of the range coder's code

_Static_assert(UNPACK_AHEAD == LZMA_REQUIRED_INPUT_MAX, "as far as the decoder looks ahead");

// Drives the decoder's innermost function by itself, since all is in memory: what the SDK has around that for input that comes in pieces
// is as large as the function. It stops where the room or the input ends, and reads UNPACK_AHEAD bytes further at most.
static bool decode(const uint8_t *stream, size_t len, uint8_t properties, uint8_t *to, size_t size, struct unpack_work *work)
{
    const uint8_t *end = stream + len - UNPACK_AHEAD;
    CLzmaDec d = {
        .prop = { .lc = properties % 9, .lp = properties / 9 % 5, .pb = (Byte)(properties / 9 / 5), .dicSize = UNPACK_MAX },
        .probs = work->probabilities,
        .probs_1664 = work->probabilities + 1664,
        .dic = to, // the output is the dictionary
        .dicBufSize = size + 1,
        .buf = stream + STREAM_HEAD,
        .range = UINT32_MAX,
        .code = load32_be(stream + 1),
        .reps = { 1, 1, 1, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(work->probabilities); i++)
        work->probabilities[i] = kBitModelTotal >> 1;
    if (stream[0] != 0 || d.code >= kBadRepCode || LzmaDec_DecodeReal2(&d, size, end) != SZ_OK || d.dicPos != size || d.remainLen != 0)
        return false;
    // The end mark: one step more, for which a byte of room is there.
    if (d.buf >= end || LzmaDec_DecodeReal2(&d, size + 1, d.buf) != SZ_OK)
        return false;
    while (d.buf == end && end < stream + len && *end == 0)
        d.buf = ++end;
    return d.remainLen == kMatchSpecLenStart && d.code == 0 && end == stream + len;
}

int unpack(const uint8_t *packed, size_t len, uint8_t *to, size_t cap, struct unpack_work *work, size_t *ret_len)
{
    if (len < UNPACK_HEAD_SIZE || load32_le(packed + UNPACK_AT_STREAM) > len - UNPACK_HEAD_SIZE)
        return ERR_TRUNCATED;
    size_t size = load32_le(packed + UNPACK_AT_LENGTH);
    uint8_t properties = packed[UNPACK_AT_PROPERTIES], filter = packed[UNPACK_AT_FILTER];
    if (packed[UNPACK_AT_METHOD] != UNPACK_LZMA || filter > UNPACK_X86 || packed[UNPACK_AT_FILTER + 1] != 0 ||
        properties >= PROPERTIES_END || properties % 9 + properties / 9 % 5 > UNPACK_BITS)
        return ERR_UNSUPPORTED;
    if (size >= cap || size > UNPACK_MAX)
        return ERR_TOO_LARGE;
    if (size == 0 || load32_le(packed + UNPACK_AT_STREAM) != len - UNPACK_HEAD_SIZE || len < UNPACK_HEAD_SIZE + STREAM_HEAD + UNPACK_AHEAD ||
        !decode(packed + UNPACK_HEAD_SIZE, len - UNPACK_HEAD_SIZE, properties, to, size, work))
        return ERR_INVALID;
    if (filter == UNPACK_X86) {
        UInt32 state = Z7_BRANCH_CONV_ST_X86_STATE_INIT_VAL;
        (void)z7_BranchConvSt_X86_Dec(to, size, 0, &state);
    }
    if (crc_of(to, size) != load32_le(packed + UNPACK_AT_SUM))
        return ERR_INVALID;
    *ret_len = size;
    return 0;
}
