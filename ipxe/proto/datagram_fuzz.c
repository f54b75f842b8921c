// SPDX-License-Identifier: MPL-2.0
// What is read lies in the frame, and its checksum is the one that a slow reader finds.
#include "proto/refusal.h"

#include "base/bytes.h"
#include "base/fuzz.h"

static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

// The quote lies in the frame, behind two IP headers and ICMP's.
static void refusal(const uint8_t *data, size_t size)
{
    struct datagram d;
    if (!refusal_read(data, size, &d))
        return;
    size_t head = d.v4 ? 20 : 40, address = d.v4 ? 4 : 16;
    if (d.to_ip + address != d.from_ip || d.from_ip + address + 8 != d.data || d.data != data + 14 + 2 * head + 16 || d.data + d.len > data + size ||
        memcmp(data + 14 + head - address, d.to_ip, address) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct datagram d;
    refusal(data, size);
    if (!datagram_read(data, size, &d))
        return 0;
    size_t address = d.v4 ? 4 : 16;
    if (d.from_ip + address != d.to_ip || d.to_ip + address + 8 != d.data || d.from_ip < data || d.data + d.len > data + size)
        __builtin_trap();
    uint32_t sum = add(add(17 + 8 + (uint32_t)d.len, d.from_ip, 2 * address), d.data - 8, 8 + d.len);
    if (load16_be(d.data - 2) != 0 && sum % 0xffff != 0)
        __builtin_trap();
    return 0;
}
