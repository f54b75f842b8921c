// SPDX-License-Identifier: MPL-2.0
// See checksum.h. Words of 64 bits at a time: every byte that comes over the network passes here.
#include "base/checksum.h"

#include "base/bytes.h"

uint16_t checksum_sum(const void *data, size_t len)
{
    const uint8_t *p = data;
    // Carries out of `all` are lost, but the upper halves are summed beside it, and without those the lower halves remain.
    uint64_t all = 0, upper = 0;
    for (; len >= 32; len -= 32, p += 32) {
        uint64_t a = load64_le(p), b = load64_le(p + 8), c = load64_le(p + 16), d = load64_le(p + 24);
        all += a + b + c + d;
        upper += (a >> 32) + (b >> 32) + (c >> 32) + (d >> 32);
    }
    uint64_t sum = all - (upper << 32) + upper;
    for (; len >= 2; len -= 2, p += 2)
        sum += load16_le(p);
    if (len)
        sum += *p;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}
