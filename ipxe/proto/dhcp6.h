// SPDX-License-Identifier: MPL-2.0
// DHCPv6 (RFC 8415, RFC 5970) as far as Signet uses it: it reads the answer that a firmware's PXE has got, and a client machine without
// I/O gets one. Pure.
#pragma once
#include "proto/dhcp.h"

#define DHCP6_DNS_MAX 3
#define DHCP6_BOOT_URL_MAX 512 // with NUL

#define DHCP6_CLIENT_PORT 546
#define DHCP6_SERVER_PORT 547 // of the group ff02::1:2
#define DHCP6_PACKET_MAX 512  // of those that it sends
#define DHCP6_DUID_MAX 130    // RFC 8415 section 11.1

enum dhcp6_message { DHCP6_SOLICIT = 1, DHCP6_ADVERTISE = 2, DHCP6_REQUEST = 3, DHCP6_REPLY = 7, DHCP6_INFORM = 11 };
enum dhcp6_option {
    DHCP6_END = 0, // not one: what follows the last option in a buffer that was zeroed
    DHCP6_IA_NA = 3,
    DHCP6_IA_ADDRESS = 5,
    DHCP6_DNS = 23,      // RFC 3646
    DHCP6_SEARCH = 24,   // likewise
    DHCP6_BOOT_URL = 59, // RFC 5970
    DHCP6_BOOT_PARAMETERS = 60, // likewise
};

// What a boot needs of an answer. Absent things are zero, and so are options without content.
struct dhcp6_lease {
    bool has_ip;
    uint8_t ip[16]; // the first address whose valid lifetime is not 0
    uint8_t dns[DHCP6_DNS_MAX][16];
    unsigned dns_count;
    char search[DHCP_NAME_MAX];        // as dhcp.h's; "" also when it cannot be read
    char boot_url[DHCP6_BOOT_URL_MAX]; // printable ASCII; "" also when it is too long
    char boot_parameters[DHCP_NAME_MAX]; // a blank between two; as many as there is room for
};

// Reads a REPLY or an ADVERTISE, from its message type on. ERR_DHCP_MALFORMED: another message, or an option that is cut off.
int dhcp6_lease_read(const uint8_t *packet, size_t len, struct dhcp6_lease *ret);

// Asks for an address; where none is to be had, for what servers know besides (a stateless server's boot file and name servers). Servers
// are heard for a second, unless one is to be preferred; of several the one with the highest preference counts, then one with a boot
// file. The lease is not renewed. At most 2 s of SOLICIT, 3 s of REQUEST, 3 s of INFORMATION-REQUEST: 9 s in all.
struct dhcp6_client {
    struct dhcp_config config; // of which mac, arch, uuid, xid and jitter count
    enum dhcp6_message message;
    unsigned tries;
    int best; // the worth of the ADVERTISE that is kept, -1: none is
    uint64_t started, deadline;
    uint8_t server[DHCP6_DUID_MAX];
    size_t server_len;
    struct dhcp6_lease lease; // once the result is 0; has_ip may be false
    int result;               // PENDING, 0, or ERR_DHCP_NO_OFFER
};
void dhcp6_client_init(struct dhcp6_client *c, const struct dhcp_config *config, uint64_t now);
// The datagram that is due to ff02::1:2, if any: its length, or 0.
size_t dhcp6_client_output(struct dhcp6_client *c, uint8_t *buf, size_t cap, uint64_t now);
// One that came to port 546. What does not belong to this client is dropped in silence.
void dhcp6_client_input(struct dhcp6_client *c, const uint8_t *data, size_t len, uint64_t now);
uint64_t dhcp6_client_deadline(const struct dhcp6_client *c);
