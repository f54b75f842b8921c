// SPDX-License-Identifier: MPL-2.0
#include "unpack/unpack.h"
#include "base/bytes.h"
#include "base/crc.h"
#include "base/fuzz.h"

#include <stdlib.h>
#include <string.h>

// The first byte says how much room there is. What is unpacked has the sum that the head names.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t cap = (size_t)data[0] << 5, len = 0;
    struct unpack_work *work = malloc(sizeof *work);
    uint8_t *packed = malloc(size), *to = malloc(cap + 1); // a byte more than the room: it is looked at below
    if (!packed || !to || !work)
        abort();
    memcpy(packed, data + 1, size - 1);
    to[cap] = 0xa5;
    if (unpack(packed, size - 1, to, cap, work, &len) == 0 &&
        (len == 0 || len > cap || crc_of(to, len) != load32_le(packed + UNPACK_AT_SUM)))
        __builtin_trap();
    if (to[cap] != 0xa5)
        __builtin_trap();
    free(packed);
    free(to);
    free(work);
    return 0;
}
