// SPDX-License-Identifier: MPL-2.0
// See unpack.h. The decoder is that of 7-Zip's LZMA SDK.
#include "unpack/unpack.h"

#include "base/bytes.h"
#include "base/crc.h"

#include <Precomp.h>
#include <Bra.h>
#include <LzmaDec.h>

#define PROPERTIES 5 // bytes that the decoder takes: ours, then the size of the dictionary
#define PROPERTIES_END (9 * 5 * 5)

struct memory {
    ISzAlloc calls; // first: the decoder hands its address back
    struct unpack_work *work;
};

static void *take(ISzAllocPtr calls, size_t size)
{
    const struct memory *m = (const struct memory *)calls;
    return size <= sizeof m->work->probabilities ? m->work->probabilities : NULL;
}

static void give_back(ISzAllocPtr calls, void *address)
{
}

static bool decode(const uint8_t *stream, size_t len, uint8_t properties, uint8_t *to, size_t size, struct unpack_work *work)
{
    struct memory memory = { .calls = { take, give_back }, .work = work };
    uint8_t all[PROPERTIES] = { properties };
    CLzmaDec decoder;
    ELzmaStatus status;
    SizeT used = len;
    // The output is the dictionary.
    store32_le(all + 1, UNPACK_MAX);
    LzmaDec_CONSTRUCT(&decoder);
    if (LzmaDec_AllocateProbs(&decoder, all, sizeof all, &memory.calls) != SZ_OK)
        return false;
    decoder.dic = to;
    decoder.dicBufSize = size;
    LzmaDec_Init(&decoder);
    return LzmaDec_DecodeToDic(&decoder, size, stream, &used, LZMA_FINISH_END, &status) == SZ_OK &&
           status == LZMA_STATUS_FINISHED_WITH_MARK && decoder.dicPos == size && used == len;
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
    if (size > cap || size > UNPACK_MAX)
        return ERR_TOO_LARGE;
    if (size == 0 || load32_le(packed + UNPACK_AT_STREAM) != len - UNPACK_HEAD_SIZE ||
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
