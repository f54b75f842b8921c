// SPDX-License-Identifier: MPL-2.0
// Any datagram: it is refused, or what was read can be written again to the same bytes.
#include "phase2/wire.h"

#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct p2_message m;
    uint8_t buf[P2_MESSAGE_LARGE];
    if (p2_wire_read(data, size, &m) != 0)
        return 0;
    int n = p2_wire_write(&m, buf, sizeof buf);
    if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
        __builtin_trap();
    return 0;
}
