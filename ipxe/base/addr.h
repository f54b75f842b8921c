// SPDX-License-Identifier: MPL-2.0
// A transport address that every layer can hold without knowing lwIP or sockets. To the machines of the native protocol it is a
// carrier's handle for a peer, to be copied, compared and hashed as a whole.
#pragma once
#include "base/base.h"

struct net_addr {
    uint8_t ip[16]; // network order; IPv4 as ::ffff:a.b.c.d
    uint16_t port;  // host order
    uint8_t zone;   // interface number for link-local and multicast, 0 = none/any
};

#define NET_ADDR_TEXT_MAX 64 // "[xxxx:...:xxxx%255]:65535" and its NUL

static inline bool net_addr_is_v4(const struct net_addr *a)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}
static inline bool net_addr_is_link_local(const struct net_addr *a) // fe80::/10, RFC 4291 2.5.6
{
    return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}
static inline bool net_ip4_is_none(const uint8_t ip[4]) // 0.0.0.0
{
    return !(ip[0] | ip[1] | ip[2] | ip[3]);
}
static inline struct net_addr net_addr_v4(const uint8_t ip[4], uint16_t port)
{
    struct net_addr a = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, .port = port };
    memcpy(a.ip + 12, ip, 4);
    return a;
}
// Same host and port. The zone counts only when both name one.
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);

// Host and port as bytes, for digests.
#define NET_ADDR_BYTES 18
void net_addr_bytes(const struct net_addr *a, uint8_t bytes[NET_ADDR_BYTES]);

// Writes "192.0.2.1:20530" or "[fe80::1%1]:20530" (":port" left out when 0), NUL-terminated; returns text.
char *net_addr_format(const struct net_addr *a, char text[NET_ADDR_TEXT_MAX]);

// Reads an IPv4 or IPv6 literal (RFC 4291 2.2; brackets optional, "%zone" a number), no port. Writes ip
// and zone. False when it is not one.
bool net_addr_parse(const char *text, size_t len, struct net_addr *ret);
