// SPDX-License-Identifier: MPL-2.0
// The machine on a test's wire and its peer: their addresses, and a frame between them.
#pragma once
#include "base/bytes.h"
#include "core/platform.h"

#include <string.h>

#define ETH 14 // bytes of Ethernet's header

struct frame {
    uint8_t bytes[FRAME_RECEIVE_MAX];
    size_t len;
};

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, peer_mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t own_ip4[4] = { 10, 0, 0, 2 }, peer_ip4[4] = { 10, 0, 0, 1 };
static const uint8_t own_ip6[16] = { 0xfe, 0x80, [8] = 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 };
static const uint8_t peer_ip6[16] = { 0xfe, 0x80, [15] = 1 };

// The sum of 16-bit words that IP's checksums are the complement of (RFC 1071), added to `sum`.
static uint32_t sum_up(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}
