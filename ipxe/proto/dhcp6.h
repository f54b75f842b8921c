// SPDX-License-Identifier: MPL-2.0
// DHCPv6 (RFC 8415) as far as Signet uses it: it reads the answer that a firmware's PXE has got, and asks no server
// itself. Pure.
#pragma once
#include "proto/dhcp.h"

#define DHCP6_DNS_MAX 3
#define DHCP6_BOOT_URL_MAX 512 // with NUL

enum dhcp6_message { DHCP6_REPLY = 7 };
enum dhcp6_option {
    DHCP6_END = 0, // not one: what follows the last option in a buffer that was zeroed
    DHCP6_IA_NA = 3,
    DHCP6_IA_ADDRESS = 5,
    DHCP6_DNS = 23,      // RFC 3646
    DHCP6_SEARCH = 24,   // likewise
    DHCP6_BOOT_URL = 59, // RFC 5970
};

// What a boot needs of an answer. Absent things are zero, and so are options without content.
struct dhcp6_lease {
    bool has_ip;
    uint8_t ip[16]; // the first address whose valid lifetime is not 0
    uint8_t dns[DHCP6_DNS_MAX][16];
    unsigned dns_count;
    char search[DHCP_NAME_MAX];        // as dhcp.h's; "" also when it cannot be read
    char boot_url[DHCP6_BOOT_URL_MAX]; // printable ASCII; "" also when it is too long
};

// Reads a REPLY, from its message type on. ERR_DHCP_MALFORMED: another message, or an option that is cut off.
int dhcp6_lease_read(const uint8_t *packet, size_t len, struct dhcp6_lease *ret);
