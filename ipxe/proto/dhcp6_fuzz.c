// SPDX-License-Identifier: MPL-2.0
// Any bytes as a DHCPv6 answer to the reader, and to a client that asked: as ADVERTISE and as REPLY. Its transaction is put in.
#include "proto/dhcp6.h"

#include "base/fuzz.h"

static void check(const struct dhcp6_lease *lease)
{
    if (lease->dns_count > DHCP6_DNS_MAX || strnlen(lease->boot_url, sizeof lease->boot_url) == sizeof lease->boot_url ||
        strnlen(lease->search, sizeof lease->search) == sizeof lease->search ||
        strnlen(lease->boot_parameters, sizeof lease->boot_parameters) == sizeof lease->boot_parameters)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dhcp6_client c;
    static uint8_t packet[2048], out[DHCP6_PACKET_MAX];
    struct dhcp_config config = { .mac = { 2, 0, 0, 0, 0, 1 }, .arch = 7, .xid = 0x010203 };
    struct dhcp6_lease lease;
    uint64_t now = 1;
    if (dhcp6_lease_read(data, size, &lease) == 0)
        check(&lease);
    dhcp6_client_init(&c, &config, now);
    size = MIN(size, sizeof packet);
    for (unsigned turn = 0; dhcp6_client_deadline(&c) != UINT64_MAX; turn++) {
        if (turn > 20)
            __builtin_trap(); // whatever was heard, it ends
        now = MAX(now, dhcp6_client_deadline(&c));
        (void)dhcp6_client_output(&c, out, sizeof out, now);
        if (size < 4)
            continue;
        memcpy(packet, data, size);
        store32_be(packet, (uint32_t)(out[0] == DHCP6_SOLICIT ? DHCP6_ADVERTISE : DHCP6_REPLY) << 24 | config.xid);
        dhcp6_client_input(&c, packet, size, now);
    }
    check(&c.lease);
    if (c.result == 0 && c.message == DHCP6_REQUEST && !c.lease.has_ip)
        __builtin_trap();
    return 0;
}
