// SPDX-License-Identifier: MPL-2.0
// Datagrams of the input's choice (length byte, then bytes) into a transfer.
#include "proto/tftp.h"

#include "base/fuzz.h"

#include <stdlib.h>

static int touch(void *ctx, const uint8_t *data, size_t len)
{
    uint64_t *sum = ctx;
    for (size_t i = 0; i < len; i++)
        *sum += data[i];
    return len == 77 ? ERR_TOO_LARGE : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tftp_client c;
    uint64_t sum = 0, now = 0;
    struct net_addr server = { .port = TFTP_PORT }, to;
    if (tftp_init(&c, "name", &server, 1500, touch, &sum, now) != 0)
        abort();
    for (size_t at = 0; at < size;) {
        size_t len = MIN((size_t)data[at], size - at - 1);
        struct net_addr from = { .port = (uint16_t)(69 + (data[at] & 1)) };
        from.ip[15] = data[at] >> 7; // long ones come from another address
        tftp_input(&c, &from, data + at + 1, len, now);
        at += len + 1;
        uint8_t buf[TFTP_REQUEST_MAX];
        if (tftp_output(&c, buf, sizeof buf, &to, now) > sizeof buf)
            abort();
        now += 100000;
    }
    return 0;
}
