// SPDX-License-Identifier: MPL-2.0
// The heads of a frame that files of proto/ look at: Ethernet II, IPv4 without options (RFC 791), IPv6 (RFC 8200), UDP (RFC 768).
// Sizes in bytes. The addresses are the last fields of either IP head.
#pragma once

#define ETH_HEAD 14
#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define IP4_HEAD 20
#define IP4_FRAGMENT 0x3fff // "more fragments" and the offset
#define IP6_HEAD 40
#define UDP_HEAD 8
#define PROTO_UDP 17
