// SPDX-License-Identifier: MPL-2.0
// A UDP datagram in an Ethernet frame (RFC 768, 791, 894, 2464, 8200): the common case alone, which is a whole datagram behind
// an IP header without options. Whoever gets false has another reader for what is neither.
#pragma once
#include "base/base.h"

struct datagram {
    bool v4;
    const uint8_t *from_ip, *to_ip; // into the frame: 4 bytes, or 16
    uint16_t from_port, to_port;    // host order
    const uint8_t *data;            // into the frame
    size_t len;
};

// False for anything else, and for what is not in order: lengths that do not agree, a checksum that is wrong (of IPv4's header,
// of UDP where it has one). *ret is set on success only.
bool datagram_read(const uint8_t *frame, size_t len, struct datagram *ret);
