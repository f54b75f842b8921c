// SPDX-License-Identifier: MPL-2.0
// Any bytes as an Oxide header; short inputs are filled up with zeros, so that a corpus stays small.
#include "base/fuzz.h"
#include "image/oxide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t header[OXIDE_HEADER_SIZE], rebuilt[OXIDE_HEADER_SIZE];
    struct oxide_header h, again;
    oxide_parse(data, size, &h);
    memset(header, 0, sizeof header);
    if (size > 0)
        memcpy(header, data, size < sizeof header ? size : sizeof header);
    if (oxide_parse(header, sizeof header, &h) != 0)
        return 0;
    if (oxide_build(&h, rebuilt) != 0 || oxide_parse(rebuilt, sizeof rebuilt, &again) != 0 ||
        memcmp(&h, &again, sizeof h) != 0)
        __builtin_trap();
    return 0;
}
