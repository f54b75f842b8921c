// SPDX-License-Identifier: MPL-2.0
// An ICMP error by which a host, or a firewall for it, refuses a UDP datagram that was sent to it: "port unreachable" and
// "administratively prohibited" (RFC 792, 1812 5.2.7.1, 4443 3.1), in an Ethernet frame.
#pragma once
#include "proto/datagram.h"

// False for anything else, and for what is not in order. The error quotes what was refused; *ret, set on success only, is what
// an answer to that would have been: from the host that was asked to the one that the error came to, but `data` is what was
// sent, as far as it is quoted. Whether that one ever sent it is the caller's to know.
bool refusal_read(const uint8_t *frame, size_t len, struct datagram *ret);
