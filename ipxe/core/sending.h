// SPDX-License-Identifier: MPL-2.0
// Datagrams that did not go out. One is no loss that a transport does not bear anyway; where none goes out at all, that is the
// reason, and not the silence that follows.
#pragma once
#include "base/addr.h"

#define SENDING_LIMIT_US 5000000u // a router's advertisement, or memory that is used up for a moment, may be on its way

struct sending { // zeros before the first one
    int error;      // why the last one did not go out; 0: it did
    uint64_t since; // when the first one of those did not
};

// What became of a datagram to `to`, NULL: to one host of several. `err` is net_udp_send's. 0, or the error to end with: the
// only host is an IPv4 address to which no way leads, or nothing went out for SENDING_LIMIT_US. A link that is down may come
// back: that ends nothing.
int sending_judge(struct sending *s, int err, const struct net_addr *to, uint64_t now);

// A transfer ends with `err`: the same, or why nothing was heard.
int sending_reason(const struct sending *s, int err);
