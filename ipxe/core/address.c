// SPDX-License-Identifier: MPL-2.0
// What the settings say about addresses, told to the network stack: those of a lease and those that a script sets, which
// come first (`set net0/ip 10.0.0.7`), are the same to it.
#include "core/network.h"

#include "base/fmt.h"
#include "net/net.h"

// The first `size` bytes of a card's setting; zeros when there is none.
static bool get(struct core *core, unsigned nic, const char *name, uint8_t *to, size_t size)
{
    char full[SETTINGS_NAME_MAX];
    const uint8_t *value;
    size_t len;
    enum setting_type type;
    fmt_snprintf(full, sizeof full, "net%u/%s", nic, name);
    memset(to, 0, size);
    if (settings_find(&core->settings, full, &value, &len, &type) != 0 || len < size)
        return false;
    memcpy(to, value, size);
    return true;
}

static void apply_routes(struct core *core, unsigned nic)
{
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint8_t everywhere[4]; // is the lease's gateway already
    char name[16];
    const uint8_t *value;
    size_t len;
    enum setting_type type;
    fmt_snprintf(name, sizeof name, "net%u/121", nic);
    int count = settings_find(&core->settings, name, &value, &len, &type) == 0 ? dhcp_routes_read(value, len, routes, everywhere) : 0;
    net_set_routes(nic, routes, (unsigned)MAX(count, 0));
}

static void apply_card(struct core *core, unsigned nic)
{
    uint8_t ip[4], mask[4], gateway[4], mtu[2], now[3][4] = { 0 };
    if (get(core, nic, "ip", ip, 4)) {
        if (!get(core, nic, "netmask", mask, 4))
            dhcp_class_mask(ip, mask);
        (void)get(core, nic, "gateway", gateway, 4);
    } else {
        memset(mask, 0, 4);
        memset(gateway, 0, 4);
    }
    (void)net_get_ipv4(nic, now[0], now[1], now[2]);
    if (memcmp(now[0], ip, 4) != 0 || memcmp(now[1], mask, 4) != 0 || memcmp(now[2], gateway, 4) != 0)
        net_set_ipv4(nic, ip, mask, gateway);
    apply_routes(core, nic);
    (void)get(core, nic, "mtu", mtu, 2);
    net_set_mtu(nic, load16_be(mtu));
}

static void apply_dns(struct core *core)
{
    uint8_t wanted[DHCP_DNS_MAX * 4] = { 0 };
    struct net_addr servers[DHCP_DNS_MAX];
    const uint8_t *value;
    size_t len;
    enum setting_type type;
    unsigned count = 0;
    if (settings_find(&core->settings, "dns", &value, &len, &type) == 0)
        memcpy(wanted, value, MIN(len, sizeof wanted));
    for (; count < DHCP_DNS_MAX && load32_be(wanted + 4 * count); count++)
        servers[count] = net_addr_v4(wanted + 4 * count, 0);
    net_set_dns(NET_DNS_SETTINGS, servers, count);
}

static void apply_search(struct core *core)
{
    char domains[2 * DHCP_NAME_MAX] = "";
    (void)settings_get(&core->settings, "search", domains, DHCP_NAME_MAX);
    size_t len = strlen(domains);
    if (len)
        domains[len++] = ' ';
    if (settings_get(&core->settings, "domain", domains + len, DHCP_NAME_MAX) < 0)
        domains[len] = 0;
    net_set_search(domains);
}

void core_apply_addresses(struct core *core)
{
    for (unsigned nic = 0; nic < net_nic_count(); nic++)
        if (net_is_open(nic))
            apply_card(core, nic);
    apply_dns(core);
    apply_search(core);
}
