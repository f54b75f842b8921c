// SPDX-License-Identifier: MPL-2.0
// DHCPv6 beside DHCPv4 (network.h): the answer that a firmware has got, or one of our own.
#include "proto/dhcp6.h"

#include "base/fmt.h"
#include "core/network.h"
#include "net/net.h"

static struct {
    struct core *core;
    unsigned nic;
    struct net_udp *udp; // NULL: it does not run
    struct dhcp6_client client;
} run;

static void put(struct core *core, const char *scope, const char *name, const char *text)
{
    (void)settings_put_text(&core->settings, scope, name, text);
}

bool core_dhcp6_use(struct core *core, unsigned nic, const struct dhcp6_lease *lease, bool ours)
{
    struct net_addr addr = { 0 }, servers[DHCP6_DNS_MAX] = { 0 };
    char text[NET_ADDR_TEXT_MAX], scope[16];
    if (lease->has_ip && net_add_ipv6(nic, lease->ip) != 0)
        return false;
    for (unsigned i = 0; i < lease->dns_count; i++) {
        memcpy(servers[i].ip, lease->dns[i], 16);
        servers[i].zone = (uint8_t)(nic + 1); // for one that is link-local
    }
    net_set_dns(NET_DNS_DHCP6, servers, lease->dns_count);
    fmt_snprintf(scope, sizeof scope, "net%u.dhcp6", nic);
    put(core, scope, "search", lease->search);
    if (ours) { // a firmware's names the file that Signet itself came from
        put(core, scope, "filename", lease->boot_url);
        put(core, scope, "bootfile-param", lease->boot_parameters);
    }
    core_apply_addresses(core);
    memcpy(addr.ip, lease->ip, 16);
    console_say("dhcp", "net%u %s (%s)", nic, lease->has_ip ? net_addr_format(&addr, text) : "keeps its addresses",
                ours ? "DHCPv6" : "the firmware's answer over IPv6, no second DHCP");
    return true;
}

static void received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    if (nic == run.nic && from->port == DHCP6_SERVER_PORT)
        dhcp6_client_input(&run.client, data, len, core_now(run.core));
}

void core_dhcp6_start(struct core *core, unsigned nic, const struct dhcp_config *config)
{
    run.core = core;
    run.nic = nic;
    run.udp = net_udp_open(DHCP6_CLIENT_PORT, received, NULL);
    dhcp6_client_init(&run.client, config, core_now(core));
}

bool core_dhcp6_step(uint64_t *wake)
{
    uint8_t packet[DHCP6_PACKET_MAX];
    struct net_addr to = { .ip = { 0xff, 2, [13] = 1, [15] = 2 }, .port = DHCP6_SERVER_PORT, .zone = (uint8_t)(run.nic + 1) };
    size_t len = dhcp6_client_output(&run.client, packet, sizeof packet, core_now(run.core));
    if (len && run.udp)
        (void)net_udp_send(run.udp, &to, packet, len); // a lost packet is sent again
    *wake = MIN(*wake, dhcp6_client_deadline(&run.client));
    return run.client.result == 0 && run.client.lease.boot_url[0];
}

bool core_dhcp6_end(bool in_vain)
{
    if (run.udp)
        net_udp_close(run.udp);
    run.udp = NULL;
    const struct dhcp6_lease *lease = &run.client.lease;
    return !in_vain && run.client.result == 0 && (lease->has_ip || lease->boot_url[0]) && core_dhcp6_use(run.core, run.nic, lease, true);
}
